package mediastream

import "net/url"

// generic is Twilio's protocol for programs, and for a phone in the browser:
// without a webhook, as the call begins with the socket. start.customParameters
// say who calls whom (from, to) and whatever the dialplan is to know; the shared
// secret is a bearer token, or the parameter token for peers that cannot set
// headers, where a ticket does as well. A connected message may come first. What
// the peer can do besides stands in start.capabilities.
func generic() *profile {
	p := twilio()
	p.name = "generic"
	p.born, p.late = true, true
	p.connected = false
	p.kinds = p.kinds[:0:0]
	for _, k := range twilio().kinds {
		if k.event != eventConnected {
			p.kinds = append(p.kinds, k)
		}
	}
	p.kinds = append(p.kinds, kind{"transferred", eventTransferred}, kind{"transfer_failed", eventTransferFailed})
	p.names.transfer, p.names.capabilities = "transfer", "capabilities"
	p.capable = true
	p.transfer, p.credentials = transferByProgram, ""
	p.outHangup = `{"event":"hangup","streamSid":$stream}`
	p.readStart = func(m *message) (start, error) {
		st, err := p.readTwilioStart(m)
		st.params = make(url.Values)
		for name, value := range st.parameters {
			if name != sharedParameter {
				st.params.Set(name, value)
			}
		}
		return st, err
	}
	p.voice, p.status, p.after = "", "", ""
	return p.prefixed()
}
