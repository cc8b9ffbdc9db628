package media

// Digit is one DTMF key: '0' to '9', '*', '#' or 'A' to 'D'.
type Digit byte

// digits in the order of their RFC 4733 §3.2 event codes.
const digits = "0123456789*#ABCD"

// ParseDigit returns the digit that c names; lower-case letters are accepted.
func ParseDigit(c byte) (Digit, bool) {
	if 'a' <= c && c <= 'd' {
		c -= 'a' - 'A'
	}
	for i := range len(digits) {
		if digits[i] == c {
			return Digit(c), true
		}
	}
	return 0, false
}

// DigitOf returns the digit of an RFC 4733 §3.2 event code, 0 to 15.
func DigitOf(event uint8) (Digit, bool) {
	if int(event) >= len(digits) {
		return 0, false
	}
	return Digit(digits[event]), true
}

// Event returns the digit's RFC 4733 §3.2 event code.
func (d Digit) Event() (uint8, bool) {
	for i := range len(digits) {
		if digits[i] == byte(d) {
			return uint8(i), true
		}
	}
	return 0, false
}

// String returns the digit as a one-character string.
func (d Digit) String() string { return string(rune(d)) }
