package realtimetest_test

import (
	"context"
	"fmt"

	"github.com/callgw/callgw/realtime/realtimetest"
	"github.com/gorilla/websocket"
)

func ExampleListen() {
	srv, err := realtimetest.Listen(realtimetest.Config{
		Voice: func(realtimetest.Turn) realtimetest.Reply {
			return realtimetest.CallFunction("get_weather", `{"city":"Paris"}`)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()

	conn, _, err := websocket.DefaultDialer.Dial(srv.URL+"?model=any", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	if err := conn.WriteJSON(map[string]string{"type": "response.create"}); err != nil {
		fmt.Println(err)
		return
	}
	s, err := srv.WaitSession(context.Background(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.WaitEvent(context.Background(), "response.done", 1); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Items()[0].Name, s.Items()[0].Arguments)
	// Output: get_weather {"city":"Paris"}
}
