package realtime

// RegisterFunction declares a function to the model, beside what it has or in
// place of the one of its name, at any time before or during the session. Calls
// that run already go on with the old one. The server's answer to the new list
// comes as [SessionUpdated]. Faults of f are [OptionError]; other errors are
// [ErrClosed] and [ErrBacklog].
func (s *Session) RegisterFunction(f Function) error {
	compiled, err := f.compile()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return ErrClosed
	}
	if err := s.sendUpdate(Properties{Tools: f.declare(s.props.current().Tools)}); err != nil {
		return err
	}
	s.functions[f.Name] = compiled
	return nil
}

// InterruptFunctions tells the functions that run of an interruption that the
// session cannot see, because the caller's turns are detected elsewhere; see
// [InterruptPolicy].
func (s *Session) InterruptFunctions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.interrupt("")
}
