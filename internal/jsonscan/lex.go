package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math"
)

// space returns the offset of the first byte at or after i that is not white
// space (RFC 8259 §2).
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// text finds the end of a string: i is behind the opening quote, end is the
// offset of the closing one, or of the fault when ok is false.
func text(b []byte, i int) (end int, escaped, ok bool) {
	n := bytes.IndexByte(b[i:], '"')
	if n < 0 {
		return len(b), false, false
	}
	if run := b[i : i+n]; bytes.IndexByte(run, '\\') < 0 && !hasControl(run) {
		return i + n, false, true
	}
	return slowText(b, i)
}

// slowText is text for strings with escapes and faults.
func slowText(b []byte, i int) (end int, escaped, ok bool) {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			return i, escaped, true
		case c < ' ':
			return i, escaped, false
		case c != '\\':
			i++
			continue
		}
		escaped = true
		if i++; i == len(b) {
			break
		}
		switch b[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i++
		case 'u':
			for range 4 {
				if i++; i == len(b) || !isHex(b[i]) {
					return i, escaped, false
				}
			}
			i++
		default:
			return i, escaped, false
		}
	}
	return i, escaped, false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// hasControl tells whether a byte below 0x20 is in b, eight bytes at a time:
// subtracting 0x20 from each sets the high bit of those that are smaller, and
// of some that had it set before, which the complement takes out.
func hasControl(b []byte) bool {
	const low, high = 0x2020202020202020, 0x8080808080808080
	var found uint64
	for len(b) >= 32 {
		w0 := binary.LittleEndian.Uint64(b)
		w1 := binary.LittleEndian.Uint64(b[8:])
		w2 := binary.LittleEndian.Uint64(b[16:])
		w3 := binary.LittleEndian.Uint64(b[24:])
		found |= (w0 - low) &^ w0
		found |= (w1 - low) &^ w1
		found |= (w2 - low) &^ w2
		found |= (w3 - low) &^ w3
		b = b[32:]
	}
	if found&high != 0 {
		return true
	}
	for _, c := range b {
		if c < ' ' {
			return true
		}
	}
	return false
}

// number finds the end of a number (RFC 8259 §6) that begins at i. Without one
// it returns the offset of the fault, which is i if not even a sign is there.
func number(b []byte, i int) (end int, ok bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	default:
		if i, ok = digits(b, i); !ok {
			return i, false
		}
	}
	if i < len(b) && b[i] == '.' {
		if i, ok = digits(b, i+1); !ok {
			return i, false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i, ok = digits(b, i); !ok {
			return i, false
		}
	}
	return i, true
}

func digits(b []byte, i int) (end int, ok bool) {
	start := i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i, i > start
}

// integer returns the value of a valid number.
func integer(b []byte) (int64, error) {
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' { // a fraction or an exponent
			return 0, ErrType
		}
		d := uint64(c - '0')
		if n > (math.MaxInt64+1-d)/10 {
			return 0, ErrRange
		}
		n = n*10 + d
	}
	if negative {
		return -int64(n), nil
	}
	if n > math.MaxInt64 {
		return 0, ErrRange
	}
	return int64(n), nil
}
