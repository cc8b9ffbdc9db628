package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/caller"
	"github.com/callgw/callgw/internal/phone"
	"github.com/callgw/callgw/internal/wav"
	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// callFlags are the flags of callgw call.
type callFlags struct {
	speak, record, from, to, authToken, publicURL string
	listen, timeout                               time.Duration
	sip                                           sipFlags
}

func newCall() *cobra.Command {
	var f callFlags
	cmd := &cobra.Command{
		Use:   "call TARGET",
		Short: "Place a call with a scripted phone",
		Long: `Places a call, hears the greeting out, speaks a recording if there is one, hears
the reply out and hangs up; prints how long each took. The exit status is 0 if the
agent spoke, and replied when it was spoken to: for smoke tests and monitoring.

TARGET is a SIP URI, or the address of a gateway that takes media streams (ws://
or wss://host:port). The gateway must take calls from here: by SIP, a trunk must
list this machine's address; media streams must be signed with the auth token
that the gateway has, of --auth-token or of TWILIO_AUTH_TOKEN.

Recordings are WAV files, 8 kHz, mono: 16-bit PCM or G.711.`,
		Example: `  callgw call sip:+14155550100@127.0.0.1 --speak hello.wav --record answer.wav
  callgw call sip:+14155550100@pbx.example.com --from anonymous --asserted +14155550123 --header "X-Test: 1"
  callgw call ws://127.0.0.1:8080 --to +14155550100 --public-url https://voice.example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("one TARGET is needed, such as sip:+14155550100@127.0.0.1: see callgw call --help")
			}
			switch scheme, rest, _ := strings.Cut(args[0], ":"); {
			case !slices.Contains([]string{"sip", "ws", "wss", "http", "https"}, scheme), rest == "":
				return usagef("TARGET %q: sip:user@host, ws://host:port or wss://host is needed", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return placeCall(cmd, args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.speak, "speak", "", "WAV `file` to speak after the greeting")
	fl.StringVar(&f.record, "record", "", "WAV `file` to record the far end in")
	fl.StringVar(&f.from, "from", "+14155550123", "the caller's `number`")
	fl.StringVar(&f.to, "to", "+14155550100", "the `number` called by a media stream; by SIP it is in TARGET")
	fl.StringVar(&f.authToken, "auth-token", "", "`token` to sign media streams with; none: TWILIO_AUTH_TOKEN")
	fl.StringVar(&f.publicURL, "public-url", "", "`URL` to sign for: http.public_url of the gateway; none: TARGET")
	f.sip.register(cmd)
	fl.DurationVar(&f.listen, "listen", 10*time.Second, "how long to wait for the agent to speak")
	fl.DurationVar(&f.timeout, "timeout", time.Minute, "how long the whole call may take")
	return cmd
}

// placeCall places one call and prints what came of it.
func placeCall(cmd *cobra.Command, target string, f callFlags) error {
	speech, err := readSpeech(f.speak)
	if err != nil {
		return err
	}
	dial, err := f.sip.dial(cmd, target)
	if err != nil {
		return err
	}
	token := f.authToken
	if token == "" {
		token = os.Getenv("TWILIO_AUTH_TOKEN")
	}
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), f.timeout, fmt.Errorf("--timeout of %v is over", f.timeout))
	defer cancel()
	out := cmd.OutOrStdout()
	call, err := caller.Dial(ctx, caller.Config{
		Target: target, From: f.from, To: f.to, SIP: dial,
		Carrier: mediastreamtest.Config{AuthToken: token, PublicURL: f.publicURL},
		Ringing: func() { fmt.Fprintln(out, "ringing") },
		Early:   func() { fmt.Fprintln(out, "heard before the answer") },
	})
	if err != nil {
		return refusal(err)
	}
	fmt.Fprintf(out, "answered after %v\n", call.Setup.Round(time.Millisecond))
	talking, hungUp := call.During(ctx)
	defer hungUp()
	scriptErr := converse(talking, out, call, speech, f.listen)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	hangupErr := call.Hangup(ending)
	if f.record != "" {
		if err := record(f.record, call.Phone.Report()); err != nil {
			return errors.Join(scriptErr, err)
		}
	}
	return errors.Join(scriptErr, hangupErr)
}

// readSpeech reads the recording that --speak names; without one there is none.
func readSpeech(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usagef("--speak: %w", err)
	}
	defer file.Close()
	speech, err := wav.Read(file)
	if err != nil {
		return nil, usagef("--speak %s: %w", path, err)
	}
	return speech, nil
}

// converse hears the greeting out, speaks, and hears the reply out.
func converse(ctx context.Context, out io.Writer, call *caller.Call, speech []byte, patience time.Duration) error {
	began := time.Now()
	if err := hearOut(ctx, call, patience); err != nil {
		return fmt.Errorf("no greeting: %w", err)
	}
	fmt.Fprintf(out, "greeting heard, over %v after the answer\n", time.Since(began).Round(time.Millisecond))
	if speech == nil {
		return nil
	}
	if err := call.Phone.Say(ctx, speech); err != nil {
		return err
	}
	// Silence at the end of a recording does not keep the agent waiting.
	replying, cancel := listening(ctx, patience)
	defer cancel()
	if err := call.Phone.AwaitReply(replying); err != nil {
		return fmt.Errorf("no reply: %w", err)
	}
	for _, latency := range call.Phone.Report().Latencies {
		fmt.Fprintf(out, "reply after %v\n", latency.Round(time.Millisecond))
	}
	return call.Phone.AwaitQuiet(ctx, pause)
}

// pause is how long the agent must be quiet for its turn to be over.
const pause = 700 * time.Millisecond

// hearOut waits until the far end has begun to speak and has fallen silent.
func hearOut(ctx context.Context, call *caller.Call, patience time.Duration) error {
	waiting, cancel := listening(ctx, patience)
	defer cancel()
	if err := call.Phone.AwaitSpeech(waiting, 0); err != nil {
		return err
	}
	return call.Phone.AwaitQuiet(ctx, pause)
}

// listening returns a context that ends when patience does.
func listening(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing was heard for %v", patience))
}

// refusal says more of a call that was not answered.
func refusal(err error) error {
	var webhook *mediastreamtest.WebhookError
	if errors.As(err, &webhook) && webhook.Status == http.StatusForbidden {
		return fmt.Errorf("%w: --auth-token and --public-url must be those of the gateway", err)
	}
	return err
}

// record writes what the far end said.
func record(path string, r phone.Report) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return wav.Write(file, r.Recording)
}
