package rtp_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	pionrtcp "github.com/pion/rtcp"

	"github.com/callgw/callgw/sip/rtp"
)

// tally is a counter and an observer.
type tally struct {
	mu    sync.Mutex
	total float64
	times int
}

func (c *tally) Add(v float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += v
}

func (c *tally) Observe(v float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += v
	c.times++
}

func TestMetricsCountWhatStatsCount(t *testing.T) {
	var received, sent, lost, reordered, jitter, loss tally
	var rejected [rtp.Reasons]tally
	change := func(cfg *rtp.Config) {
		cfg.Metrics = rtp.Metrics{Received: &received, Sent: &sent, Lost: &lost, Reordered: &reordered, Jitter: &jitter, Loss: &loss}
		for i := range rejected {
			cfg.Metrics.Rejected[i] = &rejected[i]
		}
	}
	inCall(t, change, func(t *testing.T, c *call, p *peer) {
		p.speak(5)
		p.make(voice(1)) // lost
		p.speak(5)
		first := p.make(voice(1))
		p.speak(1)
		p.deliver(first) // reordered
		p.from = stranger
		p.speak(2)
		p.deliver(datagram{addr: signalled})
		synctest.Wait()
		c.cancel()
		if err := <-c.done; err != nil {
			t.Fatal(err)
		}
		s := c.Stats()
		got := map[string]float64{
			"received": received.total, "sent": sent.total, "lost": lost.total, "reordered": reordered.total,
			"jitter observations": float64(jitter.times),
		}
		want := map[string]float64{
			"received": float64(s.Received), "sent": float64(s.Sent), "lost": 1, "reordered": 1,
			"jitter observations": 1,
		}
		for r := range rtp.Reasons {
			got[r.String()] = rejected[r].total
			want[r.String()] = float64(s.Rejected[r])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if s.Rejected[rtp.Source] != 2 || s.Rejected[rtp.Malformed] != 1 || s.Received != 12 {
			t.Errorf("%+v", s)
		}
		if loss.times != 1 || loss.total != 1.0/13 {
			t.Errorf("a loss of %v was observed, %d times", loss.total, loss.times)
		}
		if jitter.total != s.Jitter.Seconds() {
			t.Errorf("jitter %v observed, %v measured", jitter.total, s.Jitter)
		}
	})
}

func TestMetricsObserveTheQualityOfACall(t *testing.T) {
	var round, quality tally
	metrics := func(cfg *rtp.Config) { cfg.Metrics = rtp.Metrics{RoundTrip: &round, MOS: &quality} }
	inReports(t, true, metrics, func(t *testing.T, c *reporting, p *peer) {
		p.speak(500)
		sent := c.control.packets()
		sr := parsed(t, sent[len(sent)-1].b)[0].(*pionrtcp.SenderReport)
		c.control.in <- datagram{addr: signalledRTCP, at: sent[len(sent)-1].at.Add(ms(50)), b: mustMarshal(t, &pionrtcp.ReceiverReport{
			SSRC: p.ssrc, Reports: []pionrtcp.ReceptionReport{{SSRC: sr.SSRC, LastSenderReport: uint32(sr.NTPTime >> 16)}},
		})}
		p.speak(100)
		c.cancel()
		<-c.done
		s := c.Stats()
		if round.times != 1 || round.total != s.RoundTrip.Seconds() || s.RoundTrip != ms(50) {
			t.Errorf("%d round trips, %v s, %v", round.times, round.total, s.RoundTrip)
		}
		if quality.times != 1 || quality.total != s.MOS || s.MOS < 4 {
			t.Errorf("%d estimates, %v, %v", quality.times, quality.total, s.MOS)
		}
	})
}

func TestMetricsObserveNothingOfACallWithoutMedia(t *testing.T) {
	var round, quality, loss tally
	inCall(t, func(cfg *rtp.Config) { cfg.Metrics = rtp.Metrics{RoundTrip: &round, MOS: &quality, Loss: &loss} }, func(t *testing.T, c *call, _ *peer) {
		c.cancel()
		<-c.done
		if round.times+quality.times+loss.times != 0 {
			t.Errorf("%d round trips, %d estimates, %d losses", round.times, quality.times, loss.times)
		}
	})
}

func TestReasonsAreLabels(t *testing.T) {
	var names []string
	for r := range rtp.Reasons {
		names = append(names, r.String())
	}
	if diff := cmp.Diff([]string{"malformed", "source", "ssrc", "payload", "auth", "replay"}, names); diff != "" {
		t.Error(diff)
	}
}
