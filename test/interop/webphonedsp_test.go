package interop_test

import (
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/google/go-cmp/cmp"
	"github.com/zaf/g711"

	"github.com/callgw/callgw/realtime/realtimetest"
)

// measure tells what the page's signal processing does, without its audio devices.
const measure = `(async () => {
	const {Capture, Player, encode, decoded, RATE} = await import("/phone/dsp.js");
	const blocks = function* (samples, size) {
		for (let i = 0; i < samples.length; i += size) yield samples.subarray(i, i + size);
	};
	const sine = (seconds, rate, hertz) => Float32Array.from({length: seconds * rate}, (_, i) => 0.5 * Math.sin(2 * Math.PI * hertz * i / rate));
	// How loud a frequency is compared with that sine, in dB, without the beginning and the end.
	const level = (samples, rate, hertz) => {
		const part = samples.slice(rate / 25, -rate / 25);
		let re = 0, im = 0;
		part.forEach((x, i) => {
			const weight = 1 - Math.cos(2 * Math.PI * i / part.length);
			re += weight * x * Math.cos(2 * Math.PI * hertz * i / rate);
			im += weight * x * Math.sin(2 * Math.PI * hertz * i / rate);
		});
		return 20 * Math.log10(2 * Math.hypot(re, im) / part.length / 0.5 + 1e-9);
	};
	const spoken = (rate, hertz) => {
		const capture = new Capture(rate), heard = [];
		for (const block of blocks(sine(0.5, rate, hertz), 128)) capture.push(block, (frame) => heard.push(...Array.from(frame, (byte) => decoded[byte])));
		return heard;
	};
	const played = (rate, hertz) => {
		const player = new Player(rate), out = new Float32Array(rate / 2);
		player.enqueue(Uint8Array.from(sine(0.5, RATE, hertz), (x) => encode(x)));
		for (const block of blocks(out, 128)) player.pull(block);
		return out;
	};
	const results = {flat: 0, suppressed: -200, framed: [], marks: [], cleared: {}};
	// Frequencies that meet the steps of µ-law ever elsewhere.
	for (const rate of [16000, 44100, 48000, 96000]) {
		for (const hertz of [203, 1009, 2003, 3203]) {
			for (const db of [level(spoken(rate, hertz), RATE, hertz), level(played(rate, hertz), rate, hertz)]) {
				results.flat = Math.max(results.flat, Math.abs(db));
			}
			// What lies above telephony's frequencies comes back below them, and the other way round.
			results.suppressed = Math.max(results.suppressed, level(played(rate, hertz), rate, RATE - hertz));
			if (2 * (RATE - hertz) < rate) results.suppressed = Math.max(results.suppressed, level(spoken(rate, RATE - hertz), RATE, hertz));
		}
	}
	for (const size of [1, 100, 128, 441, 6000]) {
		const capture = new Capture(48000), lengths = [];
		for (const block of blocks(new Float32Array(48000), size)) capture.push(block, (frame) => lengths.push(frame.length));
		results.framed.push(lengths.length, Math.min(...lengths), Math.max(...lengths));
	}

	const player = new Player(48000);
	const pull = (times) => {
		const output = new Float32Array(128 * times);
		for (let n = 0; n < times; n++) {
			for (const name of player.pull(output.subarray(128 * n, 128 * (n + 1)))) results.marks.push({name, block: n});
		}
		return output;
	};
	results.marks.push({name: "at once", block: player.mark("none") ? 0 : -1});
	player.enqueue(new Uint8Array(800));
	player.mark("a");
	player.enqueue(new Uint8Array(80));
	player.mark("b");
	pull(60);
	player.enqueue(new Uint8Array(8000).fill(0x80)); // full scale
	player.mark("c");
	player.mark("d");
	pull(10);
	results.cleared.names = player.clear();
	results.cleared.played = player.played;
	results.cleared.left = player.buffered;
	const after = pull(10);
	results.cleared.loud = after.findLastIndex((x) => x !== 0);
	results.cleared.click = Math.max(...after.map((x, i) => i ? Math.abs(x - after[i - 1]) : 0));
	results.cleared.still = player.played;

	results.codes = Array.from({length: 65536}, (_, i) => encode((i - 32768) / 32768));
	results.sounds = Array.from(decoded, (x) => x * 32768);
	return results;
})()`

// measured is what measure returns.
type measured struct {
	Flat, Suppressed float64 // dB
	Framed           []int   // for each size of blocks: frames, the smallest, the largest
	Marks            []passed
	Cleared          struct {
		Names               []string
		Played, Left, Still int // telephone samples; still is later
		Loud                int // the last sample after it that is not silent, at 48 kHz
		Click               float64
	}
	Codes  []int
	Sounds []int16
}

// passed is a mark, and the block in which it was passed.
type passed struct {
	Name  string
	Block int
}

// signalProcessing tests what the worklet does to audio, as the browser runs it.
func signalProcessing(t *testing.T, b *browser) {
	g := startAgent(t, realtimetest.Greet, "token: "+phoneToken, "")
	p := b.open(t, g.PhoneURL(), cdpbrowser.PermissionSettingGranted)
	got := evaluate[measured](p, measure)
	if got.Flat > 0.1 {
		t.Errorf("frequencies up to 3.2 kHz change by up to %.2f dB", got.Flat)
	}
	if got.Suppressed > -50 {
		t.Errorf("what telephony cannot carry comes through at %.1f dB", got.Suppressed)
	}
	if diff := cmp.Diff([]int{49, 160, 160, 49, 160, 160, 49, 160, 160, 49, 160, 160, 49, 160, 160}, got.Framed); diff != "" {
		t.Errorf("frames in a second less the filter's delay, and their sizes, of whatever blocks:\n%s", diff)
	}
	// Their blocks are of 128 samples at 48 kHz: 37.5 and 41.25 come before the marks.
	if diff := cmp.Diff([]passed{{"at once", 0}, {"a", 37}, {"b", 41}}, got.Marks); diff != "" {
		t.Errorf("marks, and the blocks in which they were passed:\n%s", diff)
	}
	// 880 were played before, 1280 at 48 kHz are 213 of the telephone's, and what is cut fades over 16.
	if c := got.Cleared; !cmp.Equal(c.Names, []string{"c", "d"}) || c.Played != 880+213 || c.Left != 16 || c.Still != 880+213+16 {
		t.Errorf("a clear comes to %+v", c)
	}
	if c := got.Cleared; c.Loud > 6*(16+32) || c.Click > 0.1 {
		t.Errorf("after a clear the last sound is in sample %d, and the greatest step %.2f", c.Loud, c.Click)
	}
	for i, code := range got.Codes {
		sample := i - 32768
		// A decision value itself may go either way.
		if want := g711.EncodeUlawFrame(int16(sample)); byte(code) != want && byte(code) != g711.EncodeUlawFrame(int16(max(sample-1, -32768))) {
			t.Fatalf("%d is encoded as %#02x, not %#02x", sample, code, want)
		}
	}
	for code, sound := range got.Sounds {
		if want := g711.DecodeUlawFrame(byte(code)); sound != want {
			t.Errorf("%#02x is decoded as %d, not %d", code, sound, want)
		}
	}
	saw(t, chromiumPeer, "audio", "between 8 kHz and 16, 44.1, 48 and 96 kHz: flat within %.2f dB up to 3.2 kHz, images and aliases at %.0f dB", got.Flat, got.Suppressed)
}
