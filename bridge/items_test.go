package bridge_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

func TestTheConversationBeginsWithTheAgentsItems(t *testing.T) {
	type message struct{ Role, Text string }
	known := make(chan []message, 1)
	server, provider := serve(t, realtimetest.Config{Voice: func(turn realtimetest.Turn) realtimetest.Reply {
		var list []message
		for _, it := range turn.Items {
			list = append(list, message{it.Role, it.Content[0].Text})
		}
		known <- list
		return realtimetest.Greet(turn)
	}})
	l := newLeg()
	call(t, l, bridge.Agent{
		Providers: []realtime.Provider{provider},
		Items:     []realtime.Item{realtime.Message("system", "Ann calls."), realtime.Message("user", "Hello?"), realtime.Message("assistant", "Hello, Ann.")},
		Greeting:  bridge.Greeting{Say: "Greet."},
	})
	await(t, l.answered, "the answer")
	l.await(t, 1)
	if diff := cmp.Diff([]message{{"system", "Ann calls."}, {"user", "Hello?"}, {"assistant", "Hello, Ann."}}, <-known); diff != "" {
		t.Errorf("what the server knew when it greeted:\n%s", diff)
	}
	if v := session(t, server, 0).Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}
