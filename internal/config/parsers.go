package config

import (
	"net/netip"
	"reflect"
	"time"

	"github.com/callgw/callgw/bridge/media"
)

// parsers reads the values of types that belong to others.
func parsers() map[reflect.Type]func(string) (any, error) {
	return map[reflect.Type]func(string) (any, error){
		reflect.TypeFor[time.Duration](): parseDuration,
		reflect.TypeFor[netip.Prefix]():  parsePrefix,
		reflect.TypeFor[netip.Addr]():    parseAddr,
		reflect.TypeFor[media.Codec]():   parseCodec,
	}
}
