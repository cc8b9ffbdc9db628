// Package load measures what many calls at a time cost the gateway: processor
// time per second of call, memory per call, and whether the audio stays whole.
//
//	go test -run '^$' -bench . -benchtime 1x ./test/load
//
// The gateway runs in the benchmark's process alone. The callers and the provider
// are a second process, the same binary started once more, so that what is
// measured is the gateway's own: user and system time of its process (getrusage),
// live heap and stacks after a collection. Kernel memory, such as the buffers of
// sockets, is not part of it. Both processes share the machine: with few cores
// the callers compete with the gateway for them, which shows in lateness and
// underruns before it shows in processor time.
//
// Every call speaks and is spoken to in turn, the agent somewhat more than half
// of the time, and every third reply is interrupted. Sockets to the provider and
// from the carrier are plain WebSockets: TLS is not included.
//
// BenchmarkSetUp is about beginnings: -load.rate calls per second for -load.storm.
// BenchmarkFull is about those that calls.max refuses.
//
// Nothing here passes or fails by a figure; a call that is not answered, or is
// refused otherwise than it should be, fails.
package load
