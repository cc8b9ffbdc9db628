package gateway

import (
	"strings"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/mediastream"
	"github.com/callgw/callgw/realtime"
)

// returned lets an agent know that its call has come back from a transfer that
// failed, and speak of it instead of greeting again. The parameters are a peer's
// words, which may be a program's: only known ones reach the model.
func returned(out *bridge.Agent, call dialplan.Call) {
	why, ok := map[string]string{
		"busy": "the line was busy", "no-answer": "nobody answered",
		"failed": "the call could not be completed", "canceled": "the call was cancelled",
	}[call.Param[mediastream.ParamTransferResult]]
	if !ok {
		return
	}
	target := "somebody else"
	t := strings.NewReplacer(" ", "", "(", "", ")", "").Replace(call.Param[mediastream.ParamTransferTarget])
	if t, _, _ = strings.Cut(t, "?"); t != "" && len(t) <= maxTarget && strings.Trim(t, targetCharacters) == "" {
		target = t
	}
	out.Items = append(out.Items, realtime.Message("system",
		"The caller has spoken with you before and was transferred to "+target+", but "+why+". The caller is back with you now."))
	out.Greeting = bridge.Greeting{Say: "Tell the caller in one sentence why the transfer failed, and ask how you can help now."}
}

const (
	maxTarget        = 100
	targetCharacters = "+0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@.:;=_-*#"
)
