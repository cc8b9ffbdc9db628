package sip

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// maxMessage bounds a message, headers and body together.
const maxMessage = 64 << 10

// newParser returns sipgo's parser, more tolerant in two ways: white space
// within CSeq may be of any length (RFC 3261 §7.3.1, RFC 4475 §3.1.1.1), and a
// header that makes no sense is kept as text, so that the message can still be
// answered with 400 instead of being lost.
func newParser() *gosip.Parser {
	headers := make(gosip.HeadersParser)
	for name, parse := range maps.All(gosip.DefaultHeadersParser()) {
		headers[name] = lenient(parse)
	}
	headers["cseq"] = lenient(parseCSeq)
	parser := gosip.NewParser(gosip.WithHeadersParsers(headers))
	parser.MaxMessageLength = maxMessage
	return parser
}

func lenient(parse gosip.HeaderParser) gosip.HeaderParser {
	return func(name []byte, value string) (gosip.Header, error) {
		h, err := parse(name, value)
		if err != nil && !isCommaList(err) {
			return gosip.NewHeader(string(name), value), nil
		}
		trim(h)
		return h, err
	}
}

// trim removes the white space that may surround a parameter's name and value
// (RFC 3261 §25.1: SEMI and EQUAL), which the parser leaves.
func trim(h gosip.Header) {
	var params gosip.HeaderParams
	switch h := h.(type) {
	case *gosip.ViaHeader:
		params = h.Params
	case *gosip.FromHeader:
		params = h.Params
	case *gosip.ToHeader:
		params = h.Params
	case *gosip.ContactHeader:
		params = h.Params
	}
	for i, p := range params {
		params[i] = gosip.HeaderKV{K: strings.TrimSpace(p.K), V: strings.TrimSpace(p.V)}
	}
}

// isCommaList recognises the error by which a parser of sipgo says that another
// value follows after a comma. Its type is not exported.
func isCommaList(err error) bool { return err.Error() == "comma detected" }

func parseCSeq(name []byte, value string) (gosip.Header, error) {
	fields := strings.Fields(value)
	if len(fields) != 2 {
		return gosip.NewHeader(string(name), value), nil
	}
	// RFC 3261 §8.1.1.5: less than 2**31.
	n, err := strconv.ParseUint(fields[0], 10, 31)
	if err != nil {
		return nil, err
	}
	return &gosip.CSeqHeader{SeqNo: uint32(n), MethodName: gosip.RequestMethod(fields[1])}, nil
}

// salvage reads the headers of a request whose first line makes no sense, so
// that it can be refused: 416 when only the scheme of its URI is strange
// (RFC 3261 §8.2.2.1), else 400. ok is false for what was never a request.
func salvage(parser *gosip.Parser, data []byte) (req *gosip.Request, status int, ok bool) {
	line, rest, found := bytes.Cut(data, []byte("\r\n"))
	method, uri, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	if !found || !strings.HasSuffix(strings.TrimSpace(uri), "SIP/2.0") || !isToken(method) {
		return nil, 0, false
	}
	msg, err := parser.ParseSIP(slices.Concat([]byte(method+" sip:salvaged.invalid SIP/2.0\r\n"), rest))
	req, ok = msg.(*gosip.Request)
	if err != nil || !ok {
		return nil, 0, false
	}
	scheme, _, colon := strings.Cut(uri, ":")
	if colon && isToken(scheme) && scheme != "sip" && scheme != "sips" {
		return req, 416, true
	}
	return req, gosip.StatusBadRequest, true
}

// isToken reports whether s is a token (RFC 3261 §25.1).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("-.!%*_+`'~", rune(c)) {
			return false
		}
	}
	return s != ""
}
