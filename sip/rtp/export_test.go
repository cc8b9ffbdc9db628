package rtp

// Tick ticks the session's sender as a pacer that left frames out would.
func Tick(s *Session, skipped int) { s.sender.Tick(skipped) }
