package mediastream

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// departureWait is how long a call that has left us may take to ask where to go.
const departureWait = 10 * time.Second

// departures are where calls go that have left us, by the name that they ask
// with.
type departures struct {
	mu      sync.Mutex
	waiting map[string]*departure
}

type departure struct {
	target string
	asked  chan struct{} // closed when it was
}

// add enters where a call goes; false if it is on its way already.
func (d *departures) add(call, target string) (*departure, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == nil {
		d.waiting = make(map[string]*departure)
	}
	if d.waiting[call] != nil {
		return nil, false
	}
	leaves := &departure{target: target, asked: make(chan struct{})}
	d.waiting[call] = leaves
	return leaves, true
}

// ask returns where a call goes, "" if it is over, and forgets it.
func (d *departures) ask(call string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	leaves := d.waiting[call]
	if leaves == nil {
		return ""
	}
	delete(d.waiting, call)
	close(leaves.asked)
	return leaves.target
}

// cancel forgets a departure that nobody has asked for.
func (d *departures) cancel(call string, leaves *departure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting[call] == leaves {
		delete(d.waiting, call)
	}
}

// departureParameter names, in a peer's request, the call that has left us.
const departureParameter = "call"

// next tells a peer where a call goes on that has left us. The answer is a
// target, and nothing if the call is over.
func (h *Handler) next(w http.ResponseWriter, r *http.Request) {
	if h.cfg.Validate && !h.admit(r) {
		h.refuseSecret(w, r, "Basic")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, h.departures.ask(r.URL.Query().Get(departureParameter))) // a peer that is gone asks no more
}
