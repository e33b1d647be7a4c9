# Ringmaster. `make` builds; README.md says what the other targets do.

# One line per shell, which ends at the first error, and no target that stays half-made.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

GO ?= go
# Tools of the build live here; nothing is installed elsewhere.
TOOLS := $(CURDIR)/.tools
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
DLV_VERSION := v1.27.2
DLV := $(TOOLS)/dlv-$(DLV_VERSION)

# A tag, or a tag and what came after it; a checkout without git is "unknown".
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILD := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X ringmaster/proto/phonewire.Version=$(VERSION)'

# The race detector needs cgo, which needs a C compiler.
RACE := $(shell command -v "$$($(GO) env CC)" >/dev/null 2>&1 && echo -race)

.PHONY: build demo test check interop chaos bench examples generate clean

build:
	mkdir -p bin
	$(BUILD) -o bin/ ./cmd/supervisor ./cmd/phoneworker

# Two phones call each other on this machine alone.
demo: build
	bin/supervisor demo

# -count=1: tests that run other programs must not be answered from the cache.
test:
	$(GO) test $(RACE) -count=1 -timeout 280s ./...

check: $(GOLANGCI)
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GOLANGCI) run ./...
	$(GO) test -count=1 ./tests/floors
	$(GO) run ./tools/protogen -check

$(GOLANGCI):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(DLV):
	mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= CGO_ENABLED=0 $(GO) install github.com/go-delve/delve/cmd/dlv@$(DLV_VERSION)
	mv $(TOOLS)/dlv $@

interop: build $(DLV)
	scripts/install-peers
	asterisk="$$(scripts/install-asterisk)"; \
	RINGMASTER_INTEROP=1 RINGMASTER_ASTERISK="$$asterisk" RINGMASTER_BIN=$(CURDIR)/bin RINGMASTER_DLV=$(DLV) \
	$(GO) test -tags interop -count=1 -parallel 6 -timeout 600s -v ./tests/asterisk ./tests/debugger ./tests/interop; \
	RINGMASTER_ASTERISK="$$asterisk" RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 300s -v ./tests/examples -run ThroughAsterisk
	RINGMASTER_BROWSER=1 RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 300s -v ./tests/browser ./tests/e2e -run 'TestPage|TestReports'

# 20 phones in 10 calls, 100 deaths at random moments, then the server's own; `make test` has a short form.
chaos: build
	RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 600s -v ./tests/chaos -long

# The scenarios of scenario/examples, N times each; `make test` runs them once.
N ?= 5
examples: build
	RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 1800s -v ./tests/examples -times $(N)

bench: build
	asterisk="$$(scripts/install-asterisk)"; \
	RINGMASTER_ASTERISK="$$asterisk" RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 300s -v -run TestMeasurements ./tests/interop -measure
	RINGMASTER_BIN=$(CURDIR)/bin $(GO) test -count=1 -timeout 300s -v ./tests/reaction -measure
	$(GO) test -count=1 -run '^$$' -bench Check200Hooks ./scenario

generate:
	$(GO) generate ./...
	$(GO) test -count=1 ./scenario/schema -update
	$(GO) test -count=1 ./tests/guide -update
	$(GO) test -count=1 -run TestReadmeHasTheMap ./tests/floors -update

clean:
	rm -rf bin $(TOOLS)
