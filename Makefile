# STRESS multiplies the sizes of the long tests: random sequences, repeated runs,
# millions of requests.
STRESS ?= 100
FUZZTIME ?= 60s
SAMPLE ?= 40
SEED ?= 1

.PHONY: check distributed race stress fuzz corpus bench bench-ordered bench-runtimes mutate lint site

check: ## everything that must hold before a change lands
	.ci/run

race: ## the race detector on both runtimes; on the ordered one the standard library is compiled for it first
	go test -race -shuffle=on ./...
	go tool qtests test -race ./qtests ./qtests/internal/ordered ./qtests/breaker ./qtests/pool

stress: ## the long forms of the tests, on both runtimes
	QTESTS_GATE=1 QTESTS_STRESS=$(STRESS) go test -count=1 -timeout 180m -v ./...
	QTESTS_STRESS=$(STRESS) go tool qtests test -count=1 -timeout 180m -v ./qtests ./qtests/internal/...
	cd promql && QTESTS_STRESS=$(STRESS) go test -count=1 -timeout 180m -v ./...
	go build -o .tools/qtests ./qtests/cmd/qtests
	cd bench && QTESTS_STRESS=$(STRESS) go test -count=1 -timeout 30m -v -run TestLongRunStaysSmall .
	for m in bench hpa otel pgwire promql realworld/services; do (cd $$m && $(CURDIR)/.tools/qtests test -count=1 -timeout 60m ./...) || exit 1; done
	for m in bench deploy promql realworld realworld/services; do (cd $$m && GOTOOLCHAIN=go1.27.3 go test -count=1 -timeout 60m ./...) || exit 1; done
	cd realworld && QTESTS_STRESS=$(STRESS) go test -count=1 -timeout 180m -v ./...
	cd realworld && QTESTS_STRESS=$(STRESS) go tool qtests test -count=1 -timeout 180m -v ./...
	GOTOOLCHAIN=go1.27.3 go build -o .tools/qtests-go1.27.3 ./qtests/cmd/qtests
	cd realworld && GOTOOLCHAIN=go1.27.3 $(CURDIR)/.tools/qtests-go1.27.3 test -count=1 -timeout 60m ./...

distributed: ## what needs more than Go: a Slurm cluster of two nodes on loopback, the image of Kubernetes, schemas and types of npm
	cd deploy && QTESTS_DISTRIBUTED=1 go test -count=1 -timeout 30m -v ./...
	QTESTS_DISTRIBUTED=1 go test -count=1 -timeout 10m -v -run TypeScript ./qtests/load/k6

fuzz:
	for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done

corpus: ## counts the rules in the files under DIR that load; promql/corpus/sources.txt says where such files are
	cd promql && QTESTS_CORPUS=$(abspath $(DIR)) go test -count=1 -run '^TestCorpus$$' -v .

bench: ## ours beside the peers, in turn: writes bench/RESULTS.md
	cd bench && go test -run '^TestResults$$' -timeout 20m -results=RESULTS.md .

bench-ordered: ## the same on the ordered runtime: writes bench/ordered/RESULTS.md
	go build -o .tools/qtests ./qtests/cmd/qtests
	cd bench && ../.tools/qtests test -count=1 -run '^TestResults$$' -timeout 20m -args -results=ordered/RESULTS.md

bench-runtimes: ## the ordered runtime beside the stock one: writes bench/RUNTIMES.md
	cd bench && go test -run '^TestRuntimes$$' -timeout 20m -v -runtimes=RUNTIMES.md .

mutate: ## makes sampled mutants of each package: a test must notice. PACKAGES=./qtests/breaker SAMPLE=40 SEED=1
	SAMPLE=$(SAMPLE) SEED=$(SEED) go run ./.ci/mutants $(or $(PACKAGES),$$(go list -f "{{.Dir}}" ./qtests/... | sed "s,^$(CURDIR),.,"))

HUGO = github.com/gohugoio/hugo@v0.152.2

site: ## README, docs and the comments of the packages as pages of HTML, in _site
	rm -rf _site && go run ./docs/site _site/.content
	cd docs/site && CGO_ENABLED=0 go run $(HUGO) --quiet --noBuildLock

lint: ## golangci-lint, with staticcheck in it, over every module
	.ci/lint
