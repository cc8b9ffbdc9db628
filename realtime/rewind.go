package realtime

// The part of an outbox that has to do with one connection following another.

// detach makes what comes wait for another connection, as long as it takes, and
// forgets the events that made sense to the old one alone.
func (o *outbox) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner = nil
	o.audio.limit = max(o.audio.limit, o.audio.keep)
	deleted := map[string]bool{}
	for _, l := range o.control {
		if l.kind == itemDelete {
			deleted[l.item] = true
		}
	}
	kept := o.control[:0]
	for _, l := range o.control {
		switch {
		case l.kind == itemCreate && !deleted[l.item], l.kind == audioCommit, l.kind == audioClear, l.aside:
			kept = append(kept, l)
		}
	}
	o.control = kept
}

// unsent returns the items whose creation still waits.
func (o *outbox) unsent() map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	items := map[string]bool{}
	for _, l := range o.control {
		if l.kind == itemCreate {
			items[l.item] = true
		}
	}
	return items
}

// attach gives what waits to a connection: first the events that bring it up to
// date, then the caller's audio since the last turn that became an item, what
// of it had left before included.
func (o *outbox) attach(l *link, d Dialect, first []draft) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// A clear that was not answered is obeyed here, a commit is sent again.
	var control []letter
	for _, mark := range o.marks {
		if mark.kind == audioClear {
			o.release(mark.at)
			control = control[:0]
		} else {
			control = append(control, mark)
		}
	}
	o.marks = nil
	o.audio.left = 0
	o.audio.limit = max(o.audio.limit, o.audio.keep)
	o.origin = o.sent()
	begin := make([]letter, 0, len(first))
	for _, draft := range first {
		begin = append(begin, letter{at: o.origin, draft: draft})
	}
	control = append(append(begin, control...), o.control...)
	o.control = control[:0]
	for _, c := range control {
		if msg, err := c.encode(d); err == nil { // it was encoded before, in another dialect at most
			c.msg = msg
			o.control = append(o.control, c)
		}
	}
	o.owner = l
	o.signal()
}

// committed notes that the server has made an item of the audio between two
// positions, and returns a copy of what of it is here.
func (o *outbox) committed(from, to int64) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	to = min(to, o.sent())
	from = max(from, o.kept())
	var audio []byte
	if from < to {
		audio = make([]byte, to-from)
		o.audio.copy(audio, int(from-o.kept()))
	}
	o.release(to)
	return audio
}

// answered takes the oldest unanswered commit or clear, and returns its
// position.
func (o *outbox) answered() (at int64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marks) == 0 {
		return 0, false
	}
	at = o.marks[0].at
	o.marks = o.marks[:copy(o.marks, o.marks[1:])]
	return at, true
}

// release forgets the audio before a position that has left.
func (o *outbox) release(to int64) {
	if n := min(to, o.sent()) - o.kept(); n > 0 {
		o.audio.discard(int(n))
	}
}

// setLull says how much audio is kept that has left, while the server hears
// nobody; 0: as much as may be, for a turn is going on or only we know when.
func (o *outbox) setLull(bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.audio.keep == 0 || o.lull == bytes {
		return
	}
	o.lull = bytes
	if bytes > 0 {
		o.release(o.sent() - int64(bytes))
		o.audio.shrink()
	}
}
