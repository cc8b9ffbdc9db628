package sip

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	gosip "github.com/emiago/sipgo/sip"

	"github.com/callgw/callgw/bridge/media"
)

// TransferMode is how a trunk's callers are handed over to somebody else.
type TransferMode uint8

const (
	// TransferRefer asks the peer to call the target itself (REFER, RFC 3515).
	TransferRefer TransferMode = iota
	// TransferBridge calls the target and passes the audio on between the two, for
	// peers that refuse REFER. Both calls last until either side hangs up.
	TransferBridge
	// TransferEither asks first and bridges when the peer refuses.
	TransferEither
	// TransferAttended calls the target and, when it has answered, asks the peer to
	// join the two calls itself (REFER with Replaces, RFC 5589 §7); it bridges them
	// when the peer refuses. The caller stays until somebody is there.
	TransferAttended
)

// ParseTransferMode reads a mode's name: "refer", which "" means too, "bridge",
// "either" or "attended".
func ParseTransferMode(name string) (TransferMode, error) {
	switch name {
	case "", "refer":
		return TransferRefer, nil
	case "bridge":
		return TransferBridge, nil
	case "either":
		return TransferEither, nil
	case "attended":
		return TransferAttended, nil
	}
	return 0, fmt.Errorf("sip: transfer %q: refer, bridge, either and attended are known", name)
}

var (
	errTransferring = errors.New("sip: transfer: another one is under way")
	errNotTalking   = errors.New("sip: transfer: the call is not answered, or over")
	errTransferTime = errors.New("the target has not answered in time")
)

// Transfer hands the caller over to target, a number such as +14155550100 or a SIP
// URI, as the trunk's Transfer says. It returns nil when the target has answered:
// the call then ends with media.Transferred, by our BYE if the peer sends none; a
// bridged one is Run's no longer. An error says in plain words why the call goes
// on; it wraps a [StatusError] when there is a status. It takes no longer than
// Config.TransferTimeout.
func (c *Call) Transfer(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.s.cfg.TransferTimeout, errTransferTime)
	defer cancel()
	uri, err := c.callee(target)
	if err != nil {
		return fmt.Errorf("sip: transfer: %w", err)
	}
	mode := c.trunk.Transfer
	if mode == TransferRefer || mode == TransferEither {
		err := c.refer(ctx, "<"+uri.String()+">")
		if mode == TransferRefer || !errors.As(err, new(*referRefused)) {
			return err
		}
	}
	return c.bridgeTo(ctx, uri)
}

// TransferTo joins the caller with the far end of other, which was placed for
// that: an attended transfer by REFER with Replaces (RFC 5589 §7). Both calls end
// when it has come about.
func (c *Call) TransferTo(ctx context.Context, other *Call) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.s.cfg.TransferTimeout, errTransferTime)
	defer cancel()
	other.mu.Lock()
	target, id, state := *other.d.target.Clone(), other.d.id, other.state
	other.mu.Unlock()
	if state != talking {
		return errNotTalking
	}
	// RFC 3891 §3: the tags as the far end of other sees them.
	replaces := fmt.Sprintf("%s;to-tag=%s;from-tag=%s", id.callID, id.remote, id.local)
	if err := c.refer(ctx, "<"+target.String()+"?Replaces="+url.QueryEscape(replaces)+">"); err != nil {
		return err
	}
	other.hangUpLater(fmt.Errorf("sip: %w", media.Transferred))
	return nil
}

// callee returns the URI of a transfer's target. A number is called at the trunk's
// server, without one in the peer's own domain.
func (c *Call) callee(target string) (gosip.Uri, error) {
	target = strings.TrimPrefix(target, "tel:")
	if !writable(target) {
		return gosip.Uri{}, fmt.Errorf("%q is neither a number nor a SIP URI", target)
	}
	uri, err := c.trunk.uri(target)
	if err == nil || c.trunk.Server != "" || !isDigits(strings.TrimPrefix(target, "+")) {
		return uri, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	peer := c.d.to.Address
	return gosip.Uri{Scheme: "sip", User: E164(target, c.trunk.Country), Host: peer.Host, Port: peer.Port}, nil
}

// outcome puts a final response about the target into words.
func outcome(res *StatusError) error {
	words := "the target could not be reached"
	switch res.Cause() {
	case media.Busy:
		words = "the target is busy"
	case media.NoAnswer:
		words = "the target does not answer"
	case media.NoRoute:
		words = "there is no such target"
	case media.Rejected:
		words = "the target declined the call"
	}
	return fmt.Errorf("sip: transfer: %s: %w", words, res)
}
