// One call: the microphone, the worklet, and the socket between them and the
// gateway, in the protocol of docs/media-streams.md.

const STREAM = "1";
const HANGUP = 1000; // RFC 6455 §7.4.1
// Frames are left out while more than a second of them waits to be sent; their
// timestamps tell the gateway.
const MOST_UNSENT = 16 << 10;

/** Why a call did not come about: kind is a key of failures in words.js. */
export class Trouble extends Error {
  constructor(kind, detail = "") {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
  }
}

/**
 * A call. Its events are "state" (connecting, talking, over), "level" of the
 * microphone, "figures" of the playout and "trouble"; over has the close's code and reason.
 */
export class Call extends EventTarget {
  #context; #microphone; #worklet; #socket;
  #frames = 0;
  #marked = new Map(); // when each mark that has not been passed came
  #state = "";

  /** Calls; it must be called by a click, or the page may not make a sound. */
  async place({ to, from, token, processing }) {
    try {
      if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new Trouble("insecure");
      this.#context = new AudioContext({ latencyHint: "interactive" });
      this.#change("connecting");
      this.#context.onstatechange = () => this.#stalled();
      await Promise.all([
        microphone(processing).then((stream) => this.#open(stream)),
        this.#context.resume(),
        this.#context.audioWorklet.addModule(new URL("worklet.js", import.meta.url)),
      ]);
      const ticket = await fetchTicket(token);
      if (this.#state === "over") return; // hung up meanwhile
      this.#wire();
      this.#connect({ token: ticket, to, from });
    } catch (error) {
      this.#release();
      if (this.#state === "over") return;
      this.#state = "over";
      throw error instanceof Trouble ? error : new Trouble("unexpected", String(error));
    }
  }

  /** Hangs up; the gateway is told if it still listens. */
  hangUp() {
    this.#send({ event: "stop" });
    this.#socket?.close(HANGUP);
    this.#finish(HANGUP, "caller_hung_up");
  }

  /** Sends a key: 0 to 9, *, # or A to D. */
  press(digit) { this.#send({ event: "dtmf", dtmf: { digit } }); }

  set muted(on) {
    for (const track of this.#microphone?.getTracks() ?? []) track.enabled = !on;
  }

  #open(stream) {
    this.#microphone = stream;
    if (this.#state === "over") this.#release(); // before it was allowed
  }

  #wire() {
    this.#worklet = new AudioWorkletNode(this.#context, "telephone", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      channelCount: 1, channelCountMode: "explicit",
    });
    this.#worklet.port.onmessage = ({ data }) => this.#hear(data);
    this.#context.createMediaStreamSource(this.#microphone).connect(this.#worklet).connect(this.#context.destination);
    for (const track of this.#microphone.getTracks()) {
      track.onended = () => this.#tell("trouble", new Trouble("unplugged"));
    }
  }

  // The browser may stop the sound, such as for a call on a mobile phone.
  #stalled() {
    if (this.#state === "talking" && this.#context.state !== "running") this.#tell("trouble", new Trouble("paused"));
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  #connect(customParameters) {
    const url = new URL("../generic/media", import.meta.url);
    url.protocol = url.protocol.replace("http", "ws");
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => {
      this.#send({
        event: "start",
        start: {
          streamSid: STREAM, customParameters,
          mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
        },
      });
      this.#frames = 0;
      this.#change("talking");
    };
    this.#socket.onmessage = ({ data }) => this.#obey(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.#finish(code, reason);
  }

  // From the gateway.
  #obey({ event, media, mark }) {
    switch (event) {
      case "media":
        this.#worklet.port.postMessage({ audio: Uint8Array.from(atob(media.payload), (c) => c.charCodeAt(0)) });
        break;
      case "mark":
        this.#marked.set(mark.name, performance.now());
        this.#worklet.port.postMessage({ mark: mark.name });
        break;
      case "clear":
        this.#worklet.port.postMessage({ clear: true });
    }
  }

  // From the worklet.
  #hear({ frame, level, marks, cleared, played, buffered }) {
    if (frame) {
      this.#tell("level", level);
      this.#speak(frame);
    } else if (marks) {
      this.#tell("figures", { mark: this.#returned(marks) });
    } else if (cleared) {
      this.#returned(cleared);
      this.#tell("figures", { cut: played / 8, cutMarks: cleared.length });
    } else {
      this.#tell("figures", { played: played / 8, buffered: buffered / 8, level });
    }
  }

  #speak(frame) {
    if (this.#state !== "talking") return;
    const timestamp = String(20 * this.#frames++);
    if (this.#socket.bufferedAmount > MOST_UNSENT) return;
    this.#send({ event: "media", media: { timestamp, payload: btoa(String.fromCharCode(...frame)) } });
  }

  // Marks go back when they have been passed, and when a clear has found them.
  // It returns how long the last of them was here, in ms.
  #returned(names) {
    let waited = 0;
    for (const name of names) {
      this.#send({ event: "mark", mark: { name } });
      waited = performance.now() - this.#marked.get(name);
      this.#marked.delete(name);
    }
    return waited;
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ ...message, streamSid: STREAM }));
  }

  #change(state, detail = {}) {
    this.#state = state;
    this.#tell("state", { state, ...detail });
  }

  #finish(code, reason) {
    if (this.#state === "over") return;
    this.#release();
    this.#change("over", { code, reason });
  }

  #release() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#worklet?.port.postMessage({ stop: true });
    if (this.#context?.state !== "closed") this.#context?.close();
  }
}

async function microphone(processing) {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing },
    });
  } catch (error) {
    const kinds = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", NotReadableError: "busyDevice" };
    throw new Trouble(kinds[error.name] ?? "unexpected", error.message);
  }
}

// A ticket lets in one socket: the token itself is shown to no script but this,
// and stands in no URL.
async function fetchTicket(token) {
  let response;
  try {
    response = await fetch(new URL("../generic/ticket", import.meta.url), {
      method: "POST", cache: "no-store", credentials: "omit",
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
  } catch (error) {
    throw new Trouble("unreachable", error.message);
  }
  if (response.status === 401) throw new Trouble(token ? "wrongToken" : "noToken");
  if (!response.ok) throw new Trouble("unreachable", `HTTP ${response.status}`);
  return (await response.json()).ticket;
}
