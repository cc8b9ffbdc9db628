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
	if err := s.cfg.validate(wanted); err != nil {
		return err
	}
	return s.sendUpdate(p)
}

// sendUpdate sends what p changes; without a connection it waits for the next
// one. The caller holds mu.
func (s *Session) sendUpdate(p Properties) error {
	if s.link == nil {
		s.props.pending = append(s.props.pending, change{Properties: p})
		return nil
	}
	d, ok := s.update(p)
	if !ok {
		return nil
	}
	if err := s.post(d); err != nil {
		return err
	}
	s.props.pending = append(s.props.pending, change{d.id, p})
	return nil
}

// update drafts session.update of what p changes, if anything. The caller holds
// mu.
func (s *Session) update(p Properties) (draft, bool) {
	have, dialect := s.props.current(), s.provider().Dialect
	diff := difference(have.session(dialect), have.Merge(p).session(dialect))
	if len(diff) == 0 {
		return draft{}, false
	}
	return s.draft(sessionUpdate, constant("session", sessionMember(dialect, diff))), true
}

// settings are what a session was asked to be: the properties that the server
// has confirmed, and the changes that it has not answered yet, oldest first.
type settings struct {
	base    Properties
	pending []change
}

type change struct {
	id string // of its session.update
	Properties
}

// current returns the properties with all that is under way. They are not to be
// changed.
func (s *settings) current() *Properties {
	if len(s.pending) == 0 {
		return &s.base
	}
	return s.merged()
}

func (s *settings) merged() *Properties {
	p := s.base
	for _, c := range s.pending {
		p = p.Merge(c.Properties)
	}
	return &p
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
