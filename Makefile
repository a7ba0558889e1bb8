# Copyright The Auspex Authors
# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists the targets. Needs Go 1.26, git, make, and bash, and no root privileges.

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

# cgo would add a second build cache and a second kind of binary.
export CGO_ENABLED := 0

VERSION := $(shell awk '$$1 == "version:" {print $$2; exit}' builder-config.yaml)
CACHE   := $(or $(AUSPEX_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/auspex)
TOOL    := go tool -modfile=internal/tools/go.mod

# RELEASE=1 removes the builder's paths from the binaries. It is not the default, because
# Go then compiles every dependency a second time, in addition to those of the tests.
BUILD := go build $(if $(RELEASE),-trimpath) -ldflags '-s -w -X main.version=$(VERSION)'

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := $(CACHE)/bin/golangci-lint-$(GOLANGCI_VERSION)

# All packages except the end-to-end tests, which need the built binary.
UNIT = $$(go list ./... | grep -v '/e2e')

# All packages except the generated list of components: linting it would analyze all of contrib.
LINT = ./distro/config/... $(patsubst %/,./%/...,$(filter-out distro/ bin/ docs/ scripts/ testdata/,$(wildcard */)))

banner = @printf '\n--- %s\n' '$(1)'

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  The first build takes about 7 minutes on 2 cores, a repeat 15 seconds.'

##@ Product

.PHONY: build
build: ## build bin/otelcol-auspex (the collector) and bin/auspex (its command-line client)
	$(call banner,build (about 7 minutes on 2 cores the first time))
	$(BUILD) -o bin/otelcol-auspex ./distro
	$(BUILD) -o bin/auspex ./cmd/auspex

.PHONY: console
console: ## build the console page into extension/consoleextension/web/dist; needs Node 20 and npm
	$(call banner,console)
	@scripts/console.sh

.PHONY: version
version: ## print the version
	@echo $(VERSION)

# Every platform takes about 7 minutes the first time, and 3 GB of Go's build cache.
.PHONY: packages
packages: ## build the files of a release in bin/packages: deb, rpm, archives, image, bill of materials, signed checksums; PLATFORMS=linux/amd64,...
	$(call banner,packages (about 7 minutes for each platform on 2 cores the first time))
	go -C internal/tools/packages run . -root $(CURDIR) -out $(CURDIR)/bin/packages $(if $(PLATFORMS),-platforms $(PLATFORMS))

.PHONY: run
run: build ## start the collector with the default configuration
	bin/otelcol-auspex

.PHONY: demo
demo: build bin/auspex-demo ## start the collector, simulate a shop with a fault, and print the finding; SEED=n, FAULT=name (docs/guide/demo.md)
	$(call banner,demo)
	@SEED='$(SEED)' FAULT='$(FAULT)' bin/auspex-demo

.PHONY: bin/auspex-demo
bin/auspex-demo:
	$(BUILD) -o $@ ./demo

##@ Tests

.PHONY: test
test: build peers ## run unit, component, and scenario tests, then short end-to-end tests with a real Prometheus
	$(call banner,unit$(comma) component and scenario tests)
	go test -timeout 15m $(UNIT)
	$(call banner,short end-to-end tests: the built binary and a real Prometheus)
	go test -short -count=1 -timeout 15m ./e2e/...

.PHONY: e2e
e2e: build bin/auspex-demo peers ## run the end-to-end tests; raw responses are kept in e2e/out
	$(call banner,end-to-end tests)
	go test -v -count=1 -timeout 45m $$(go list ./e2e/... | grep -Ev '/(elastic|receivers|console|dashboards|windows|streams|streams/flink)$$')

.PHONY: e2e-elastic
e2e-elastic: build bin/auspex-demo ## test Beats clients, kills, and the demo with a real Elasticsearch; needs JDK 21, Maven, Python 3, npm; AUSPEX_E2E_EVENTS=n
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh elasticsearch 9
	@scripts/clients.sh
	$(call banner,end-to-end tests with Elasticsearch)
	go test -v -count=1 -timeout 45m ./e2e/elastic

.PHONY: e2e-doors
e2e-doors: build ## test every receiver with real clients and backends, kills, invalid input, and the cost per event; needs the tools of e2e-elastic, and on Debian apt-get; AUSPEX_E2E_EVENTS=n
	$(call banner,peers in $(CACHE) (up to 15 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh filebeat
	@scripts/clients.sh
	@scripts/otel-clients.sh
	$(call banner,end-to-end tests of the receivers)
	go test -v -count=1 -timeout 45m ./e2e/receivers

.PHONY: e2e-windows
e2e-windows: build bin/auspex-demo ## the demo's fault in Elasticsearch 8 and 9, Prometheus, and Alertmanager, through an outage of all of them; about 10 minutes; OUTAGE=d (1m); needs what e2e-elastic needs, and apt-get
	$(call banner,peers in $(CACHE) (up to 15 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh elasticsearch 9
	@scripts/peers.sh alertmanager
	$(call banner,findings in the tools that show them)
	AUSPEX_E2E_OUTAGE='$(OUTAGE)' go test -v -count=1 -timeout 45m ./e2e/windows

.PHONY: e2e-streams
e2e-streams: build bin/auspex-demo ## agents and gateways with a real Kafka, and jobs on a real Flink 1.20 and 2, each part of which is killed, compared with auspex backtest; throughput, memory, and checkpoints; needs a JDK 17 and Maven; 40 minutes; RUN=regexp, KEYS=1000000
	$(call banner,peers in $(CACHE) (up to 10 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh kafka
	@scripts/peers.sh flink 1.20
	@scripts/peers.sh flink 2
	$(call banner,jars with the job for Flink (1 minute))
	@engines/build.sh flink 1.20
	@engines/build.sh flink 2
	$(call banner,end-to-end tests with Kafka and Flink)
	$(if $(KEYS),AUSPEX_E2E_KEYS=$(KEYS)) go test -v -count=1 -p 1 -timeout 75m $(if $(RUN),-run '$(RUN)') ./e2e/streams/...

.PHONY: e2e-console
e2e-console: build bin/auspex-demo ## test the console page with the demo in Debian's Chromium; screenshots in e2e/out/console; needs Node 20 and npm
	$(call banner,browser modules in $(CACHE))
	@scripts/console.sh modules
	$(call banner,end-to-end test of the console)
	go test -v -count=1 -timeout 30m ./e2e/console

.PHONY: e2e-console-load
e2e-console-load: build ## the console with 100,000 series, 1,000 incidents, and 50 live pages: API and first paint of each view; needs Node 20, npm, and Chromium; 3 minutes
	@scripts/console.sh modules
	$(call banner,the console under load)
	go run ./e2e/console/load

.PHONY: e2e-console-hotrod
e2e-console-hotrod: build ## the console watching HotROD of Jaeger, whose database becomes slow; screenshots in e2e/out/console; needs Node 20, npm, and Chromium; 30 minutes
	@scripts/console.sh modules
	@scripts/peers.sh hotrod
	$(call banner,the console watching HotROD)
	AUSPEX_HOTROD=1 go test -v -count=1 -timeout 45m -run TestHotROD ./e2e/console

.PHONY: e2e-beam
e2e-beam: ## compare Beam's direct runner and Prism with auspex backtest, with the worker killed; needs Python 3; 5 minutes, and 5 more the first time
	engines/beam/test.sh

.PHONY: e2e-dashboards
e2e-dashboards: build bin/auspex-demo ## every panel of the dashboards on a real Prometheus and Elasticsearch, drawn in Debian's Chromium; pictures in e2e/out/dashboards; needs what e2e-elastic needs, Node 20, and npm
	$(call banner,peers and modules in $(CACHE) (up to 8 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	@scripts/peers.sh elasticsearch 9
	@scripts/dashboards.sh
	$(call banner,end-to-end tests of the dashboards)
	go test -v -count=1 -timeout 30m ./e2e/dashboards
	$(call banner,saved objects of Kibana in the validator of Elastic)
	go -C internal/tools/packagespec test -v -count=1 .

.PHONY: e2e-packages
e2e-packages: ## test bin/packages (make packages): install, upgrade, and remove in a chroot of Debian, rpm, arm64 under qemu-user; needs root on Debian, debootstrap, rpm, qemu-user-static
	$(call banner,tests of the packages)
	go -C internal/tools/packages test ./...
	@scripts/packages.sh

.PHONY: e2e-engines
e2e-engines: bin/auspex-demo ## compare Spark 3.5 and 4 on real clusters, and Beam, with auspex backtest, with processes killed, and measure throughput; needs Python 3 and JDK 17; 45 minutes; ONLY=check,check
	$(BUILD) -o bin/auspex ./cmd/auspex
	$(call banner,engines in $(CACHE) (3 minutes the first time))
	@scripts/engines.sh spark 3.5.8
	@scripts/engines.sh spark 4.3.0
	$(call banner,client of the worker)
	cd engines/worker/python && $(CACHE)/engines/spark-4.3.0/bin/python -m unittest
	$(call banner,Spark)
	$(CACHE)/engines/spark-4.3.0/bin/python engines/spark/e2e/run.py --wheel "$$(engines/build.sh spark)" $(if $(ONLY),--only $(ONLY)) \
	  --engine 3.5.8=$(CACHE)/engines/spark-3.5.8 --engine 4.3.0=$(CACHE)/engines/spark-4.3.0
	$(call banner,Beam)
	engines/beam/test.sh install
	engines/beam/test.sh
	engines/beam/test.sh measure --points 1000
	engines/beam/test.sh measure --points 10000

.PHONY: e2e-cost
e2e-cost: build ## measure CPU per million points with and without the processor, memory per 1,000 series, and the gain of a second core
	go run ./e2e/cost

.PHONY: campaign
campaign: build ## inject random faults with every receiver and exporter and real backends; print lost records, memory, and p99; about 25 minutes; SEED=n, HOURS=n
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh prometheus
	@scripts/peers.sh elasticsearch 8
	$(call banner,campaign of random faults)
	go run ./e2e/campaign $(if $(SEED),-seed $(SEED)) $(if $(HOURS),-hours $(HOURS))

.PHONY: soak
soak: build ## measure growth of memory and drift of false alarms at half load; HOURS=n (1)
	$(call banner,soak)
	go run ./e2e/campaign -soak -hours $(or $(HOURS),1)

.PHONY: peers
peers: ## install the servers for the tests into the cache
	$(call banner,peers in $(CACHE) (up to 6 minutes the first time))
	@scripts/peers.sh prometheus

.PHONY: race
race: ## run tests with the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -Ev '/(distro|e2e|eval|demo|dashboards)(/|$$)')

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (20s)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' . || true); do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
	    printf '\n--- %s in %s\n' $$target $$(dirname $$file); \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
	  done; \
	done

COUNT ?= 6
BENCH ?= .
.PHONY: bench
bench: ## run benchmarks and write bin/bench.txt; BENCH=regexp, COUNT=n, OLD=file to compare with
	@mkdir -p bin
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(UNIT) | tee bin/bench.txt
	$(TOOL) benchstat $(OLD) bin/bench.txt

# Reports read public data sets from $AUSPEX_EVAL. eval/evaldata defines the default.
.PHONY: quality-calibration
quality-calibration: ## report false-alarm shares and recall of the models
	go run ./eval/calibration

.PHONY: quality-metrics
quality-metrics: ## report NAB, invariance, false alarms, and traps of the metric engine; COST=1 adds time and memory; FULL=1 uses 10,000 series (40 minutes on one core)
	go run ./eval/metrics $(if $(COST),-cost) $(if $(FULL),-full)

.PHONY: quality-cloud
quality-cloud: ## report event recall on labeled cloud telemetry at equal false alarms, with standard errors and delays
	go run ./eval/cloud

.PHONY: quality-faults
quality-faults: ## report event recall of the product, standard detectors, and an oracle; SPEC=FILE sets other seeds and families, CADENCES=1 adds the same signals at three cadences
	go run ./eval/faults $(if $(SPEC),-spec $(SPEC)) $(if $(CADENCES),-cadences)

# The build tag excludes the code that leaves out a view from every other binary.
.PHONY: quality-ablation
quality-ablation: ## report the contribution of each view of the metric model on cloud telemetry, NAB, and the telemetry bench; QUICK=1 draws fewer series, ONLY=view,view
	go test -tags ablation -run TestLeaveOut ./internal/detect/ensemble
	go run -tags ablation ./eval/ablation $(if $(QUICK),-quick) $(if $(ONLY),-only $(ONLY))

.PHONY: quality-logs
quality-logs: ## report accuracy of mined log templates, agreement of replicas, speed, and memory during a flood of junk
	go run ./eval/logs

.PHONY: quality-rca
quality-rca: ## report the ranking of suspects for known faults, also on a renamed copy; SEED=n, VARY=1 adds copies with less data
	go run ./eval/rca $(if $(SEED),-seed $(SEED)) $(if $(VARY),-vary)

.PHONY: quality-hotrod
quality-hotrod: ## report whether a recorded fault opens anomalies again when it is repeated an hour later
	go run ./eval/hotrod

.PHONY: quality-shop
quality-shop: bin/auspex-demo ## report the backtest's findings on the demo shop with each fault and without; SEEDS=n (3) shops per fault
	$(BUILD) -o bin/auspex ./cmd/auspex
	go run ./eval/shop $(if $(SEEDS),-seeds $(SEEDS))

##@ Maintenance

.PHONY: lint
lint: $(GOLANGCI) ## check with linters, banned words, module tidiness, changelog fragments, workflows, and shell syntax
	$(call banner,golangci-lint)
	$(GOLANGCI) run $(LINT)
	$(call banner,banned words (docs/style.md))
	go test -count=1 -run 'BannedWords' ./internal/archtest
	$(call banner,go.mod$(comma) changelog fragments$(comma) workflows$(comma) scripts)
	go mod tidy -diff
	go -C internal/tools/packages mod tidy -diff
	$(TOOL) chloggen validate --config .chloggen/config.yaml
	$(TOOL) actionlint
	@for script in scripts/*.sh .ci/run; do bash -n $$script || exit 1; done

# The collector is built again with symbols, which identify its vulnerable functions.
.PHONY: govulncheck
govulncheck: ## check the collector for known vulnerabilities; DB=url of a database other than vuln.go.dev
	go build -o bin/otelcol-auspex-symbols ./distro
	$(TOOL) govulncheck $(if $(DB),-db $(DB)) -mode=binary bin/otelcol-auspex-symbols

.PHONY: format
format: $(GOLANGCI) ## format all files
	$(GOLANGCI) fmt $(LINT)

# The linter is cached by version outside the tree, because its build takes minutes.
$(GOLANGCI):
	$(call banner,golangci-lint $(GOLANGCI_VERSION) (about 4 minutes on 2 cores$(comma) once))
	@mkdir -p $(@D)
	cd internal/tools/lint && go build -o $@.part github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@mv $@.part $@

# READMEs of components with a section that mdatagen writes.
READMES = $(patsubst %/metadata.yaml,%/README.md,$(wildcard */*/metadata.yaml))

.PHONY: generate
generate: ## generate the distribution, component metadata, and dashboards
	$(call banner,the distribution)
	$(TOOL) builder --config builder-config.yaml --skip-get-modules --skip-compilation
	@# The builder's program has one exit code for all errors. distro/exit.go distinguishes them.
	@sed -i.orig 's/os\.Exit(1)/os.Exit(exitCode(err))/' distro/main.go && rm distro/main.go.orig
	$(call banner,component metadata)
	go generate $(patsubst %,./%/...,$(wildcard receiver processor exporter connector extension))
	@# mdatagen has only the addresses of OpenTelemetry's own distributions.
	@sed -i.orig 's#^\[auspex\]: *$$#[auspex]: https://github.com/auspex-otel/auspex#' $(READMES)
	@rm $(addsuffix .orig,$(READMES))
	$(if $(wildcard dashboards/*.go),$(call banner,dashboards))
	$(if $(wildcard dashboards/*.go),go run ./dashboards/generate)

.PHONY: check-generated
check-generated: ## generate, and fail if files changed
	@mkdir -p bin; \
	state() { git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null; }; \
	state > bin/generated.before; \
	$(MAKE) --no-print-directory generate; \
	state > bin/generated.after; \
	diff bin/generated.before bin/generated.after || { echo 'Generated files were out of date. Commit the changes.'; exit 1; }

.PHONY: changelog
changelog: ## create a changelog fragment; NAME=what-changed
	@test -n '$(NAME)' || { echo 'make changelog NAME=what-changed'; exit 2; }
	$(TOOL) chloggen new --config .chloggen/config.yaml --filename '$(NAME)'

.PHONY: changelog-release
changelog-release: ## move the changelog fragments into CHANGELOG.md, as the section of the version
	$(TOOL) chloggen update --config .chloggen/config.yaml --version v$(VERSION)

.PHONY: clean
clean: ## remove bin/ and test output; keep caches
	rm -rf bin e2e/out eval/out

comma := ,
