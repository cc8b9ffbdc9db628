// The telephone's signal processing: G.711, resampling, framing and playout.
// It is pure, so that it runs in a worklet, in a page and in a test.

/** What a telephone hears, in samples a second. */
export const RATE = 8000;
/** The samples of a frame: 20 ms. */
export const FRAME = 160;

// ITU-T G.711: µ-law is a sign, three bits of exponent and four of mantissa, all
// inverted.
const BIAS = 0x84;
const CLIP = 32635;

/** Returns the µ-law byte of a sample from -1 to 1. */
export function encode(sample) {
  let v = Math.round(sample * 32768);
  const sign = v < 0 ? 0x80 : 0;
  v = Math.min(Math.abs(v), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(v);
  return ~(sign | (exponent << 4) | ((v >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** What each µ-law byte sounds like, from -1 to 1. */
export const decoded = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 0x0f) << 3) + BIAS) << ((bits & 0x70) >> 4)) - BIAS;
  return (bits & 0x80 ? -size : size) / 32768;
});

// The low-pass is a sinc under a Kaiser window that reaches 32 telephone samples,
// 4 ms, to either side: flat to 3.4 kHz, and 60 dB down from 4 kHz on, where
// other frequencies would be heard as what they are not.
const CUTOFF = 3700;
const REACH = 32;
const BETA = 6.2;

/** The modified Bessel function of the first kind, of order 0. */
function bessel(x) {
  let sum = 1;
  for (let k = 1, term = 1; term > 1e-9 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function lowPass(seconds) {
  const edge = seconds * RATE / REACH;
  if (Math.abs(edge) >= 1) return 0;
  const x = 2 * Math.PI * CUTOFF * seconds;
  return (x ? Math.sin(x) / x : 1) * bessel(BETA * Math.sqrt(1 - edge * edge)) / bessel(BETA);
}

/**
 * The low-pass at the positions between samples of one rate where those of
 * another lie: output n is at input n*step/phases.
 */
class Polyphase {
  constructor(from, to) {
    let a = from, b = to;
    while (b) [a, b] = [b, a % b];
    this.phases = to / a;
    this.step = from / a;
    this.reach = Math.ceil(REACH * from / RATE); // input samples, to either side
    this.taps = 2 * this.reach;
    this.weights = new Float32Array(this.phases * this.taps);
    for (let phase = 0; phase < this.phases; phase++) {
      const row = this.weights.subarray(phase * this.taps, (phase + 1) * this.taps);
      let sum = 0;
      for (let tap = 0; tap < this.taps; tap++) {
        row[tap] = lowPass((phase / this.phases + this.reach - 1 - tap) / from);
        sum += row[tap];
      }
      for (let tap = 0; tap < this.taps; tap++) row[tap] /= sum; // silence stays silent, and the level the level
    }
  }
}

/** The microphone's side: makes frames of µ-law of what is heard at any rate. */
export class Capture {
  constructor(rate) {
    this.filter = new Polyphase(rate, RATE);
    this.heard = new Float32Array(this.filter.taps + 4096);
    this.length = this.filter.reach; // samples in heard; the first are silence
    this.at = this.filter.reach - 1; // the output's position in them
    this.phase = 0;
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.power = 0;
  }

  /** Takes samples and calls emit(frame, level) for each frame; level is RMS. */
  push(block, emit) {
    const { taps, reach, weights, phases, step } = this.filter;
    if (this.length + block.length > this.heard.length) {
      const grown = new Float32Array(this.length + 2 * block.length);
      grown.set(this.heard);
      this.heard = grown;
    }
    this.heard.set(block, this.length);
    this.length += block.length;
    while (this.at + reach < this.length) {
      let sum = 0;
      for (let tap = 0, row = this.phase * taps, first = this.at - reach + 1; tap < taps; tap++) {
        sum += weights[row + tap] * this.heard[first + tap];
      }
      this.sample(sum, emit);
      this.phase += step;
      this.at += Math.floor(this.phase / phases);
      this.phase %= phases;
    }
    const done = this.at - reach + 1;
    this.heard.copyWithin(0, done, this.length);
    this.length -= done;
    this.at -= done;
  }

  sample(value, emit) {
    this.frame[this.filled++] = encode(value);
    this.power += value * value;
    if (this.filled < FRAME) return;
    emit(this.frame, Math.sqrt(this.power / FRAME));
    this.frame = new Uint8Array(FRAME); // the other is given away
    this.filled = 0;
    this.power = 0;
  }
}

// Audio in advance of the ear: more than any gateway sends.
const SLOTS = 1 << 18;
const SLOT = SLOTS - 1;
// What is cut off fades over 2 ms, lest it click.
const FADE = 16;

/**
 * The earpiece's side: a queue of µ-law, played at any rate, with marks in it.
 * Positions count telephone samples.
 */
export class Player {
  constructor(rate) {
    this.filter = new Polyphase(RATE, rate);
    this.queue = new Float32Array(SLOTS); // from at-reach to end+reach, silence beyond end
    this.at = this.filter.reach; // what is being played
    this.phase = 0;
    this.end = this.at; // behind what is to be played
    this.marks = [];
    this.received = 0; // samples, ever
    this.dropped = 0; // of which, by clears and for lack of room
  }

  /** Samples that are yet to be played. */
  get buffered() { return Math.max(0, this.end - this.at); }

  /** Samples that have been played, ever. */
  get played() { return this.received - this.dropped - this.buffered; }

  /** Plays bytes after what there is. */
  enqueue(bytes) {
    this.end = Math.max(this.end, this.at);
    const room = SLOTS - 2 * this.filter.reach - 1 - this.buffered;
    const taken = Math.min(bytes.length, room);
    for (let i = 0; i < taken; i++) this.queue[(this.end + i) & SLOT] = decoded[bytes[i]];
    this.end += taken;
    this.received += bytes.length;
    this.dropped += bytes.length - taken;
    this.silence();
  }

  /** Returns whether all before the mark has been played; if not, pull tells when it has. */
  mark(name) {
    if (this.buffered === 0) return true;
    this.marks.push({ name, position: this.end });
    return false;
  }

  /** Drops what is yet to be played, and returns the names of the marks in it. */
  clear() {
    const end = Math.min(this.end, this.at + FADE);
    for (let i = this.at; i < end; i++) {
      this.queue[i & SLOT] *= (end - i) / (FADE + 1);
    }
    this.dropped += Math.max(0, this.end - end);
    this.end = end;
    this.silence();
    const names = this.marks.map((mark) => mark.name);
    this.marks = [];
    return names;
  }

  /** Fills output, and returns the names of the marks that were passed. */
  pull(output) {
    const { taps, reach, weights, phases, step } = this.filter;
    for (let n = 0; n < output.length; n++) {
      if (this.at >= this.end + reach) { // nothing is left, not even an echo of the filter
        output.fill(0, n);
        break;
      }
      let sum = 0;
      for (let tap = 0, row = this.phase * taps, first = this.at - reach + 1; tap < taps; tap++) {
        sum += weights[row + tap] * this.queue[(first + tap) & SLOT];
      }
      output[n] = sum;
      this.phase += step;
      this.at += Math.floor(this.phase / phases);
      this.phase %= phases;
    }
    let passed = 0;
    while (passed < this.marks.length && this.marks[passed].position <= this.at) passed++;
    return this.marks.splice(0, passed).map((mark) => mark.name);
  }

  silence() {
    for (let i = 0; i <= this.filter.reach; i++) this.queue[(this.end + i) & SLOT] = 0;
  }
}
