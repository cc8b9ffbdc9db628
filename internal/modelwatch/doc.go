// Package modelwatch asks providers, when it starts and daily, whether the models
// in use are about to be shut down. It warns, and shows the dates as metrics;
// nothing else depends on its answers.
//
// [Watch.Run] owns all that the package does; it starts no goroutine. The
// package knows realtime for what a provider is, and neither calls nor legs.
package modelwatch
