package playout_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/bridge/playout"
)

// TestLedgerProperties drives a queue with deltas of random size, random reads,
// acknowledgements and interruptions, beside a model that keeps every byte.
func TestLedgerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ahead := rapid.Bool().Draw(t, "ahead")
		q := playout.New(playout.Config{Ahead: ahead, Lead: time.Millisecond})
		m := &model{sizes: map[string]int64{}}
		seed := 0
		for step := range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.IntRange(0, 10).Draw(t, "action") {
			case 0, 1, 2, 3: // a delta of the current response
				if m.response == "" {
					m.response = fmt.Sprintf("resp_%d", step)
					m.item = m.response + "_a"
					q.Begin(m.response)
				}
				if rapid.IntRange(0, 5).Draw(t, "another item") == 0 {
					q.EndItem(playout.Ref{ResponseID: m.response, ItemID: m.item})
					m.item = fmt.Sprintf("%s_%d", m.response, step)
				}
				p := audio(seed, rapid.IntRange(1, 6000).Draw(t, "delta"))
				seed += len(p)
				kept, err := q.Write([]byte(m.response), []byte(m.item), 0, p)
				if err != nil {
					t.Fatal(err)
				}
				if kept == m.cut {
					t.Fatalf("delta kept = %v although cut = %v", kept, m.cut)
				}
				if kept {
					m.stream = append(m.stream, p...)
					m.sizes[m.item] += int64(len(p))
				}
			case 4, 5, 6: // the leg takes audio
				p := make([]byte, media.FrameBytes*rapid.IntRange(1, 5).Draw(t, "frames"))
				n := q.Next(p)
				if !bytes.Equal(p[:n], m.stream[m.sent:m.sent+int64(n)]) {
					t.Fatal("bytes out differ from bytes in")
				}
				m.sent += int64(n)
			case 7: // the far end acknowledges, perhaps too much
				if ahead {
					pos := rapid.Int64Range(0, m.sent+500).Draw(t, "heard")
					q.Heard(pos + m.shift)
					m.heard = max(m.heard, min(pos, m.sent))
				}
			case 10: // the far end is flushed and what it had not played taken back
				if ahead {
					pos := rapid.Int64Range(0, m.sent+500).Draw(t, "rewound to")
					q.Rewind(pos + m.shift)
					m.heard = max(m.heard, min(pos, m.sent))
					m.shift += m.sent - m.heard
					m.sent = m.heard
				}
			case 8: // the response ends
				if m.response != "" {
					q.End(m.response)
					m.response, m.cut = "", false
				}
			case 9:
				i := q.Interrupt()
				if i.Sent != m.sent+m.shift {
					t.Fatalf("interrupted at %d, sent %d", i.Sent, m.sent+m.shift)
				}
				pos := i.Sent
				if ahead {
					pos = rapid.Int64Range(0, m.sent+500).Draw(t, "flushed at") + m.shift
				}
				for _, c := range i.At(pos) {
					if c.Heard < 0 || c.Heard > c.Sent || c.Sent > c.Received {
						t.Fatalf("0 ≤ heard ≤ sent ≤ received is broken: %+v", c)
					}
					if c.Received != m.sizes[c.ItemID] {
						t.Fatalf("item %s received %d bytes, ledger says %+v", c.ItemID, m.sizes[c.ItemID], c)
					}
				}
				m.stream = m.stream[:m.sent]
				m.heard = m.sent
				m.cut = m.response != ""
			}
			if !ahead {
				m.heard = m.sent
			}
			s := q.State()
			if s.Heard != m.heard || s.Sent != m.sent || s.Received != int64(len(m.stream)) {
				t.Fatalf("queue %+v, model heard %d sent %d received %d", s, m.heard, m.sent, len(m.stream))
			}
		}
	})
}

type model struct {
	stream         []byte // every byte kept and not cut away
	sent, heard    int64
	shift          int64 // what was rewound
	response, item string
	cut            bool
	sizes          map[string]int64 // bytes kept per item
}
