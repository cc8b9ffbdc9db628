package realtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/callgw/callgw/realtime"
	"github.com/callgw/callgw/realtime/realtimetest"
)

// A tool is a Go function. The session checks the arguments, runs it, sends the
// result and asks for the response that tells the caller.
func ExampleSession_RegisterFunction() {
	server, err := realtimetest.Listen(realtimetest.Config{Voice: forecaster})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	p := printer{done: make(chan realtime.Response, 2)}
	session, err := realtime.NewSession(realtime.Config{
		Providers: []realtime.Provider{{BaseURL: server.URL, Model: "any"}},
		Handler:   p,
	})
	if err != nil {
		log.Fatal(err)
	}
	err = session.RegisterFunction(realtime.Function{
		Name:        "get_weather",
		Description: "The weather in a city now.",
		Parameters:  json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
		Handle: func(_ context.Context, call realtime.FunctionCall) (any, error) {
			var place struct{ City string }
			if err := json.Unmarshal(call.Arguments, &place); err != nil {
				return nil, err
			}
			return map[string]any{"city": place.City, "celsius": 21}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := session.Open(ctx); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx) }()

	if err := session.Respond(realtime.ResponseRequest{}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("a call:", (<-p.done).Output[0].Arguments)
	fmt.Println("the answer:", (<-p.done).Output[0].Content[0].Text)
	session.Close()
	<-ended
	// Output:
	// a call: {"city":"Paris"}
	// the answer: I was told {"celsius":21,"city":"Paris"}
}

// forecaster is a model that asks a tool once, and repeats what it was told.
func forecaster(turn realtimetest.Turn) realtimetest.Reply {
	if turn.Response == 0 {
		return realtimetest.CallFunction("get_weather", `{"city":"Paris"}`)
	}
	return realtimetest.Reply{Items: []realtimetest.Output{{Text: "I was told " + turn.Items[len(turn.Items)-1].Output}}}
}
