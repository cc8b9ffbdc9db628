package naptr

import (
	"time"

	"github.com/miekg/dns"
)

// Parse reads the answer to a question about a domain. stray says that data is none.
func Parse(data []byte, id uint16, domain string) (records []Record, ttl time.Duration, stray bool, err error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(domain), dns.TypeNAPTR)
	q.Id = id
	a, err := parse(data, q)
	return a.records, a.ttl, err == errStray, err
}
