package jsonscan

import (
	"errors"
	"fmt"
)

// MaxDepth is how deep values may nest below the members of the scanned object.
const MaxDepth = 64

// What ends a scan. Errors carry the offset and match with [errors.Is].
var (
	ErrSyntax  = errors.New("not valid JSON")
	ErrType    = errors.New("value of another type")
	ErrRange   = errors.New("number out of range")
	ErrEscaped = errors.New("string with escapes")
	ErrDepth   = errors.New("nested too deep")
)

// Scanner walks the members of one JSON object. Its zero value is empty; Reset
// gives it a message. What it returns is borrowed from the message and lives as
// long as the message does. A Scanner is not safe for concurrent use.
type Scanner struct {
	msg   []byte
	pos   int // of the current value while pending, else behind it
	key   []byte
	err   error
	stage stage
}

type stage uint8

const (
	before  stage = iota // nothing read yet
	pending              // a member's value waits at pos
	between              // its value has been read
	done                 // the object, or the scan, has ended
)

// Reset starts over with msg, which must be one object and nothing else.
func (s *Scanner) Reset(msg []byte) { *s = Scanner{msg: msg} }

// Next goes to the next member, past the value of the current one if that was
// not read. It returns false at the end of the object or at a fault: see Err.
func (s *Scanner) Next() bool {
	switch s.stage {
	case done:
		return false
	case before:
		s.pos = space(s.msg, 0)
		if !s.take('{') {
			return s.fail(ErrSyntax)
		}
		s.pos = space(s.msg, s.pos)
		if s.take('}') {
			return s.finish()
		}
		return s.member()
	case pending:
		if s.Raw(); s.err != nil {
			return false
		}
	}
	s.pos = space(s.msg, s.pos)
	if s.take(',') {
		s.pos = space(s.msg, s.pos)
		return s.member()
	}
	if s.take('}') {
		return s.finish()
	}
	return s.fail(ErrSyntax)
}

// Key returns the name of the current member.
func (s *Scanner) Key() []byte { return s.key }

// Err returns what ended the scan early, or nil.
func (s *Scanner) Err() error { return s.err }

// Raw reads the current value, whatever it is, as it stands in the message.
func (s *Scanner) Raw() []byte {
	if s.stage != pending {
		return nil
	}
	start := s.pos
	end, err := skip(s.msg, start)
	s.pos = end
	if err != nil {
		s.fail(err)
		return nil
	}
	s.stage = between
	return s.msg[start:end:end]
}

// Bytes reads the current value, a string without escapes, and returns what
// stands between its quotes.
func (s *Scanner) Bytes() []byte {
	if s.stage != pending || s.null() {
		return nil
	}
	if !s.at('"') {
		s.fail(ErrType)
		return nil
	}
	start := s.pos + 1
	end, escaped, ok := text(s.msg, start)
	switch {
	case !ok:
		s.pos = end
		s.fail(ErrSyntax)
		return nil
	case escaped:
		s.fail(ErrEscaped)
		return nil
	}
	s.pos, s.stage = end+1, between
	return s.msg[start:end:end]
}

// Int reads the current value, an integer written without fraction or exponent.
func (s *Scanner) Int() int64 {
	if s.stage != pending || s.null() {
		return 0
	}
	start := s.pos
	end, ok := number(s.msg, start)
	if !ok {
		if end == start { // does not begin like a number
			s.fail(ErrType)
		} else {
			s.pos = end
			s.fail(ErrSyntax)
		}
		return 0
	}
	n, err := integer(s.msg[start:end])
	if err != nil {
		s.fail(err)
		return 0
	}
	s.pos, s.stage = end, between
	return n
}

// LooseInt reads the current value, an integer as number or in a string:
// Twilio writes "4", servers that imitate it write 4. An empty string is 0.
func (s *Scanner) LooseInt() int64 {
	if s.stage != pending || !s.at('"') {
		return s.Int()
	}
	start := s.pos
	digits := s.Bytes()
	if len(digits) == 0 {
		return 0
	}
	end, ok := number(digits, 0)
	if !ok || end != len(digits) {
		s.pos = start
		s.fail(ErrType)
		return 0
	}
	n, err := integer(digits)
	if err != nil {
		s.pos = start
		s.fail(err)
	}
	return n
}

// Object reads the current value, an object, and returns a scanner of its
// members. The value has been checked to its end: only what is asked of the
// returned scanner can still fail. Null is an object without members.
func (s *Scanner) Object() Scanner {
	if s.stage != pending || s.null() {
		return Scanner{stage: done}
	}
	if !s.at('{') {
		s.fail(ErrType)
		return Scanner{stage: done}
	}
	object := s.Raw()
	if s.err != nil {
		return Scanner{stage: done}
	}
	return Scanner{msg: object}
}

// Peek returns the string under the first member of that name in msg, nil if
// there is none. What stands behind that member is not looked at.
func Peek(msg []byte, key string) ([]byte, error) {
	var s Scanner
	s.Reset(msg)
	for s.Next() {
		if string(s.Key()) == key {
			value := s.Bytes()
			return value, s.Err()
		}
	}
	return nil, s.Err()
}

// member reads a name and its colon; the value is left pending.
func (s *Scanner) member() bool {
	if !s.take('"') {
		return s.fail(ErrSyntax)
	}
	start := s.pos
	end, escaped, ok := text(s.msg, start)
	switch {
	case !ok:
		s.pos = end
		return s.fail(ErrSyntax)
	case escaped:
		return s.fail(ErrEscaped)
	}
	s.key = s.msg[start:end:end]
	s.pos = space(s.msg, end+1)
	if !s.take(':') {
		return s.fail(ErrSyntax)
	}
	s.pos = space(s.msg, s.pos)
	s.stage = pending
	return true
}

// null reads the current value if it is null.
func (s *Scanner) null() bool {
	if !s.at('n') {
		return false
	}
	s.Raw()
	return true
}

func (s *Scanner) at(c byte) bool { return s.pos < len(s.msg) && s.msg[s.pos] == c }

func (s *Scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.pos++
	return true
}

// finish ends the scan behind the closing brace: nothing may follow.
func (s *Scanner) finish() bool {
	if s.pos = space(s.msg, s.pos); s.pos != len(s.msg) {
		return s.fail(ErrSyntax)
	}
	s.key, s.stage = nil, done
	return false
}

func (s *Scanner) fail(cause error) bool {
	s.err = fmt.Errorf("jsonscan: offset %d: %w", s.pos, cause)
	s.key, s.stage = nil, done
	return false
}
