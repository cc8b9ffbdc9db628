// What of the telephone runs in the audio thread. Messages to it: {audio: bytes},
// {mark: name}, {clear: true}, {stop: true}. From it: {frame, level} each 20 ms,
// {marks: names} when they have been passed, {cleared: names, played}, and
// {played, buffered, level} 20 times a second. Lengths are in samples at 8 kHz.
import { Capture, Player } from "./dsp.js";

class Telephone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.capture = new Capture(sampleRate);
    this.player = new Player(sampleRate);
    this.running = true;
    this.power = 0;
    this.counted = 0;
    this.nothing = new Float32Array(128);
    this.emit = (frame, level) => this.port.postMessage({ frame, level }, [frame.buffer]);
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(message) {
    if (message.audio) this.player.enqueue(message.audio);
    else if (message.clear) this.port.postMessage({ cleared: this.player.clear(), played: this.player.played });
    else if (message.stop) this.running = false;
    else if (message.mark !== undefined && this.player.mark(message.mark)) this.port.postMessage({ marks: [message.mark] });
  }

  process([[microphone]], [[earpiece]]) {
    this.capture.push(microphone ?? this.nothing, this.emit); // without a microphone, silence keeps time
    const marks = this.player.pull(earpiece);
    if (marks.length > 0) this.port.postMessage({ marks });
    for (const sample of earpiece) this.power += sample * sample;
    this.counted += earpiece.length;
    if (this.counted >= sampleRate / 20) {
      const { played, buffered } = this.player;
      this.port.postMessage({ played, buffered, level: Math.sqrt(this.power / this.counted) });
      this.power = this.counted = 0;
    }
    return this.running;
  }
}

registerProcessor("telephone", Telephone);
