package realtime

import (
	"errors"
	"strings"
)

// Update merges p into the session's properties, see [Properties.Merge], and
// sends the difference; nothing if there is none. The server's answer comes as
// [SessionUpdated]; if it is a refusal, an [ErrorEvent], nothing of p applies,
// except that a refused voice is taken out and the rest sent again. Formats and
// Tools aside, what a session can change is in the provider's hands.
func (s *Session) Update(p Properties) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return ErrClosed
	}
	have := s.props.current()
	wanted := have.Merge(p)
	if wanted.InputAudioFormat != have.InputAudioFormat || wanted.OutputAudioFormat != have.OutputAudioFormat {
		return errors.New("realtime: audio formats are fixed when a session is made")
	}
	if err := wanted.Validate(s.cfg.Provider.Dialect); err != nil {
		return err
	}
	return s.sendUpdate(p)
}

// sendUpdate sends what p changes. The caller holds mu.
func (s *Session) sendUpdate(p Properties) error {
	if !s.props.begun {
		s.props.base = s.props.base.Merge(p)
		return nil
	}
	d := s.cfg.Provider.Dialect
	have := s.props.current()
	diff := difference(have.session(d), have.Merge(p).session(d))
	if len(diff) == 0 {
		return nil
	}
	event := s.newEvent(sessionUpdate).with("session", sessionMember(d, diff))
	if err := s.post(event); err != nil {
		return err
	}
	s.props.pending = append(s.props.pending, change{event.id(), p})
	return nil
}

// settings are what a session was asked to be: the properties that the server
// has confirmed, and the changes that it has not answered yet, oldest first.
type settings struct {
	base    Properties
	begun   bool // the first session.update, which carries base, has gone
	pending []change
}

type change struct {
	id string // of its session.update
	Properties
}

// begin notes that the first session.update goes out.
func (s *settings) begin() { s.begun = true }

// abandon notes that the session did not open: all that was asked of it will be
// part of the next one's first session.update.
func (s *settings) abandon() { s.base, s.pending, s.begun = s.current(), nil, false }

// current returns the properties with all that is under way.
func (s *settings) current() Properties {
	p := s.base
	for _, c := range s.pending {
		p = p.Merge(c.Properties)
	}
	return p
}

// confirm notes a session.updated. It does not say which update it answers, but
// they are answered in order.
func (s *settings) confirm() {
	if len(s.pending) == 0 {
		return
	}
	s.base = s.base.Merge(s.pending[0].Properties)
	s.pending = s.pending[1:]
}

// refused takes back the change that an error answers, and returns what of it
// to try again. Some errors do not say which event they answer, only which
// member.
func (s *settings) refused(e ErrorDetail) (retry Properties, ok bool) {
	for i, c := range s.pending {
		if e.EventID != c.id && !(e.EventID == "" && strings.HasPrefix(e.Param, "session.")) {
			continue
		}
		s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
		if e.Code == "cannot_update_voice" && c.Voice != "" {
			// The voice is locked once it has been heard, and the server has
			// refused the whole update for it.
			c.Voice = ""
			return c.Properties, true
		}
		return Properties{}, false
	}
	return Properties{}, false
}
