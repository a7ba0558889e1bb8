# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists what there is. Needs Go 1.26, git, make and bash; no root.

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

# With cgo there would be a second build cache and a second kind of binary.
export CGO_ENABLED := 0

VERSION := $(shell awk '$$1 == "version:" {print $$2; exit}' builder-config.yaml)
CACHE   := $(or $(AUSPEX_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/auspex)
TOOL    := go tool -modfile=internal/tools/go.mod

# RELEASE=1 leaves the builder's paths out of the binaries. Not by default: it
# makes Go compile every dependency a second time beside what the tests use.
BUILD := go build $(if $(RELEASE),-trimpath) -ldflags '-s -w -X main.version=$(VERSION)'

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := $(CACHE)/bin/golangci-lint-$(GOLANGCI_VERSION)

# Everything but the end-to-end tests, which need the built binary.
UNIT = $$(go list ./... | grep -v '/e2e')

# Everything but the generated list of components: to lint it is to analyze all of contrib.
LINT = ./distro/config/... $(patsubst %/,./%/...,$(filter-out distro/ bin/ docs/ scripts/ testdata/,$(wildcard */)))

banner = @printf '\n--- %s\n' '$(1)'

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  The first build takes about 7 minutes on 2 cores, a repeat 15 seconds.'

##@ Product

.PHONY: build
build: ## bin/otelcol-auspex, the collector, and bin/auspex, its companion
	$(call banner,build (about 7 minutes on 2 cores the first time))
	$(BUILD) -o bin/otelcol-auspex ./distro
	$(BUILD) -o bin/auspex ./cmd/auspex

.PHONY: console
console: ## build the page of the console into extension/consoleextension/web/dist; needs Node 20 and npm
	$(call banner,console)
	@scripts/console.sh

.PHONY: run
run: build ## start the collector with the default configuration
	bin/otelcol-auspex

.PHONY: demo
demo: build bin/auspex-demo ## start the collector, play a shop into it, break a service, say what was found; SEED=n, FAULT=name (docs/guide/demo.md)
	$(call banner,demo)
	@SEED='$(SEED)' FAULT='$(FAULT)' bin/auspex-demo

.PHONY: bin/auspex-demo
bin/auspex-demo:
	$(BUILD) -o $@ ./demo

##@ Tests

.PHONY: test
test: build peers ## unit, component and scenario tests, then slim end-to-end tests with a real Prometheus
	$(call banner,unit$(comma) component and scenario tests)
	go test -timeout 15m $(UNIT)
	$(call banner,slim end-to-end tests: the built binary and a real Prometheus)
	go test -short -count=1 -timeout 15m ./e2e/...

.PHONY: e2e
e2e: build bin/auspex-demo peers ## every end-to-end test; raw answers are kept in e2e/out
	$(call banner,end-to-end tests)
	go test -v -count=1 -timeout 45m $$(go list ./e2e/... | grep -Ev '/(elastic|receivers|console)$$')

.PHONY: e2e-elastic
e2e-elastic: build bin/auspex-demo ## Beats clients, kills and the demo with a real Elasticsearch; needs a JDK 21, Maven, Python 3, npm; AUSPEX_E2E_EVENTS=n
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh elasticsearch 9
	@scripts/clients.sh
	$(call banner,end-to-end tests with Elasticsearch)
	go test -v -count=1 -timeout 45m ./e2e/elastic

.PHONY: e2e-doors
e2e-doors: build ## every receiver's real clients into real backends, kills, bad input and what an event costs; needs what e2e-elastic needs, and on Debian apt-get; AUSPEX_E2E_EVENTS=n
	$(call banner,peers in $(CACHE) (up to 15 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh filebeat
	@scripts/clients.sh
	@scripts/otel-clients.sh
	$(call banner,end-to-end tests of the receivers)
	go test -v -count=1 -timeout 45m ./e2e/receivers

.PHONY: e2e-console
e2e-console: build bin/auspex-demo ## the page of the console in Debian's Chromium, through the demo; screenshots in e2e/out/console; needs Node 20 and npm
	$(call banner,browser modules in $(CACHE))
	@scripts/console.sh modules
	$(call banner,end-to-end test of the console)
	go test -v -count=1 -timeout 30m ./e2e/console

.PHONY: e2e-cost
e2e-cost: build ## CPU per million points with and without the processor, memory per 1,000 series
	go run ./e2e/cost

.PHONY: campaign
campaign: build ## random faults over every receiver and exporter with real backends: lost records, memory, p99, as a table; about 25 minutes; SEED=n, HOURS=n
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	$(call banner,campaign of random faults)
	go run ./e2e/campaign $(if $(SEED),-seed $(SEED)) $(if $(HOURS),-hours $(HOURS))

.PHONY: soak
soak: build ## growth of memory and drift of false alarms at half load, as a table; HOURS=n (1)
	$(call banner,soak)
	go run ./e2e/campaign -soak -hours $(or $(HOURS),1)

.PHONY: peers
peers: ## install the real servers of the tests into the cache
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh prometheus

.PHONY: race
race: ## tests under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -Ev '/(distro|e2e|eval|demo|dashboards)(/|$$)')

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (20s)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' . || true); do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
	    printf '\n--- %s in %s\n' $$target $$(dirname $$file); \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
	  done; \
	done

COUNT ?= 6
BENCH ?= .
.PHONY: bench
bench: ## benchmarks into bin/bench.txt; BENCH=regexp, COUNT=n, OLD=file to compare with
	@mkdir -p bin
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(UNIT) | tee bin/bench.txt
	$(TOOL) benchstat $(OLD) bin/bench.txt

# Reports on public data sets read them from $$AUSPEX_EVAL; eval/evaldata has the default.
.PHONY: quality-calibration
quality-calibration: ## false-alarm shares and recall of the models, as a table
	go run ./eval/calibration

.PHONY: quality-metrics
quality-metrics: ## NAB, invariance, false alarms and traps of the metric engine, as tables; COST=1 adds time and memory; FULL=1: false alarms of 10,000 series (40 minutes of one core)
	go run ./eval/metrics $(if $(COST),-cost) $(if $(FULL),-full)

.PHONY: quality-cloud
quality-cloud: ## event recall on labeled cloud telemetry at equal false alarms, with standard errors and delays
	go run ./eval/cloud

.PHONY: quality-faults
quality-faults: ## event recall of the product beside standard detectors and an oracle, as tables; SPEC=FILE for other seeds and families, CADENCES=1 adds the same signals at three cadences
	go run ./eval/faults $(if $(SPEC),-spec $(SPEC)) $(if $(CADENCES),-cadences)

# The build tag keeps what leaves a view out away from every other binary.
.PHONY: quality-ablation
quality-ablation: ## what each view of the metric model contributes on cloud telemetry, NAB and the telemetry bench; QUICK=1 draws fewer series, ONLY=view,view
	go test -tags ablation -run TestLeaveOut ./internal/detect/ensemble
	go run -tags ablation ./eval/ablation $(if $(QUICK),-quick) $(if $(ONLY),-only $(ONLY))

.PHONY: quality-logs
quality-logs: ## groups and templates mined from labeled logs, replicas, speed, a flood of junk, as tables
	go run ./eval/logs

.PHONY: quality-rca
quality-rca: ## who is named for known faults, as tables, and on a disguised copy; SEED=n, VARY=1 adds poorer data
	go run ./eval/rca $(if $(SEED),-seed $(SEED)) $(if $(VARY),-vary)

.PHONY: quality-hotrod
quality-hotrod: ## a recorded fault and the same recording an hour later: does it open anomalies each time?
	go run ./eval/hotrod

.PHONY: quality-shop
quality-shop: bin/auspex-demo ## the demo shop with each fault and without: what the backtest finds, as tables; SEEDS=n (3) shops a fault
	$(BUILD) -o bin/auspex ./cmd/auspex
	go run ./eval/shop $(if $(SEEDS),-seeds $(SEEDS))

##@ House

.PHONY: lint
lint: $(GOLANGCI) ## linters, banned words, module tidiness, changelog fragments, workflows, shell syntax
	$(call banner,golangci-lint)
	$(GOLANGCI) run $(LINT)
	$(call banner,banned words (docs/style.md))
	go test -count=1 -run 'BannedWords' ./internal/archtest
	$(call banner,go.mod$(comma) changelog fragments$(comma) workflows$(comma) scripts)
	go mod tidy -diff
	$(TOOL) chloggen validate --config .chloggen/config.yaml
	$(TOOL) actionlint
	@for script in scripts/*.sh .ci/run; do bash -n $$script || exit 1; done

# The collector is built once more, because its symbols tell which vulnerable functions it has.
.PHONY: govulncheck
govulncheck: ## known vulnerabilities in the collector; DB=url of a database other than vuln.go.dev
	go build -o bin/otelcol-auspex-symbols ./distro
	$(TOOL) govulncheck $(if $(DB),-db $(DB)) -mode=binary bin/otelcol-auspex-symbols

.PHONY: format
format: $(GOLANGCI) ## write every file as the formatters want it
	$(GOLANGCI) fmt $(LINT)

# Keyed by version and outside the tree: its own build takes minutes.
$(GOLANGCI):
	$(call banner,golangci-lint $(GOLANGCI_VERSION) (about 4 minutes on 2 cores$(comma) once))
	@mkdir -p $(@D)
	cd internal/tools/lint && go build -o $@.part github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@mv $@.part $@

# Those of our components, with a section that mdatagen writes.
READMES = $(patsubst %/metadata.yaml,%/README.md,$(wildcard */*/metadata.yaml))

.PHONY: generate
generate: ## write all generated code: the distribution, component metadata, dashboards
	$(call banner,the distribution)
	$(TOOL) builder --config builder-config.yaml --skip-get-modules --skip-compilation
	$(call banner,component metadata)
	go generate $(patsubst %,./%/...,$(wildcard receiver processor exporter connector extension))
	@# mdatagen knows the addresses of OpenTelemetry's own distributions only.
	@sed -i.orig 's#^\[auspex\]: *$$#[auspex]: https://github.com/auspex-otel/auspex#' $(READMES)
	@rm $(addsuffix .orig,$(READMES))
	$(if $(wildcard dashboards/*.go),$(call banner,dashboards))
	$(if $(wildcard dashboards/*.go),go run ./dashboards)

.PHONY: check-generated
check-generated: ## generate, and fail if that changed anything
	@mkdir -p bin; \
	state() { git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null; }; \
	state > bin/generated.before; \
	$(MAKE) --no-print-directory generate; \
	state > bin/generated.after; \
	diff bin/generated.before bin/generated.after || { echo 'Generated files were stale. Commit what changed.'; exit 1; }

.PHONY: changelog
changelog: ## a new changelog fragment; NAME=what-changed
	@test -n '$(NAME)' || { echo 'make changelog NAME=what-changed'; exit 2; }
	$(TOOL) chloggen new --config .chloggen/config.yaml --filename '$(NAME)'

.PHONY: clean
clean: ## remove bin/ and kept test output; caches stay
	rm -rf bin e2e/out eval/out

comma := ,
