# Everything a person or a pipeline does with this repository. `make` alone lists the targets.
SHELL := /bin/sh
GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
AGSTEST := $(GO) run ./cmd/agstest

# The race detector needs a C compiler; without one the tests still run, and say so.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help run test lint vulnerabilities conform load mock faults choices bench stall fuzz browser build clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, check and load the embedded mock for 10 s, write reports to out/
	bin/agstest gate --workload mixed --mix signon=1,refresh=9 --rate 200/s --duration 10s --limit 'refresh.p99<500ms' --limit 'errors<0.1%'

test: ## run every test, with the race detector where a C compiler is found
	@[ -n "$(RACE)" ] || echo "no C compiler found: the tests run WITHOUT the race detector"
	$(GO) test $(RACE) ./...

build: ## build bin/agstest
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/agstest ./cmd/agstest

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

vulnerabilities: ## govulncheck; says so when the vulnerability database is out of reach
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; echo "$$out" | tail -n 40; \
	if [ $$code -ne 0 ] && echo "$$out" | grep -q 'fetching vulnerabilities'; then \
		echo "SKIPPED govulncheck: the vulnerability database cannot be reached from here"; exit 0; fi; exit $$code

conform: ## check the embedded mock
	$(AGSTEST) conform

load: ## load the embedded mock for 10 s
	$(AGSTEST) load --workload mixed --mix signon=1,refresh=9 --rate 200/s --duration 10s

mock: ## run the mock on 127.0.0.1:8080
	$(AGSTEST) mock --listen 127.0.0.1:8080

clean: ## remove what runs and builds leave
	rm -rf bin out
