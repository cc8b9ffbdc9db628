package realtime_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

// TestCommitsThatNobodyAnswersAreNotRepeatedForEver loses the connection to a
// server that has answered none of many.
func TestCommitsThatNobodyAnswersAreNotRepeatedForEver(t *testing.T) {
	const many = 500
	heard := record()
	repeated := make(chan int, 1)
	var connections atomic.Int32
	provider := serve(t, func(p *peer) {
		p.open()
		if connections.Add(1) == 1 {
			for range many {
				p.expect("input_audio_buffer.commit")
			}
			_ = p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseInternalServerErr, ""), time.Now().Add(deadline))
			p.drain()
			return
		}
		n := 0
		for {
			m, ok := p.next()
			switch {
			case !ok:
				return
			case m.Type == "input_audio_buffer.commit":
				n++
			case m.Type == "conversation.item.create":
				repeated <- n
			}
		}
	})
	s, _ := start(t, realtime.Config{
		Providers: []realtime.Provider{provider}, Handler: heard, RepairTimeout: 3 * time.Second,
		Properties: realtime.Properties{
			InputAudioFormat: realtime.FormatULaw, OutputAudioFormat: realtime.FormatULaw,
			TurnDetection: &realtime.TurnDetection{Type: realtime.NoDetection},
		},
	})
	for range many {
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	await[realtime.SessionRestored](t, heard)
	if err := s.CreateItem(realtime.Message("user", "That is all.")); err != nil {
		t.Fatal(err)
	}
	if n := receive(t, repeated); n > 16 {
		t.Errorf("%d commits were repeated", n)
	}
}
