package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/mediastream/mediastreamtest"
)

// twilioFlags are the flags of callgw simulate twilio.
type twilioFlags struct {
	listen, gateway, publicURL, account, authToken string
	dial, from, speak                              string
	talk                                           time.Duration
	transfer, callee, answeredBy                   string
	once                                           bool
}

func newSimulateTwilio() *cobra.Command {
	var f twilioFlags
	cmd := &cobra.Command{
		Use:   "twilio",
		Short: "Run a stand-in for Twilio: calls in, its REST API, transfers and calls out",
		Long: `Is to a gateway on this machine what Twilio is to one that the world can reach, until
Ctrl-C: it calls in with a signed webhook and media stream, and serves the REST API
by which the gateway hangs up, transfers and calls out, as strictly as Twilio
documents it. It prints what happens in its calls, and what the gateway does that
Twilio would refuse.

Of the gateway's configuration media_streams.twilio.rest_url must be the URL that is
printed, and account_sid that of --account. The gateway reaches no phone through it:
--transfer says what becomes of a transfer, --callee of a call out.`,
		Example: `  callgw simulate twilio --dial +14155550100 --transfer busy
  callgw simulate twilio --callee busy`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return simulateTwilio(cmd, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:9002", "`address` of the REST API; port 0: any that is free")
	fl.StringVar(&f.gateway, "gateway", "http://127.0.0.1:8080", "`URL` of the gateway's http.listen")
	fl.StringVar(&f.publicURL, "public-url", "", "`URL` to sign for: http.public_url of the gateway; none: --gateway")
	fl.StringVar(&f.account, "account", "AC00000000000000000000000000000000", "account `SID`, AC and 32 hexadecimal digits")
	fl.StringVar(&f.authToken, "auth-token", "", "`token` of the account; none: TWILIO_AUTH_TOKEN")
	fl.StringVar(&f.dial, "dial", "", "`number` of the gateway to call at once; none: nobody calls in")
	fl.StringVar(&f.from, "from", "+14155550123", "the caller's `number`")
	fl.StringVar(&f.speak, "speak", "", "WAV `file` that people say once the agent was heard: the caller, and who is called")
	fl.DurationVar(&f.talk, "talk", 0, "after which people hang up; 0: never")
	fl.StringVar(&f.transfer, "transfer", "completed", "`status` of transfers: completed, busy, no-answer or failed")
	fl.StringVar(&f.callee, "callee", "answered", "`status` of calls out: answered, busy, no-answer or failed")
	fl.StringVar(&f.answeredBy, "answered-by", "human", "whom Twilio's detection hears in calls out: human, machine_start, machine_end_beep, machine_end_silence, machine_end_other, fax or unknown")
	fl.BoolVar(&f.once, "once", false, "end when the first call is over")
	return cmd
}

var accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)

func (f *twilioFlags) check() error {
	for _, choice := range []struct {
		flag, value string
		of          []string
	}{
		{"--transfer", f.transfer, []string{"completed", "busy", "no-answer", "failed"}},
		{"--callee", f.callee, []string{"answered", "busy", "no-answer", "failed"}},
		{"--answered-by", f.answeredBy, []string{"human", "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax", "unknown"}},
	} {
		if !slices.Contains(choice.of, choice.value) {
			return usagef("%s %q: one of %q is needed", choice.flag, choice.value, choice.of)
		}
	}
	if u, err := url.Parse(f.gateway); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("--gateway %q: http://host:port is needed", f.gateway)
	}
	if !accountSID.MatchString(f.account) {
		return usagef("--account %q: AC and 32 hexadecimal digits are needed", f.account)
	}
	if f.authToken == "" {
		f.authToken = os.Getenv("TWILIO_AUTH_TOKEN")
	}
	if f.authToken == "" {
		return usagef("--auth-token or TWILIO_AUTH_TOKEN is needed: media_streams.twilio.auth_token of the gateway")
	}
	return nil
}

// simulateTwilio serves until the command's context ends or, once, until a call
// has.
func simulateTwilio(cmd *cobra.Command, f twilioFlags) error {
	speech, err := readSpeech(f.speak)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %q: %w: choose an address of this machine with a free port", f.listen, err)
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	t := newTwilio(cmd.OutOrStdout(), f, speech, stop)
	web := &http.Server{Handler: t.api, ReadHeaderTimeout: 5 * time.Second}
	t.tell("Twilio's REST API at http://%s, account %s", listener.Addr(), f.account)
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	if f.dial != "" {
		err = t.callIn(ctx)
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-served:
		}
	}
	t.api.Close()
	_ = web.Close() // whatever it returns concerns the listener, which is gone
	return t.verdict(err)
}

// calls is what the calls of a simulated account have in common.
func (f *twilioFlags) calls() mediastreamtest.Config {
	return mediastreamtest.Config{
		WebhookURL: f.gateway + "/twilio/voice", PublicURL: f.publicURL,
		AccountSID: f.account, AuthToken: f.authToken, From: f.from, To: f.dial,
	}
}
