package realtime_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/callgw/callgw/realtime"
)

// printer is a Handler: it gets what the model says as sound and as words.
type printer struct {
	done chan realtime.Response
}

func (p printer) Audio(d realtime.AudioDelta) {
	fmt.Printf("%s sounds: %d ms\n", d.ItemID, realtime.FormatULaw.Duration(int64(len(d.Audio))).Milliseconds())
}

func (p printer) Event(e realtime.Event) {
	switch e := e.(type) {
	case realtime.TranscriptDone:
		fmt.Printf("%s says: %s\n", e.ItemID, e.Transcript)
	case realtime.ErrorEvent:
		fmt.Printf("%v error: %v\n", e.Error.Kind(), e.Error)
	case realtime.ResponseDone:
		p.done <- e.Response
	}
}

// One conversation: open, let the caller be heard, ask for an answer, close.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(greeter))
	defer server.Close()

	p := printer{done: make(chan realtime.Response, 1)}
	session, err := realtime.NewSession(realtime.Config{
		Providers: []realtime.Provider{{
			BaseURL: "ws" + strings.TrimPrefix(server.URL, "http") + "/v1/realtime", // wss://api.openai.com/v1/realtime
			Model:   "gpt-realtime-2.1",
			APIKey:  "sk-…",
		}},
		Properties: realtime.Properties{
			Instructions:      "You answer the phone for Example Ltd.",
			Voice:             "marin",
			InputAudioFormat:  realtime.FormatULaw,
			OutputAudioFormat: realtime.FormatULaw,
			TurnDetection:     &realtime.TurnDetection{Type: realtime.ServerVAD, Threshold: new(0.5)},
		},
		Handler: p,
	})
	if err != nil {
		log.Fatal(err) // every fault of the configuration
	}
	ctx := context.Background()
	if err := session.Open(ctx); err != nil {
		log.Fatalf("%v; try again: %v", err, realtime.Retryable(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx) }()

	session.Append(make([]byte, 160)) // 20 ms of caller audio
	if err := session.Respond(realtime.ResponseRequest{Instructions: "Greet the caller in one sentence."}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("response", (<-p.done).Status)
	session.Close()
	fmt.Println("ended:", <-ended)
	// Output:
	// item_1 sounds: 500 ms
	// item_1 says: Hello!
	// response completed
	// ended: <nil>
}

// greeter is the least that a server does for the example.
func greeter(w http.ResponseWriter, r *http.Request) {
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	say := func(msg string) { _ = ws.WriteMessage(websocket.TextMessage, []byte(msg)) }
	say(`{"type":"session.created","session":{"id":"sess_1"}}`)
	for {
		var event struct{ Type string }
		if ws.ReadJSON(&event) != nil {
			return
		}
		switch event.Type {
		case "session.update":
			say(`{"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcmu"}}}}}`)
		case "response.create":
			say(`{"type":"response.created","response":{"id":"resp_1","conversation_id":"conv_1"}}`)
			say(`{"type":"response.output_audio.delta","response_id":"resp_1","item_id":"item_1","content_index":0,"delta":"` +
				strings.Repeat("/v7+", 4000/3) + `/w=="}`)
			say(`{"type":"response.output_audio_transcript.done","response_id":"resp_1","item_id":"item_1","content_index":0,"transcript":"Hello!"}`)
			say(`{"type":"response.done","response":{"id":"resp_1","conversation_id":"conv_1","status":"completed"}}`)
		}
	}
}
