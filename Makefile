# Everything a person or a pipeline does with this repository. `make` alone lists the targets.
SHELL := /bin/sh
GO ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOCYCLO := github.com/fzipp/gocyclo/cmd/gocyclo@v0.6.0
DEADCODE := golang.org/x/tools/cmd/deadcode@v0.52.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
AGSTEST := $(GO) run ./cmd/agstest

VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo unknown)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
STAMP = -s -w -buildid= -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# The race detector needs a C compiler; without one the tests still run, and say so.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help run test quick lint image vulnerabilities pins conform load mock faults choices mutants peers bench stall far gateways ab-proof fuzz kills soak browser build kubernetes test-kubernetes release packages clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, check and load the embedded mock for 10 s, write reports to out/
	bin/agstest gate --workload mixed --mix signon=1,refresh=9 --rate 200/s --duration 10s --limit 'refresh.p99<1s' --limit 'errors<1%'

# Most packages wait more than they compute: one more than there are processors is tested at a time.
AT_ONCE := -p $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
# Packages are begun in the order they are named: steps and cmd, which compute most, first, so that they do not end alone.
# The race detector looks at the packages that start goroutines or hold locks, and at load, which drives them. There it runs of steps and of cmd the
# tests that are about concurrency alone (raceful in their main_test.go). Through real gateways the same code goes as in the tests of load/transport.
# internal/check, load/tally and load/unique hold a lock for their callers, start nothing and test one thing at a time: the tests of steps, load/clients
# and load/engine drive them. All other tests, and those of steps, run without it; FLAGS are more flags for these.
FLAGS ?=
# go vet looks once, at everything and in full; what go test would look at again for each way of building is switched off.
CONCURRENT = $$(git grep -lE '^[[:space:]]*go [a-z]|\.Go\(|sync\.[^O]|"sync/' -- '*.go' ':!*_test.go' ':!internal/gateways' ':!load/kubernetes/cluster' ':!internal/check' ':!load/tally' ':!load/unique' | xargs -n1 dirname | sort -u | sed 's|^|./|') ./load
# Tests of those packages that compute much, and run nothing side by side that others of the package do not: they too run without it.
ALONE := ^Test(FaultsShow|ChoicesShow|FaultsAreWellNamed|FaultsAreFoundUnderLoad|SignedInClientsAreSmall|AKeptPairComesBackAsItWas|OutageUsesNoTokenUp|HeaderLinesAreFoundAsAPatternFindsThem)$$
ALONE_IN := ./internal/redact ./load/clients ./mock
# What hangs is ended. No test is to be ended because a machine is slow: the command's take 10 minutes on a third of a processor.
LONGEST := -timeout 45m
# Whoever runs make lint as well, which vets the same, says LINTED=1.
LINTED ?=
test: ## run every test, with the race detector where a C compiler is found and where it is of use
	$(if $(LINTED),,$(GO) vet ./...)
	@[ -n "$(RACE)" ] || echo "no C compiler found: the tests run WITHOUT the race detector"
	@set -e; if [ -n "$(RACE)" ]; then \
		concurrent=$$($(GO) list $(CONCURRENT)); others="./steps ./cmd/agstest $$($(GO) list ./... | grep -vxF "$$concurrent" | grep -v '/steps$$')"; \
		echo "$(GO) test -vet=off $(LONGEST) $(RACE) $(AT_ONCE) -skip '$(ALONE)'" $$concurrent; CGO_ENABLED=1 $(GO) test -vet=off $(LONGEST) $(RACE) $(AT_ONCE) -skip '$(ALONE)' $$concurrent; \
		echo "$(GO) test -vet=off $(LONGEST) -run '$(ALONE)' $(ALONE_IN)"; $(GO) test -vet=off $(LONGEST) -run '$(ALONE)' $(ALONE_IN); \
		export AGSTEST_RACED=1; \
	else others="./steps ./cmd/agstest $$($(GO) list ./... | grep -vE '/(steps|cmd/agstest)$$')"; fi; \
	echo "$(GO) test -vet=off $(LONGEST) $(AT_ONCE) $(FLAGS)" $$others; $(GO) test -vet=off $(LONGEST) $(AT_ONCE) $(FLAGS) $$others

gateways: ## load and Vegeta side by side through nginx, HAProxy, Apache, Varnish, Squid, Caddy and others, which Debian packages (25 min; wants a quiet machine); the quick half is in make test
	@for g in nginx haproxy apache2 varnishd squid caddy lighttpd nghttpx traffic_manager hitch stunnel4; do PATH="$$PATH:/usr/sbin" command -v $$g >/dev/null || echo "SKIPPED: $$g is not installed (see docs/gateways.md)"; done
	AGSTEST_GATEWAYS_WIDE=1 $(GO) test -count=1 -v -timeout 40m ./internal/gateways

# It computes: what is compiled, vetted or linked for nothing makes everyone wait. Of the whole, internal/systems checks the types with their tests;
# vet looks at the packages that differ from the last commit. The rest is left to make test.
QUICK := ./internal/systems ./ags ./environments ./features ./internal/check ./internal/disarm ./internal/environment ./internal/failure ./internal/figures ./internal/plan ./internal/redact ./internal/stats ./internal/strictjson ./internal/userfile ./internal/wire ./mock ./reports/... ./steps/script ./steps/talk
CHANGED = $$({ git diff --name-only --diff-filter=d HEAD -- '*.go'; git ls-files --others --exclude-standard '*.go'; } | grep -v '^load/kubernetes/cluster/' | xargs -r -n1 dirname | sort -u | sed 's|^|./|')
quick: ## what one runs before a commit: formatting, types, vet of what is changed, and the tests that need no other process
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@changed=$(CHANGED); [ -z "$$changed" ] || { echo "$(GO) vet" $$changed; $(GO) vet $$changed; }
	$(GO) test -vet=off -short $(QUICK)
	$(GO) test -vet=off -short ./steps -run '^(TestMockIsGreen|TestList|TestVocabulary|TestEveryRequirementIsCovered|TestWeigh|TestOverall)'

build: ## build bin/agstest
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(STAMP)' -o bin/agstest ./cmd/agstest

# One set of flags for the build, the check and the tests: client-go is compiled once.
KUBERNETES := -trimpath -buildvcs=false -tags kubernetes
kubernetes: export CGO_ENABLED = 0
kubernetes: ## build bin/agstest-kubernetes, which runs shards on a cluster, and test what it alone holds; compiles for 3 minutes at first
	$(GO) build $(KUBERNETES) -ldflags '$(STAMP)' -o bin/agstest-kubernetes ./cmd/agstest
	$(GO) vet $(KUBERNETES) ./load/kubernetes ./cmd/agstest
	$(GO) test -vet=off $(KUBERNETES) ./load/kubernetes
	$(GO) test -vet=off $(KUBERNETES) ./cmd/agstest -run '^(TestOnlyListedLibrariesAreBuiltIn|TestLicencesListWhatIsBuiltIn|TestArrows)$$'

test-kubernetes: ## loads on a real cluster of two nodes, in private namespaces; wants Linux and root, and builds Kubernetes once (load/kubernetes/cluster/README.md)
	cd load/kubernetes/cluster && $(GO) test -count=1 -v -timeout 90m . -required

# A tool that lint fetches: $(1) is its name, $(2) what is fetched, $(3) its arguments, and $(4) what is said of what it found. What it says beside
# what is downloaded is what it found; deadcode ends with 0 then too.
define fetched
@out=$$($(GO) run $(2) $(3) 2>&1); code=$$?; out=$$(echo "$$out" | grep -v '^go: downloading '); [ $$code -eq 0 ] && [ -z "$$out" ] && exit 0; \
if echo "$$out" | grep -qF 'go: $(2): ' && ! echo "$$out" | grep -qE 'SECURITY ERROR|checksum mismatch'; then \
	[ -z "$(RELEASE)" ] || { echo "$$out"; echo "FAILED $(1): it cannot be fetched, and this is a release ($(RELEASE))"; exit 1; }; \
	echo "SKIPPED $(1): it cannot be fetched from here"; exit 0; fi; \
echo "$$out"; ! echo "$$out" | grep -qE '^[0-9]+ |^[^ ]+\.go:[0-9]+' || echo "$(1): $(4)"; exit 1
endef
COMMA := ,
# No function has more than MOST_WAYS ways through it (cyclomatic complexity). Those of tests, which are tables mostly, are not counted.
MOST_WAYS := 20
lint: ## gofmt, go vet, staticcheck, gocyclo and deadcode; where one of the last three cannot be fetched it is SKIPPED, and fails in a release
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(call fetched,staticcheck,$(STATICCHECK),./...,each line says what is wrong)
	$(call fetched,gocyclo,$(GOCYCLO),-over $(MOST_WAYS) $$(git ls-files '*.go' ':!*_test.go'),more than $(MOST_WAYS) ways through one function; give what can stand alone a name of its own)
	$(call fetched,deadcode,$(DEADCODE),./cmd/...,the program never calls it; delete it$(COMMA) or move it beside the tests that do)
	$(call fetched,deadcode,$(DEADCODE),-test ./...,nobody calls it$(COMMA) no test either; delete it)

# A release is a commit with a tag, or RELEASE=1: there a check that could not be made is a failure.
RELEASE ?= $(shell git describe --exact-match --tags HEAD 2>/dev/null)
# It asks for the database only when it has read all packages: one small package tells sooner that the database is out of reach.
vulnerabilities: ## govulncheck; where the vulnerability database is out of reach it is SKIPPED, and fails in a release
	@for packages in ./ags ./...; do out=$$($(GO) run $(GOVULNCHECK) $$packages 2>&1); code=$$?; ! echo "$$out" | grep -q 'fetching vulnerabilities' || break; done; \
	echo "$$out" | tail -n 40; \
	if [ $$code -ne 0 ] && echo "$$out" | grep -q 'fetching vulnerabilities'; then \
		[ -z "$(RELEASE)" ] || { echo "FAILED govulncheck: the vulnerability database cannot be reached, and this is a release ($(RELEASE))"; exit 1; }; \
		echo "SKIPPED govulncheck: the vulnerability database cannot be reached from here"; exit 0; fi; exit $$code

conform: ## check the embedded mock
	$(AGSTEST) conform

load: ## load the embedded mock for 10 s
	$(AGSTEST) load --workload mixed --mix signon=1,refresh=9 --rate 200/s --duration 10s

mock: ## run the mock on 127.0.0.1:8080
	$(AGSTEST) mock --listen 127.0.0.1:8080

faults: ## run the suite under every fault of the mock, with its control interface and as a live service, and print which requirement caught it
	$(GO) test -c -o bin/steps.test ./steps
	cd steps && ../bin/steps.test -test.run '^TestEveryFaultIsCaught(Live)?$$' -table -whole

choices: ## run the suite under every conforming choice of the mock; all must pass
	$(GO) test -c -o bin/steps.test ./steps
	cd steps && ../bin/steps.test -test.run '^TestEveryChoiceIsLeftInPeace(Live)?$$' -table -whole

mutants: ## change the judge and the suite one place at a time; a named test must notice each (3 min)
	$(GO) test -count=1 -v -timeout 15m ./steps -run 'Mutants$$' -mutants

VEGETAS := v12.8.4 v12.12.0 v12.13.0
peers: browser ## linters, formatters, reporters, a mock and a proxy of others read what we write, in pinned versions
	AGSTEST_PEERS_WIDE=1 $(GO) test -count=1 -v $(LONGEST) ./internal/openapi/peers
	@for p in promtool prometheus-node-exporter prometheus-pushgateway cmark-gfm zsh fish java junitparser xmllint; do command -v $$p >/dev/null || echo "SKIPPED: $$p is not installed (Debian: prometheus, prometheus-node-exporter, prometheus-pushgateway, cmark-gfm, zsh, fish, openjdk-17-jre-headless, junitparser, libxml2-utils)"; done
	$(GO) test -count=1 -v $(LONGEST) ./cmd/agstest -run '^(TestAjvStrictTakesEverySchema|TestGitHubsMarkdownShowsTheSummaries|TestShellsComplete)$$'
	xsd=$$(internal/openapi/peers/jenkins-xsd.sh bin/xsd) || { echo "SKIPPED: Jenkins' schema for JUnit XML: it cannot be had here"; exit 0; }; \
		JUNIT_XSD=$$xsd $(GO) test -count=1 -v $(LONGEST) ./reports -run '^TestJUnit(KeepsTheRules|RulesFindMistakes)$$'
	for v in $(VEGETAS); do GOBIN=$(CURDIR)/bin/vegeta-$$v $(GO) install github.com/tsenart/vegeta/v12@$$v || exit 1; done
	VEGETA=$$(ls -d $(CURDIR)/bin/vegeta-*/vegeta | paste -sd: -) $(GO) test -count=1 -v $(LONGEST) ./load/engine -run '^TestVegetasCommandReadsTheRawStream$$'

bench: ## the load generator beside Vegeta's command, in a stall, its memory and its lag; wants a quiet machine with 2 cores
	$(GO) test ./load/bench -run '^$$' -bench . -benchtime 1x -timeout 60m

stall: ## the stall test alone: what a 2 s freeze of the service looks like
	$(GO) test ./load/bench -run '^$$' -bench Stall -benchtime 1x -timeout 30m

far: ## the suite beside itself at 740014f, on a service 25 ms away each way, and 20 runs of the default beside one scenario after the other; wants a quiet machine (10 min)
	$(GO) test ./steps -run '^$$' -bench Far -benchtime 1x -timeout 60m

ab-proof: ## two mocks, one 5 % slower: found 10 times of 10, silent 10 times of 10; about 25 minutes on a quiet machine
	AB_PROOF=10 $(GO) test ./load/ab -run TestABProof -v -count 1 -timeout 2h

KILLS ?= 50
kills: ## kill conform, load, ab and merge at KILLS (50) random moments each, and runs that change a platform; KILL_SEED repeats them (3 min)
	KILLS=$(KILLS) $(GO) test -count=1 -v -timeout 30m ./cmd/agstest -run '^(TestKilledRunsNeverLie|TestKilledRunIsPutBack)$$'

SOAK ?= 30m
soak: ## 1,000/s against the mock for SOAK (30m): memory, goroutines and open files of both may not grow
	SOAK=$(SOAK) $(GO) test ./load/bench -run TestSoak -v -count 1 -timeout 25h

FUZZTIME ?= 30s
FUZZMEMORY ?= 4194304
fuzz: ## run every fuzz target for FUZZTIME (30s), with FUZZMEMORY (4194304) kB of address space at most
	@ulimit -v $(FUZZMEMORY); for package in $$($(GO) list ./...); do for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
		echo "== $$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$package || exit 1; done; done

browser: ## install what the browser tests and the peer tools need from npm
	cd reports/browser && npm ci --no-audit --no-fund --loglevel=error
	cd internal/openapi/peers && npm ci --no-audit --no-fund --loglevel=error

# Where the files of a release will be fetched from; it stands in the Homebrew formula.
RELEASE_ADDRESS ?= https://downloads.example.com/agstest/$(PACKAGE_VERSION)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
pins: ## every image and action of the templates has its digest in deploy/pins.txt; one that is unknown fails a release
	@unknown=$$(awk '$$2 == "unknown" {print $$1}' deploy/pins.txt | paste -sd' ' -); [ -z "$$unknown" ] || { \
		[ -z "$(RELEASE)" ] || { echo "FAILED: no digest is known of $$unknown, and this is a release ($(RELEASE)): look them up as deploy/pins.txt says"; exit 1; }; \
		echo "SKIPPED: no digest is known of $$unknown"; }

release: pins ## static binaries for six platforms, with and without Kubernetes, packages, a container image, checksums, bills of materials (CycloneDX) and a Homebrew formula in dist/, the same bytes for the same commit
	rm -rf dist && mkdir dist
	for platform in $(PLATFORMS); do os=$${platform%/*}; arch=$${platform#*/}; suffix=; [ $$os = windows ] && suffix=.exe; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -buildvcs=false -ldflags '$(STAMP)' -o dist/agstest-$$os-$$arch$$suffix ./cmd/agstest || exit 1; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build $(KUBERNETES) -ldflags '$(STAMP)' -o dist/agstest-kubernetes-$$os-$$arch$$suffix ./cmd/agstest || exit 1; done
	for binary in dist/agstest-*; do $(GO) run -trimpath -ldflags '$(STAMP)' ./cmd/agstest version --sbom=$$binary > $$binary.cdx.json || exit 1; done
	$(MAKE) --no-print-directory packages image
	cd dist && sha256sum agstest* > SHA256SUMS && cat SHA256SUMS
	deploy/packages/formula.sh '$(PACKAGE_VERSION)' '$(RELEASE_ADDRESS)' dist/SHA256SUMS > dist/agstest.rb

# An image for both kinds of nodes in one archive: skopeo copy --all oci-archive:dist/agstest-image.tar docker://registry.example.com/qa/agstest:1.2.3
IMAGE ?= agstest:$(PACKAGE_VERSION)
IMAGE_ARCHES ?= amd64 arm64
CA_ROOTS ?= /etc/ssl/certs/ca-certificates.crt
image: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
image: ## the container image for IMAGE_ARCHES (amd64 arm64) in dist/agstest-image.tar, an OCI archive; no Docker is needed
	mkdir -p dist/share
	$(GO) run -trimpath -ldflags '$(STAMP)' ./cmd/agstest version --licenses > dist/share/licences.txt
	for arch in $(IMAGE_ARCHES); do CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -buildvcs=false -ldflags '$(STAMP)' -o dist/agstest-linux-$$arch ./cmd/agstest || exit 1; done
	cd deploy/image && $(GO) run -trimpath . -output ../../dist/agstest-image.tar -name '$(IMAGE)' -revision '$(COMMIT)' -created "$$SOURCE_DATE_EPOCH" -roots '$(CA_ROOTS)' \
		-licences ../../dist/share/licences.txt $(IMAGE_ARCHES:%=../../dist/agstest-linux-%)

# nfpm writes both kinds of packages. Later versions want a module that not every module proxy serves.
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.44.1
# A version of a package begins with a digit; a commit without a tag becomes 0.0.0-<commit>.
PACKAGE_VERSION ?= $(shell echo '$(VERSION)' | sed -E 's/^v//; /^[0-9]+\.[0-9]+/!s/^/0.0.0-/')
PACKAGE_ARCHES ?= amd64 arm64
packages: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
packages: export PACKAGE_VERSION := $(PACKAGE_VERSION)
packages: ## .deb and .rpm for PACKAGE_ARCHES (amd64 arm64) in dist/
	mkdir -p dist/share
	$(GO) run -trimpath -ldflags '$(STAMP)' ./cmd/agstest man | gzip -9n > dist/share/agstest.1.gz
	for shell in bash:agstest.bash zsh:_agstest fish:agstest.fish; do \
		$(GO) run -trimpath -ldflags '$(STAMP)' ./cmd/agstest completion $${shell%%:*} > dist/share/$${shell#*:} || exit 1; done
	for arch in $(PACKAGE_ARCHES); do export ARCH=$$arch BINARY=dist/agstest-linux-$$arch; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -buildvcs=false -ldflags '$(STAMP)' -o $$BINARY ./cmd/agstest || exit 1; \
		for kind in deb rpm; do $(GO) run $(NFPM) package --config deploy/packages/nfpm.yaml --packager $$kind --target dist/ || exit 1; done; done

clean: ## remove what runs and builds leave
	rm -rf bin out dist
