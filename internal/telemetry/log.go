// Package telemetry makes the logger and the metrics registry that the parts of
// a gateway are given. It keeps no globals.
package telemetry

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// LogConfig says how to log.
type LogConfig struct {
	Level  string // trace, debug, info, warn or error; default info
	Format string // auto, console or json; default auto: console on a terminal
	Out    io.Writer
}

// NewLogger returns the logger that cfg describes.
func NewLogger(cfg LogConfig) (zerolog.Logger, error) {
	level := zerolog.InfoLevel
	if cfg.Level != "" {
		l, err := zerolog.ParseLevel(cfg.Level)
		if err != nil || l < zerolog.TraceLevel || l > zerolog.ErrorLevel {
			return zerolog.Nop(), fmt.Errorf("telemetry: log level %q: trace, debug, info, warn or error is needed", cfg.Level)
		}
		level = l
	}
	out := cfg.Out
	switch cfg.Format {
	case "json":
	case "console":
		out = console(out)
	case "", "auto":
		if terminal(out) {
			out = console(out)
		}
	default:
		return zerolog.Nop(), fmt.Errorf("telemetry: log format %q: auto, console or json is needed", cfg.Format)
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger(), nil
}

func console(out io.Writer) io.Writer {
	return zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly, NoColor: !terminal(out)}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	s, err := f.Stat()
	return err == nil && s.Mode()&os.ModeCharDevice != 0
}
