package answering

import (
	"errors"
	"fmt"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// Defaults of [Config].
const (
	DefaultSpeech       = 2400 * time.Millisecond
	DefaultSpeechEnd    = 1200 * time.Millisecond
	DefaultSilence      = 5 * time.Second
	DefaultMessagePause = 2500 * time.Millisecond
	DefaultTimeout      = 30 * time.Second
)

// Config of a [Detector]. Zero durations mean the defaults.
type Config struct {
	Codec media.Codec

	// Speech is how long who answers must speak to be a machine; whoever speaks
	// less, and then waits, is a human. Pauses below SpeechEnd belong to it.
	// 1 s to 6 s, default DefaultSpeech.
	Speech time.Duration
	// SpeechEnd is the silence after which what was said is complete.
	// 500 ms to 5 s, default DefaultSpeechEnd.
	SpeechEnd time.Duration
	// Silence is how long nobody may speak before it stays unknown who has
	// answered. 2 s to 10 s, default DefaultSilence.
	Silence time.Duration
	// MessagePause is the silence that ends a machine's message if no beep does.
	// 500 ms to 10 s, default DefaultMessagePause.
	MessagePause time.Duration
	// Timeout bounds all of it, the machine's message included.
	// 3 s to 59 s, default DefaultTimeout.
	Timeout time.Duration
}

// Bound is what one member of a Config may be.
type Bound struct {
	Name     string
	Value    *time.Duration
	Min, Max time.Duration
	Default  time.Duration
}

// Bounds returns the durations of c with what they may be.
func (c *Config) Bounds() []Bound {
	return []Bound{
		{"speech_threshold", &c.Speech, time.Second, 6 * time.Second, DefaultSpeech},
		{"speech_end_threshold", &c.SpeechEnd, 500 * time.Millisecond, 5 * time.Second, DefaultSpeechEnd},
		{"silence_timeout", &c.Silence, 2 * time.Second, 10 * time.Second, DefaultSilence},
		{"message_pause", &c.MessagePause, 500 * time.Millisecond, 10 * time.Second, DefaultMessagePause},
		{"timeout", &c.Timeout, 3 * time.Second, 59 * time.Second, DefaultTimeout},
	}
}

// Complete sets the defaults, and returns what is out of bounds.
func (c *Config) Complete() error {
	var faults []error
	for _, b := range c.Bounds() {
		if *b.Value == 0 {
			*b.Value = b.Default
		}
		if *b.Value < b.Min || *b.Value > b.Max {
			faults = append(faults, fmt.Errorf("answering: %s %v: must be from %v to %v", b.Name, *b.Value, b.Min, b.Max))
		}
	}
	return errors.Join(faults...)
}
