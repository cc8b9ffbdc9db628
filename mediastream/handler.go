package mediastream

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/callgw/callgw/internal/errands"
)

// Handler takes a carrier's requests and makes streams of them.
type Handler struct {
	cfg        Config
	profile    *profile
	tokens     tokens
	calls      tokens        // out, by the reference in their status callbacks
	tickets    tickets       // of peers that must not know the secret
	errands    errands.Group // hang-ups at the carrier, and the like
	departures departures
	rare       zerolog.Logger // for what strangers cause: a few lines a minute
	arrivals   chan *Stream
	drain      chan struct{} // closed by Drain

	mu       sync.Mutex
	draining bool
	closed   bool               // Run has ended
	streams  map[string]*Stream // by the carrier's call id, from webhook to end
	settled  settled
	opening  map[*socket]bool // sockets before their start
	openings sync.WaitGroup   // of opening's goroutines; Add under mu
}

// NewHandler returns a handler. Errors name what is wrong with cfg.
func NewHandler(cfg Config) (*Handler, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	profile, err := cfg.Carrier.profile()
	if err != nil {
		return nil, fmt.Errorf("mediastream: %w", err)
	}
	cfg.AuthTokens = slices.Clone(cfg.AuthTokens)
	return &Handler{
		cfg:      cfg,
		profile:  profile,
		rare:     cfg.Log.Sample(&zerolog.BurstSampler{Burst: 5, Period: time.Minute}),
		arrivals: make(chan *Stream),
		drain:    make(chan struct{}),
		streams:  make(map[string]*Stream),
		opening:  make(map[*socket]bool),
	}, nil
}

// Register adds the carrier's endpoints to mux. The server's write timeout must
// be longer than Config.AnswerTimeout.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+h.profile.media, h.media)
	if h.profile.tokenInPath {
		mux.HandleFunc("GET "+h.profile.media+"/{"+tokenSegment+"}", h.media)
	}
	if h.profile.late {
		mux.HandleFunc("POST /"+h.profile.name+"/ticket", h.ticket)
	}
	if h.profile.next != "" {
		mux.HandleFunc("GET "+h.profile.next, h.next)
	}
	if h.profile.born {
		return
	}
	mux.HandleFunc("POST "+h.profile.voice, h.voice)
	mux.HandleFunc("GET "+h.profile.voice, h.voice)
	mux.HandleFunc("POST "+h.profile.status, h.status)
	mux.HandleFunc("POST "+h.profile.after, h.after)
	if h.profile.dial != "" {
		mux.HandleFunc("POST "+h.profile.dial, h.dial)
	}
}

// Run carries the calls. When ctx ends, so do they, for its cause; after Drain,
// it waits for them. It returns when the last one is gone, and must be running
// for calls to be taken.
func (h *Handler) Run(ctx context.Context) error {
	var calls sync.WaitGroup
	defer func() {
		calls.Wait()
		h.close()
		h.errands.Wait()
		if h.cfg.REST != nil {
			h.cfg.REST.CloseIdleConnections()
		}
		if h.cfg.API != nil {
			h.cfg.API.CloseIdleConnections()
		}
	}()
	for {
		select {
		case s := <-h.arrivals:
			calls.Go(func() {
				defer h.forget(s)
				defer s.abandon()
				if s.placed != nil {
					s.placed.handler(ctx, s)
					return
				}
				h.cfg.Handler(ctx, s)
			})
		case <-h.drain:
			return nil
		case <-ctx.Done():
			h.Drain()
			return nil
		}
	}
}

// Drain refuses new calls as busy; those that exist go on.
func (h *Handler) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.draining {
		h.draining = true
		close(h.drain)
	}
}

func (h *Handler) isDraining() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.draining
}

// close cuts the sockets that have not become streams and waits for them.
func (h *Handler) close() {
	h.mu.Lock()
	h.closed = true
	for sock := range h.opening {
		_ = sock.Close()
	}
	h.mu.Unlock()
	h.openings.Wait()
}

// remember enters s among the streams. It returns false if the call has a
// stream already; one that still rings makes way, as the carrier asks again
// only after it has given up the first request, unless it tells by events, which
// may come twice; and so does one that the call was transferred from. Nor may it
// be a call that is over.
func (h *Handler) remember(s *Stream) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.settled.over(s.call, s.returned) {
		return false
	}
	if old := h.streams[s.call]; old != nil {
		switch {
		case s.returned && old.isBack(), s.profile.eventful:
			return false
		case s.returned:
			old.end(errTransferred)
		case old.ringing():
			old.end(errSuperseded)
		default:
			return false
		}
	}
	h.streams[s.call] = s
	return true
}

func (h *Handler) forget(s *Stream) {
	if s.isAnswered() {
		h.settle(s)
	}
	if s.placed != nil {
		s.placed.revoke()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[s.call] == s {
		delete(h.streams, s.call)
	}
}

// stream returns the stream of the carrier's call id, or nil.
func (h *Handler) stream(call string) *Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams[call]
}

// authentic tells whether r was signed as a request to target, which begins
// with the public URL, with these parameters or this body.
func (h *Handler) authentic(r *http.Request, target string, form url.Values, body []byte) bool {
	return !h.cfg.Validate || h.profile.requests.signed(h.cfg.AuthTokens, r, target, form, body)
}

// tokenSegment is the name of the path's segment that is the token.
const tokenSegment = "token"

// target returns what follows the origin in the URL that the carrier asked
// for, byte for byte, as it is signed.
func target(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// reject counts a refused request.
func (h *Handler) reject(r *http.Request, reason string) {
	h.cfg.Metrics.rejected[reason].Inc()
	path := r.URL.Path
	if token := r.PathValue(tokenSegment); token != "" { // which may still be good
		path = strings.TrimSuffix(path, token)
	}
	if reason != rejectSignature && reason != rejectAccount {
		h.cfg.Log.Debug().Str("path", path).Str("remote", r.RemoteAddr).Str("reason", reason).
			Msg("request refused")
		return
	}
	// The commonest mistakes of a first call; anybody can cause them, though.
	h.rare.Warn().Str("url", h.cfg.origin()+path).Str("remote", r.RemoteAddr).Str("reason", reason).
		Msg("request refused: the public URL, the token or the account is not what the carrier uses")
}
