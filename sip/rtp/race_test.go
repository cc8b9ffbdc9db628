//go:build race

package rtp

// raced: the race detector has sync.Pool lose things, which then are allocated.
const raced = true
