package config

// Log says what is logged to standard error, and how.
type Log struct {
	// Level is the least that is logged. At info and above numbers are masked.
	// Default info.
	Level string `yaml:"level" oneof:"trace debug info warn error"`
	// Format is for people (console) or programs (json). Default auto: console
	// on a terminal, else json.
	Format string `yaml:"format" oneof:"auto console json"`
}

// SetDefaults sets the defaults.
func (l *Log) SetDefaults() { *l = Log{Level: "info", Format: "auto"} }
