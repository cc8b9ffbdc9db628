package sip

import "bytes"

// scanners are how programs that look for open gateways name themselves, in lower
// case.
var scanners = [][]byte{
	[]byte("friendly-scanner"), []byte("friendly-request"), []byte("sipvicious"), []byte("sundayddr"),
	[]byte("sip-scan"), []byte("sipsak"), []byte("sipcli"), []byte("sivus"), []byte("iwar"), []byte("smap"),
	[]byte("gulp"), []byte("pplsip"), []byte("vaxsipuseragent"), []byte("sipptk"),
}

// maxHeaders bounds the header lines of a message.
const maxHeaders = 256

// isScanner reports whether the User-Agent of a message names a scanner. It is asked
// of strangers' messages before they are parsed.
func isScanner(message []byte) bool {
	for line := range bytes.Lines(message) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if len(bytes.TrimSpace(line)) == 0 {
			return false // the body
		}
		if !ok || !bytes.EqualFold(bytes.TrimSpace(name), []byte("User-Agent")) {
			continue
		}
		return namesScanner(value)
	}
	return false
}

// namesScanner reads the first of a product's name: those that look for gateways by
// the thousand have no longer ones.
func namesScanner(product []byte) bool {
	var lower [128]byte
	n := copy(lower[:], product)
	for i, c := range lower[:n] {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	for _, s := range scanners {
		if bytes.Contains(lower[:n], s) {
			return true
		}
	}
	return false
}

// headerLines counts the header lines of a message, up to one more than is allowed.
func headerLines(message []byte) int {
	n := -1 // the start line
	for line := range bytes.Lines(message) {
		if len(bytes.TrimSpace(line)) == 0 || n > maxHeaders {
			break
		}
		n++
	}
	return n
}
