package config

import "net"

// Admin is for operators only: API, metrics, health.
type Admin struct {
	// Listen is where. Default "127.0.0.1:9090".
	Listen Address `yaml:"listen"`
	// Token is what requests carry as bearer. Required unless Listen is
	// loopback.
	Token Secret `yaml:"token"`
}

// SetDefaults sets the defaults.
func (a *Admin) SetDefaults() { a.Listen = "127.0.0.1:9090" }

func (a *Admin) check(k *checker, public Address) {
	if a.Token == "" && !a.Listen.loopback() {
		k.fail("admin.token", "missing, and "+k.quote("admin.listen", string(a.Listen))+" is reached from elsewhere", "set a token, or listen on 127.0.0.1")
	}
	if sameSocket(a.Listen, public) {
		k.fail("admin.listen", k.quote("admin.listen", string(a.Listen))+" is the address of http.listen too", "use a port of its own")
	}
}

// sameSocket tells whether both listen on the same port of the same address.
func sameSocket(a, b Address) bool {
	hostA, portA, errA := net.SplitHostPort(string(a))
	hostB, portB, errB := net.SplitHostPort(string(b))
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	every := func(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }
	return hostA == hostB || every(hostA) || every(hostB)
}
