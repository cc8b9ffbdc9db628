package config

import (
	"github.com/callgw/callgw/bridge/media"
	"github.com/callgw/callgw/internal/config/strict"
)

// parseCodec reads the name of a codec.
func parseCodec(s string) (any, error) {
	codec, err := media.ParseCodec(s)
	if err != nil {
		return nil, &strict.ValueError{Problem: "is not a codec that callgw speaks", Remedy: "use pcmu or pcma"}
	}
	return codec, nil
}
