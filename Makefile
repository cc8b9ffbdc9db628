# callgw. `make` lists the targets.

# Tools, pinned; they run from the module cache and are no dependencies of callgw.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# How long each fuzz target runs in `make test`.
FUZZTIME ?= 3s

.DEFAULT_GOAL := help
.PHONY: help demo test build fmt vet lint race peers interop fuzz bench clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## two calls, by SIP and by media stream, over loopback, without any key
	go run ./cmd/callgw demo --once

test: peers vet lint race fuzz ## all that must pass

build: ## bin/callgw, static
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/callgw ./cmd/callgw

fmt: ## format the code
	go run $(GOFUMPT) -w .

vet: ## go vet
	go vet ./...

lint: ## gofumpt and staticcheck
	@test -z "$$(go run $(GOFUMPT) -l . | tee /dev/stderr)" || { echo "not formatted: run make fmt" >&2; exit 1; }
	go run $(STATICCHECK) ./...

race: ## unit, protocol, end-to-end and peer tests under the race detector
	go test -race -timeout 15m $$(go list ./... | grep -v -e /cmd/ -e /test/)
	go test -race -timeout 15m -p 1 ./cmd/... ./test/... # in real time, one after the other

peers: ## install the SIP peers that the tests call (Debian)
	@sh test/peers.sh

interop: peers ## docs/interop.md, from a run against the SIP peers
	go test -count 1 ./test/interop -args -matrix $(CURDIR)/docs/interop.md

fuzz: ## each fuzz target for FUZZTIME
	@sh test/fuzz.sh $(FUZZTIME)

bench: ## time and allocations per frame, calls in parallel with CPU per call
	go test -run '^$$' -bench . -benchmem ./bridge/... ./internal/... ./mediastream/... ./realtime/... ./sip/...
	go test -run '^$$' -bench . -benchtime 1x ./test/load

clean: ## remove what was built
	rm -rf bin dist
