package gateway

import (
	"fmt"
	"strings"

	"github.com/callgw/callgw/bridge"
	"github.com/callgw/callgw/bridge/answering"
	"github.com/callgw/callgw/dialplan"
	"github.com/callgw/callgw/internal/admin"
	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/mediastream"
)

// detectionOf returns how it is found out who answers a call out, nil if it is not:
// as the agent has it that takes the call, with what the request changes.
func (g *Gateway) detectionOf(call dialplan.Call, out admin.Outbound) (*config.MachineDetection, error) {
	now := g.current.Load()
	agent := now.Agents[out.Agent]
	if agent == nil {
		agent = now.Agent(now.Dialplan.Decide(call)) // nil for a call that is rejected
	}
	var own *config.MachineDetection
	if agent != nil {
		own = agent.MachineDetection
	}
	m, err := config.MachineDetectionOf(out.MachineDetection, own)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", admin.ErrRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if !m.On() {
		return nil, nil
	}
	return m, nil
}

// detection resolves a machine detection for one call; nil is none.
func detection(m *config.MachineDetection, call dialplan.Call) (d bridge.Detection, err error) {
	if m == nil {
		return d, nil
	}
	d = bridge.Detection{By: bridge.DetectedInAudio, Timing: m.Timing(), WaitForHuman: m.WaitForHuman}
	if m.By == "carrier" && call.Leg != "sip" { // SIP has nobody to ask
		d.By = bridge.DetectedByCarrier
	}
	switch m.OnMachine {
	case "hang_up":
		d.OnMachine = bridge.HangUpAtOnce
	case "message":
		d.OnMachine = bridge.LeaveMessage
	}
	if d.Tell, err = m.TellFor(call); err != nil {
		return d, err
	}
	if d.Message.Say, err = m.MessageFor(call); err != nil {
		return d, err
	}
	d.Message.Text = m.Message.Text
	d.Message.Audio, err = recording(m.Message.File)
	return d, err
}

// askCarrier has the carrier find out who answers a call, if that is wanted.
func askCarrier(m *config.MachineDetection, out *mediastream.Outbound) {
	if m == nil || m.By != "carrier" {
		return
	}
	out.AMD = mediastream.AMDAsync
	if m.OnMachine == "message" {
		out.AMD = mediastream.AMDAsyncMessageEnd
	}
	out.AMDTiming = mediastream.AMDTiming{
		Timeout: m.Timeout, SpeechThreshold: m.SpeechThreshold,
		SpeechEndThreshold: m.SpeechEndThreshold, SilenceTimeout: m.SilenceTimeout,
	}
}

// answeredBy tells a call what its carrier has found out, in Twilio's words.
func (g *Gateway) answeredBy(far *farEnd, who string) {
	if who == "" {
		return
	}
	verdict, over := heard(who)
	if verdict == answering.Undecided {
		g.log.Debug().Str("answered_by", who).Msg("carrier's detection comes to nothing")
		return
	}
	far.tell(func(c *bridge.Call) { c.Answered(verdict, over) })
}

// heard returns what the carrier's word for who has answered means.
func heard(who string) (answering.Verdict, answering.End) {
	switch who {
	case "human":
		return answering.Human, answering.Running
	case "fax":
		return answering.Fax, answering.Running
	case "unknown":
		return answering.Unknown, answering.Running
	case "machine_start":
		return answering.Machine, answering.Running
	case "machine_end_beep":
		return answering.Machine, answering.Beep
	case "machine_end_silence":
		return answering.Machine, answering.Pause
	case "machine_end_other":
		return answering.Machine, answering.Timeout
	}
	return answering.Undecided, answering.Running
}
