// Package wav reads and writes telephone audio as WAV files: what greetings are
// configured as and what a scripted phone speaks and records. It is pure.
package wav
