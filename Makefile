# One target per habit; those about code go through both modules.
MODULES := sfukit .
each = set -e; for m in $(MODULES); do (cd $$m && echo "== $$m: $(1)" && $(1)); done

# Both modules are built alone, as their users see them; go.work is for editors,
# and "make workspace" tells whether it still holds.
export GOWORK := off

ARGS ?=
FUZZTIME ?= 20s
BROWSER_TESTS := ^TestBrowser

.DEFAULT_GOAL := help
.PHONY: help demo test unit browser race fuzz bench bench-speaker bench-rewrite bench-stack bench-chromium scenes sim mutate screenshot \
	lint fmt vet alone workspace tidy layers api precommit hooks modules

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: modules ## a video call on this machine: make demo, make demo ARGS=-https
	@go build -o bin/basic-sfu ./examples/basic-sfu
	@exec bin/basic-sfu $(ARGS)

# One after the other: a browser that shares two cores with a test suite is late.
test: modules ## every test of both modules, those in the browser included
	@.ci/need browser shaping
	@$(MAKE) --no-print-directory fmt alone unit browser

unit: ## the tests that need no browser
	@$(call each,go test -timeout=6m -shuffle=on -skip='$(BROWSER_TESTS)' ./...)

browser: ## the tests in a headless browser, one of them behind a narrow link, which takes root
	@.ci/need browser shaping
	@go test -list '$(BROWSER_TESTS)' ./examples/basic-sfu | grep -q '$(BROWSER_TESTS)' || \
		{ echo 'make browser: no test matches $(BROWSER_TESTS)' >&2; exit 1; }
	go test -count=1 -timeout=8m -v -run='$(BROWSER_TESTS)' ./examples/basic-sfu

# What has no goroutine has no race: the packages that calculate for minutes are left
# out, and the scenarios over the whole stack, whose parts others test.
race: modules ## the tests under the race detector
	@.ci/need cc
	@$(call each,go test -race -timeout=12m -shuffle=on -skip='$(BROWSER_TESTS)|^TestStack' \
		$$(go list ./... | grep -vE '/sfukit/(allocate|bwe|rewrite|sim|speaker)$$'))

fuzz: modules ## every fuzz target for FUZZTIME, 20s each
	@.ci/fuzz $(FUZZTIME)

bench: modules ## benchmarks of the packet path, as a table in docs/bench
	@.ci/bench docs/bench/packet-path.md

bench-speaker: modules ## speaker detection against recorded scenes, as tables in docs/bench
	cd sfukit && go test -count=1 ./speaker -run='^TestScenes$$' -update-bench='$(CURDIR)/docs/bench/speaker.md'

bench-rewrite: modules ## 12 000 random switches per codec and more, before a model of a receiver, as a table in docs/bench
	cd sfukit && go test -count=1 ./rewrite -timeout=30m -run='^TestReceiver$$' -switches=2000 -update-bench='$(CURDIR)/docs/bench/rewriting.md'

bench-chromium: modules ## a browser behind 400 kbit/s and 3 Mbit/s, as a table in docs/bench; as root
	@.ci/need browser shaping
	SFU_BENCH_DOC='$(CURDIR)/docs/bench/chromium-bottleneck.md' \
		go test -tags=bottleneck -count=1 -timeout=4m -v -run='^TestBrowserBottleneck$$' ./examples/basic-sfu

bench-stack: modules ## key scenarios over the whole stack in virtual time, beside package sim, as a table in docs/bench
	cd sfukit && go test -count=1 . -run='^TestStack$$' -update-bench='$(CURDIR)/docs/bench/stack.md'

scenes: modules ## the level traces of those scenes, from their scripts; a minute or two
	@.ci/need espeak-ng
	go run ./examples/internal/scenes sfukit/speaker/testdata/scenes/*.txt

sim: modules ## scenarios in virtual time: tables and plots in docs/bench
	go run ./examples/sim -seeds 5 -out docs/bench/sim

mutate: modules ## break the kit on purpose: the scenarios must notice; a table in docs/bench
	@mkdir -p bin
	go run ./examples/internal/mutate > bin/mutations.md
	mv bin/mutations.md docs/bench/mutations.md

screenshot: modules ## the picture in the README, taken by a browser test
	@.ci/need browser
	@rm -f docs/images/call.png
	SFU_SCREENSHOT='$(CURDIR)/docs/images/call.png' \
		go test -count=1 -timeout=3m -run='^TestBrowser$$/^screenshot$$' ./examples/basic-sfu
	@test -s docs/images/call.png

lint: modules ## gofumpt and staticcheck; golangci-lint as well where it is installed
	@go build -o bin/ honnef.co/go/tools/cmd/staticcheck mvdan.cc/gofumpt
	@bad=$$(bin/gofumpt -l sfukit edge examples); [ -z "$$bad" ] || \
		{ printf 'not as gofumpt has it, run bin/gofumpt -w on\n%s\n' "$$bad" >&2; exit 1; }
	@$(call each,$(CURDIR)/bin/staticcheck ./...)
	@if command -v golangci-lint >/dev/null; then $(call each,golangci-lint run --config '$(CURDIR)/.golangci.yml'); \
		else echo 'golangci-lint is not installed: not run'; fi

fmt: ## every file is formatted
	@bad=$$(gofmt -l sfukit edge examples); [ -z "$$bad" ] || \
		{ printf 'not formatted, run gofmt -w on\n%s\n' "$$bad" >&2; exit 1; }

vet: ## go vet
	@$(call each,go vet ./...)

alone: ## each module builds without the other's go.mod
	@$(call each,go build ./... && go vet ./...)

workspace: ## both modules build together through go.work
	GOWORK='$(CURDIR)/go.work' go build ./... ./sfukit/...

tidy: ## go.mod and go.sum hold what is used and no more
	@$(call each,go mod tidy -diff)

layers: ## who may import whom, and the other gates
	@cd sfukit && go test ./internal/lint
	@go test ./edge/internal/lint

api: ## accept the kit's exported declarations as they are now
	cd sfukit && go test ./internal/lint -run='^TestAPI$$' -update
	@git diff --stat -- sfukit/internal/lint/testdata

precommit: fmt vet layers ## what the git hook runs

hooks: ## install the git hooks, once per clone
	git config core.hooksPath .githooks

modules:
	@.ci/need go modules
