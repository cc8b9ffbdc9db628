// The page: what is pressed becomes a call, and what becomes of it is shown.
import { Call, Trouble } from "./call.js";
import { ending, failures } from "./words.js";

const $ = (id) => document.getElementById(id);
let call = null;
let began = 0;

// #to=100&token=… fills in the form. What follows # never leaves the browser.
const given = new URLSearchParams(location.hash.slice(1));
for (const name of ["to", "from", "token"]) {
  if (given.has(name)) $(name).value = given.get(name);
}
if (given.has("token")) {
  $("secret").hidden = false;
  history.replaceState(null, "", location.pathname + location.search);
}

function show(state, text) {
  document.body.dataset.state = state;
  $("state").textContent = text;
  const idle = state === "idle";
  for (const field of $("dial").elements) field.disabled = !idle;
  $("call").hidden = !idle;
  $("hangup").hidden = idle;
  for (const control of [$("mute"), ...$("keys").querySelectorAll("button")]) control.disabled = state !== "talking";
}

function trouble(error) {
  const said = error instanceof Trouble ? failures[error.kind] : failures.unexpected;
  $("trouble").textContent = error?.detail && !/^HTTP 4/.test(error.detail) ? `${said} (${error.detail})` : said;
  if (error.kind === "noToken" || error.kind === "wrongToken") {
    $("secret").hidden = false;
    $("token").focus();
  }
}

$("dial").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (call) return;
  $("trouble").textContent = "";
  const mine = call = new Call();
  mine.addEventListener("state", ({ detail }) => follow(mine, detail));
  mine.addEventListener("level", ({ detail }) => { $("spoken").value = decibels(detail); });
  mine.addEventListener("figures", ({ detail }) => figure(detail));
  mine.addEventListener("trouble", ({ detail }) => trouble(detail));
  show("connecting", "Connecting …");
  $("hangup").focus();
  try {
    await mine.place({
      to: $("to").value.trim(), from: $("from").value.trim(), token: $("token").value, processing: $("processing").checked,
    });
  } catch (error) {
    hungUp("No call.");
    trouble(error);
  }
});

function follow(mine, { state, code, reason }) {
  if (mine !== call) return;
  if (state === "talking") {
    began = performance.now();
    show("talking", "Connected.");
  } else if (state === "over") {
    hungUp(ending(code, reason));
  }
}

function hungUp(text) {
  call = null;
  mute(false);
  for (const meter of ["spoken", "heard"]) $(meter).value = -60;
  show("idle", text);
  $("call").focus();
}

function figure({ played, buffered, level, mark, cut, cutMarks }) {
  if (played !== undefined) {
    $("played").value = `${Math.round(played)} ms`;
    $("buffered").value = `${Math.round(buffered)} ms`;
    $("heard").value = decibels(level);
    const seconds = Math.floor((performance.now() - began) / 1000);
    $("duration").value = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
  if (mark !== undefined) $("mark").value = `${Math.round(mark)} ms`;
  if (cut !== undefined) $("cut").value = `${Math.round(cut)} ms`;
  if (cutMarks !== undefined) $("cutmarks").value = cutMarks;
}

const decibels = (level) => 20 * Math.log10(Math.max(level, 1e-3));

function mute(on) {
  $("mute").setAttribute("aria-pressed", on);
  if (call) call.muted = on;
}

$("mute").addEventListener("click", () => mute($("mute").getAttribute("aria-pressed") !== "true"));
$("hangup").addEventListener("click", () => call?.hangUp());
addEventListener("pagehide", () => call?.hangUp());

const spoken = { "*": "star", "#": "hash" };
for (const digit of "123456789*0#") {
  const key = document.createElement("button");
  key.type = "button";
  key.textContent = digit;
  key.ariaLabel = spoken[digit] ?? digit;
  key.addEventListener("click", () => call?.press(digit));
  $("keys").append(key);
}
addEventListener("keydown", (event) => {
  if (!call || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "Escape") call.hangUp();
  else if (document.body.dataset.state !== "talking") return;
  else if ("0123456789*#".includes(event.key)) call.press(event.key);
  else if (event.key.toLowerCase() === "m") $("mute").click();
});

show("idle", "Ready.");
