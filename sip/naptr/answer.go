package naptr

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// answer is what is known of a domain, and for how long.
type answer struct {
	records []Record
	err     error
	ttl     time.Duration
}

var (
	errStray     = errors.New("this answers another question")
	errTruncated = errors.New("the answer is truncated")
)

// mostRecords bounds what a domain can make us look up.
const mostRecords = 32

// parse reads the answer to q. It returns errStray when data is none, errTruncated when
// it has to be asked for over TCP, and another error when the server cannot tell.
func parse(data []byte, q *dns.Msg) (answer, error) {
	var m dns.Msg
	if err := m.Unpack(data); err != nil || !m.Response || m.Opcode != dns.OpcodeQuery || m.Id != q.Id || !sameQuestion(m.Question, q.Question) {
		return answer{}, errStray
	}
	switch {
	case m.Truncated:
		return answer{}, errTruncated
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return answer{}, fmt.Errorf("the server says %s", cmp.Or(dns.RcodeToString[m.Rcode], "nothing known"))
	}
	a := records(m.Answer, q.Question[0].Name)
	if len(a.records) == 0 {
		a.ttl = absence(m.Ns)
	}
	return a, nil
}

func sameQuestion(got, want []dns.Question) bool {
	return len(got) == 1 && got[0].Qtype == want[0].Qtype && got[0].Qclass == want[0].Qclass && strings.EqualFold(got[0].Name, want[0].Name)
}

// records returns those of a name in answers, or of what it is another name for.
func records(answers []dns.RR, name string) answer {
	a := answer{ttl: longestLife}
	for _, rr := range answers {
		h := rr.Header()
		if !strings.EqualFold(h.Name, name) || h.Class != dns.ClassINET {
			continue
		}
		switch rr := rr.(type) {
		case *dns.CNAME: // RFC 1034 §4.3.2: before what it leads to
			name = rr.Target
		case *dns.NAPTR:
			if len(a.records) == mostRecords {
				continue
			}
			a.records = append(a.records, Record{
				Order: rr.Order, Preference: rr.Preference, Flags: rr.Flags, Service: rr.Service,
				Regexp: rr.Regexp, Replacement: strings.TrimSuffix(rr.Replacement, "."),
			})
		default:
			continue
		}
		a.ttl = min(a.ttl, time.Duration(h.Ttl)*time.Second)
	}
	slices.SortStableFunc(a.records, func(x, y Record) int {
		return cmp.Or(cmp.Compare(x.Order, y.Order), cmp.Compare(x.Preference, y.Preference))
	})
	return a
}

// absence returns how long it may be believed that there are no records (RFC 2308 §5).
func absence(authority []dns.RR) time.Duration {
	for _, rr := range authority {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(time.Duration(min(soa.Hdr.Ttl, soa.Minttl))*time.Second, longestAbsence)
		}
	}
	return failureLife
}
