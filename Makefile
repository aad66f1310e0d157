# make demo is all a visitor needs; make test is all a developer needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build generate fmt need check unit light heavy fuzz test bench

# What is tested without the race detector, because it drives other processes
# (a browser, the real binary, a Hubot) and waits for them, or only reads the sources: the
# detector sees nothing there.
HEAVY ?= /internal/(app/(browser|crash)|chat/victorops/hubottest|bench|house)$$
FUZZTIME ?= 3000x
LINT := bin/golangci-lint

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## a made-up organisation at work; prints where to click
	CGO_ENABLED=0 go run ./cmd/watchroom demo

build: ## bin/watchroom, one static file
	scripts/build bin/watchroom

generate: ## Go code from the templates; commit the result
	go tool templ generate

fmt: ## format Go and templates
	go tool templ fmt .
	gofmt -w .

need: ## what the tests need from this machine
	@scripts/need

check: $(LINT) ## formatting, vet, generated files, go.mod, linters
	@scripts/check

unit: light heavy ## all tests, on both engines

light: bin/pgtest # the first half of unit
	bin/pgtest -- scripts/unit light '$(HEAVY)'

heavy: bin/pgtest # and the second, which waits for other programs most of its time
	bin/pgtest -- scripts/unit heavy '$(HEAVY)'

fuzz: ## every fuzz target, FUZZTIME inputs each
	FUZZTIME=$(FUZZTIME) scripts/fuzz

test: ## everything CI runs
	@scripts/need
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory light
	@$(MAKE) --no-print-directory heavy
	@$(MAKE) --no-print-directory fuzz

bench: bin/pgtest ## the table of figures
	scripts/build bin/bench ./internal/bench/cmd/bench
	bin/pgtest -- bin/bench

# Built once for each version that tools/go.mod names; a module of its own,
# because its two hundred dependencies are no business of the server's.
$(LINT): tools/go.mod tools/go.sum
	go build -C tools -buildvcs=false -ldflags='-s -w' -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# Shares one PostgreSQL between all test binaries.
.PHONY: bin/pgtest
bin/pgtest:
	@go build -buildvcs=false -o bin/pgtest ./internal/pgtest/cmd/pgtest
