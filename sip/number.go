package sip

import "strings"

// E164 writes a number in the form of E.164, "+" and the country code first, when
// it is one that begins as numbers are dialled in the country with that code:
//
//	+49 30 123456   +4930123456    as it is, without separators
//	0049 30 123456  +4930123456    00, and in country 1 011, is international
//	030 123456      +4930123456    0 is national; in country 1 ten digits are
//	4930123456      +4930123456    with the code, 10 to 15 digits
//
// Everything else, such as a PBX's extension, a short code or a name, stays as it
// is; so does everything when country is "".
func E164(number, country string) string {
	if country == "" {
		return number
	}
	digits := strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "").Replace(number)
	if rest, ok := strings.CutPrefix(digits, "+"); ok && isDigits(rest) {
		return digits
	}
	if !isDigits(digits) {
		return number
	}
	international, national := "00", "0"
	if country == "1" {
		international, national = "011", ""
		if len(digits) == 10 {
			return "+1" + digits
		}
	}
	if rest, ok := strings.CutPrefix(digits, international); ok && len(rest) >= 7 {
		return "+" + rest
	}
	if rest, ok := strings.CutPrefix(digits, national); ok && national != "" && len(rest) >= 4 {
		return "+" + country + rest
	}
	if strings.HasPrefix(digits, country) && len(digits) >= 10 && len(digits) <= 15 {
		return "+" + digits
	}
	return number
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
