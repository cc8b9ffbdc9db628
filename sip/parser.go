package sip

import (
	"maps"
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
		return h, err
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
