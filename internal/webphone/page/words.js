// What the page says.

/** Why a call did not come about. */
export const failures = {
  insecure: "Browsers give a page the microphone only over https, or on this very machine. Open the page so.",
  refused: "The microphone was refused. Allow it for this page, in the address bar, and call again.",
  missing: "There is no microphone. Connect one and call again.",
  busyDevice: "The microphone cannot be opened: another program may be using it.",
  unplugged: "The microphone is gone: the agent does not hear you.",
  paused: "The browser has stopped the sound.",
  noToken: "This gateway asks for an access token.",
  wrongToken: "The access token is wrong.",
  unreachable: "The gateway does not answer.",
  unexpected: "Something went wrong.",
};

/** Why a call has ended, by the reason that the gateway closes its socket with. */
export const endings = {
  caller_hung_up: "You hung up.",
  agent_hung_up: "The agent hung up.",
  operator_hung_up: "The operator of the gateway ended the call.",
  shutdown: "The gateway is shutting down.",
  duration_limit: "The call has lasted as long as it may.",
  silence_limit: "Nobody has spoken for long.",
  cost_limit: "The call has cost as much as it may.",
  transferred: "You were transferred.",
  target_hung_up: "Whom you were transferred to hung up.",
  rejected: "The gateway does not take this call.",
  no_route: "Nobody answers this number.",
  busy: "All lines are busy. Please try again later.",
  no_answer: "There was no answer.",
  provider_refused: "The agent cannot be reached.",
  provider_lost: "The agent was lost.",
  media_timeout: "The gateway no longer heard you.",
  leg_failed: "The gateway did not understand this page: reload it.",
  internal: "The gateway failed.",
};

/** What to say of a close without a reason that is known. */
export function ending(code, reason) {
  if (Object.hasOwn(endings, reason)) return endings[reason];
  if (code === 1006) return "The connection was refused or lost."; // RFC 6455 §7.4.1: no close frame came
  return `The call has ended (${reason || code}).`;
}
