// Package pacer gives many calls their 20 ms clock.
//
// A [Pacer] has a few shards; a shard is one goroutine with 20 slots of 1 ms,
// so that the calls of a shard spread over the frame instead of sending all at
// once. Every slot has an absolute schedule, start + n × 20 ms: lateness of one
// tick never moves the next. A pacer that falls more than two frames behind
// leaves frames out and says how many; it does not burst to catch up.
//
// The package is a leaf above bridge/media and knows nothing of calls. Its
// goroutines belong to [Pacer.Run]. Ticks allocate nothing, and no lock is held
// while a task runs except the task's own.
package pacer
