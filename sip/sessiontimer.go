package sip

import (
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"
)

const (
	// intervalTooSmall is the status 422 (RFC 4028 §6).
	intervalTooSmall = 422
	// leastExpires is the shortest session that anybody may insist on, and what
	// is meant when Min-SE is absent (RFC 4028 §5).
	leastExpires = 90 * time.Second
	// mostExpires is the longest that is believed: a day.
	mostExpires = 24 * time.Hour
)

// sessionTimer is what both sides agreed on: that the session is over unless it
// is refreshed within interval (RFC 4028). The zero value: they did not.
type sessionTimer struct {
	interval time.Duration
	ours     bool      // this side refreshes
	since    time.Time // when it was refreshed last
	due      time.Time // when this side refreshes next
}

// refreshed returns the timer as it is after a refresh.
func (t sessionTimer) refreshed(now time.Time) sessionTimer {
	t.since, t.due = now, now.Add(t.interval/2) // §10: half the interval is recommended
	return t
}

// ends is when BYE is due because no refresh has come (§10).
func (t sessionTimer) ends() time.Time {
	return t.since.Add(t.interval - min(32*time.Second, t.interval/3))
}

// next is when this side has to do something.
func (t sessionTimer) next() time.Time {
	if t.ours && t.due.Before(t.ends()) {
		return t.due
	}
	return t.ends()
}

// expires is the value of a Session-Expires header.
type expires struct {
	interval  time.Duration
	refresher string // "uac", "uas" or "": not said
}

// parseExpires reads a value of Session-Expires or Min-SE.
func parseExpires(value string) (expires, bool) {
	seconds, params, _ := strings.Cut(value, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(seconds), 10, 32)
	if err != nil {
		return expires{}, false
	}
	e := expires{interval: min(time.Duration(n)*time.Second, mostExpires)}
	for param := range strings.SplitSeq(params, ";") {
		key, who, _ := strings.Cut(param, "=")
		who = strings.ToLower(strings.TrimSpace(who))
		if strings.EqualFold(strings.TrimSpace(key), "refresher") && (who == "uac" || who == "uas") {
			e.refresher = who
		}
	}
	return e, true
}

// expiresOf returns what msg says in the header of that name, if it does.
func expiresOf(msg gosip.Message, name string) (expires, bool) {
	for _, value := range values(msg, name) {
		return parseExpires(value)
	}
	return expires{}, false
}

func (e expires) header() gosip.Header {
	value := inSeconds(e.interval)
	if e.refresher != "" {
		value += ";refresher=" + e.refresher
	}
	return header("Session-Expires", value)
}

// inSeconds rounds up: an interval must not become shorter than was agreed.
func inSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// timers reports whether this side does session timers at all.
func (s *Server) timers() bool { return s.cfg.SessionExpires > 0 }

func (s *Server) minSE() gosip.Header { return header("Min-SE", inSeconds(s.cfg.MinSessionExpires)) }

// tooShort refuses a request for a session that would have to be refreshed more
// often than this side likes, when the peer knows how to ask again (RFC 4028 §9).
func (s *Server) tooShort(req *gosip.Request) *fault {
	asked, ok := expiresOf(req, "Session-Expires")
	if !ok || !s.timers() || !lists(req, "Supported", "timer") || asked.interval >= s.cfg.MinSessionExpires {
		return nil
	}
	return &fault{status: intervalTooSmall, headers: []gosip.Header{s.minSE()}, what: "Session-Expires"}
}

// grant settles the session timer as the side that answers req, and says so in
// res (RFC 4028 §9). Callers hold mu.
func (c *Call) grant(req *gosip.Request, res *gosip.Response) {
	asked, ok := expiresOf(req, "Session-Expires")
	knows := lists(req, "Supported", "timer") || lists(req, "Require", "timer")
	if !c.s.timers() || !ok && !knows && c.timer.interval == 0 {
		return // nobody but us would know of it
	}
	agreed := expires{interval: c.s.cfg.SessionExpires, refresher: "uas"}
	if c.timer.interval > 0 {
		agreed.interval = c.timer.interval
	}
	least, named := expiresOf(req, "Min-SE")
	if !named && ok {
		least.interval = leastExpires
	}
	agreed.interval = max(agreed.interval, least.interval)
	if ok {
		agreed.interval = min(agreed.interval, asked.interval)
		agreed.interval = max(agreed.interval, c.s.cfg.MinSessionExpires)
	}
	// Table 2: who does not know of timers cannot refresh.
	if knows && asked.refresher != "" {
		agreed.refresher = asked.refresher
	}
	if knows {
		res.AppendHeader(header("Require", "timer"))
	}
	res.AppendHeader(agreed.header())
	c.timer = sessionTimer{interval: agreed.interval, ours: agreed.refresher == "uas"}.refreshed(time.Now())
	c.signal()
}

// wish returns the headers that ask for a session timer in a request of ours that
// opens or refreshes the session (RFC 4028 §7.1, §7.4); t is what was agreed on so
// far, and least what the peer has insisted on.
func (s *Server) wish(t sessionTimer, least time.Duration) []gosip.Header {
	if !s.timers() {
		return nil
	}
	want := expires{interval: max(s.cfg.SessionExpires, least)}
	if t.interval > 0 {
		// §7.4: the roles stay as they are, under the names of this transaction.
		want.interval, want.refresher = t.interval, "uas"
		if t.ours {
			want.refresher = "uac"
		}
	}
	return []gosip.Header{want.header(), header("Min-SE", inSeconds(max(s.cfg.MinSessionExpires, least)))}
}

// granted takes what the peer's 2xx to a request of ours says of the timer
// (RFC 4028 §7.2). Without a word there is none any more. Callers hold mu.
func (c *Call) granted(res *gosip.Response) {
	agreed, ok := expiresOf(res, "Session-Expires")
	if !ok || !c.s.timers() || agreed.interval <= 0 {
		c.timer = sessionTimer{}
		return
	}
	c.timer = sessionTimer{interval: agreed.interval, ours: agreed.refresher != "uas"}.refreshed(time.Now())
	c.signal()
}
