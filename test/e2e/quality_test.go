package e2e_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// badNetwork loses 5 of 100 packets, doubles 2 and delays each by up to 60 ms, so
// that they overtake each other. The first and the last are spared: they tell where
// the others belong.
func badNetwork(length int) network {
	random := rand.New(rand.NewPCG(77, 1))
	const spared = 10 * media.FrameBytes
	return func(spoken int) []time.Duration {
		if spoken < spared || spoken >= length-spared {
			return []time.Duration{0}
		}
		delay := func() time.Duration { return time.Duration(random.Int64N(int64(60 * time.Millisecond))) }
		switch n := random.IntN(100); {
		case n < 5:
			return nil
		case n < 7:
			return []time.Duration{delay(), delay()}
		}
		return []time.Duration{delay()}
	}
}

// TestABadNetworkLeavesTheClockTrue: what the model hears lasts as long as what the
// caller says, and each part of it is where it belongs, or silence is.
func TestABadNetworkLeavesTheClockTrue(t *testing.T) {
	t.Parallel()
	g := start(t, Setup{Agent: unmoved})
	said := noise(20 * time.Second)
	l := call(t, g, lineConfig{codec: media.PCMU, network: badNetwork(len(said))})
	s := g.Session(0)
	l.say(said)
	l.until(20*time.Second+patience, "the caller to finish", func() bool { return l.spoken == len(said) })
	arrives(t, s)
	l.bye()

	heard := s.Input()
	first, last := said[:media.FrameBytes], said[len(said)-media.FrameBytes:]
	begin, end := bytes.Index(heard, first), bytes.Index(heard, last)+media.FrameBytes
	if begin < 0 || end < begin {
		t.Fatalf("the model did not hear the beginning or the end: %d, %d", begin, end)
	}
	if off := media.Duration(int64(end - begin - len(said))); off.Abs() > 20*time.Millisecond {
		t.Errorf("after %v the model's clock is off by %v", media.Duration(int64(len(said))), off)
	}
	there, missing := 0, 0
	for i := 0; i < len(said); i += media.FrameBytes {
		switch frame := said[i : i+media.FrameBytes]; {
		case bytes.Contains(heard[begin+max(i-media.FrameBytes, 0):min(begin+i+2*media.FrameBytes, len(heard))], frame):
			there++
		default:
			missing++
		}
	}
	if t.Logf("%d frames are in their place, %d are not", there, missing); there < 850 {
		t.Errorf("only %d of %d frames are in their place", there, there+missing)
	}

	w, ended := g.Calls.Await(t, 0, bridge.EventEnded)
	quality, ok := w.Find(bridge.EventMedia)
	if !ok || quality.Offset > ended.Offset {
		t.Fatalf("the timeline does not say how the call sounded\n%v", w)
	}
	loss, _ := quality.Attr("loss").(float64)
	mos, _ := quality.Attr("mos").(float64)
	if loss < .02 || loss > .1 || mos < 1 || mos > 3.5 {
		t.Errorf("a loss of %v and a MOS of %v: %v", loss, mos, quality.Attrs)
	}
	if jitter, _ := quality.Attr("jitter").(time.Duration); jitter <= 0 { // the latest, when the network was good again
		t.Errorf("jitter of %v", jitter)
	}
}

// TestACallTellsHowItSounded in its timeline, log and record, by each leg.
func TestACallTellsHowItSounded(t *testing.T) {
	for n, leg := range legs {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			g := start(t, Setup{Provider: realtimetest.Config{Voice: singing(time.Second)}})
			p := g.phone(leg, 0)
			if err := p.Phone.Say(within(t), noise(time.Second)); err != nil {
				t.Fatal(err)
			}
			path := "/api/v1/calls/" + g.Calls.All()[0].ID
			if running := g.record(t, path); running["packets"] == nil {
				t.Errorf("while it runs the API says %v", running)
			}
			if err := p.Hangup(within(t)); err != nil {
				t.Error(err)
			}
			w := p.Ends(atOnce, "caller_hung_up")
			quality, ok := w.Find(bridge.EventMedia)
			if !ok {
				t.Fatalf("the timeline does not say how the call sounded\n%v", w)
			}
			if packets, _ := quality.Attr("packets").(uint64); packets < 40 {
				t.Errorf("%d packets", packets)
			}
			line := g.Log.Find(t, w.ID, "call ended")[0]
			var record map[string]any
			if !settles(patience, func() bool { record = g.record(t, path); return record["packets"] != nil }) {
				t.Errorf("the record says %v", record)
			}
			if n == 1 {
				return // a media stream knows no more, but for the round trip
			}
			for _, key := range []string{"loss", "jitter_ms", "mos"} {
				if record[key] == nil || line[key] == nil {
					t.Errorf("%s: the record says %v, the log %v", key, record[key], line[key])
				}
			}
			for _, name := range []string{"callgw_rtp_loss_ratio", "callgw_rtp_jitter_seconds", "callgw_rtp_mos"} {
				if len(g.Series(t, name)) == 0 {
					t.Errorf("%s has no call", name)
				}
			}
		})
	}
}

// record returns what the API says of how a call sounds.
func (g *Gateway) record(t *testing.T, path string) map[string]any {
	t.Helper()
	_, answer := g.http(t, http.MethodGet, path, "")
	var shown struct {
		Media map[string]any `json:"media"`
	}
	if err := json.Unmarshal([]byte(answer), &shown); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return shown.Media
}
