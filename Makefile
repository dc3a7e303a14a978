# Every verb that a developer types; CI calls only these. Each first says which tools it lacks, then works.
# What is longer than a line is a script in scripts/, which also runs by itself.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

build_tools := cargo cc jdk mvn
need := @scripts/need.sh

.PHONY: help run test jar install classpath fmt check-fmt lint test-rust test-jvm test-middleware test-boundary \
	test-stress test-consumer techempower-verify soak fuzz fuzz-smoke fuzz-corpus bench bench-quick bench-compare \
	bench-instructions bench-load bench-native bench-report bench-jvm bench-read instructions instructions-record docs ci clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 27

run: ## build everything and serve examples/hello on 127.0.0.1:8080 (PORT=); Ctrl-C drains
	$(need) $(build_tools)
	@exec scripts/run.sh

test: ## everything: formats, lints, Rust and JVM tests, Ring's middleware, boundary faults, the consumer project, TechEmpower's rules
	$(need) $(build_tools) rustfmt clippy npm python3
	@exec scripts/test.sh

jar: ## build the jar; the last line is its path
	$(need) $(build_tools)
	@exec scripts/jar.sh

install: ## put the jar into the local Maven repository
	$(need) $(build_tools)
	@exec scripts/install.sh

classpath: ## print a run-time class path: the jar, Clojure and the rest
	$(need) $(build_tools)
	@exec scripts/classpath.sh runtime

fmt: ## format Rust, Java and Clojure
	$(need) cargo rustfmt jdk mvn npm
	@exec scripts/format.sh fix

check-fmt: ## fail where make fmt would change something
	$(need) cargo rustfmt jdk mvn npm
	@exec scripts/format.sh check

lint: ## clippy, javac -Xlint and reflection warnings, all as errors
	$(need) $(build_tools) clippy
	@exec scripts/lint.sh

test-rust: ## the Rust tests
	$(need) cargo cc
	@exec scripts/test.sh rust

test-jvm: ## the Clojure tests on each JDK found, and on the oldest Clojure
	$(need) $(build_tools)
	@exec scripts/test.sh jvm

test-middleware: ## Ring's own middleware (Debian's packages, downloaded once) on Hinny, on each JDK found
	$(need) $(build_tools)
	@exec scripts/test.sh middleware

test-boundary: ## the fault tests under -Xcheck:jni
	$(need) $(build_tools)
	@exec scripts/test.sh boundary

test-stress: ## large bodies, slow and many clients, rolling restarts
	$(need) $(build_tools)
	@exec scripts/test.sh stress

test-consumer: ## a separate project on the published jar
	$(need) $(build_tools)
	@exec scripts/test-consumer.sh

techempower-verify: ## the TechEmpower applications, all variants, against the suite's rules; ARGS=--save keeps the rows
	$(need) $(build_tools) python3
	@exec techempower/verify/run.py $(ARGS)

soak: ## load of all sorts for MINUTES= (10): whether the server grows, whether all answers are right
	$(need) $(build_tools)
	@exec scripts/soak.sh $(MINUTES)

fuzz: ## the fast lane beside hyper for MINUTES= (30) of made-up connections: executions, or the first difference
	$(need) cargo cc c++
	@exec scripts/fuzz.sh run $$(($(or $(MINUTES),30) * 60))

fuzz-smoke: ## the same for a minute
	$(need) cargo cc c++
	@exec scripts/fuzz.sh run 60

fuzz-corpus: ## put what make fuzz found on this machine into tests/fuzz/corpus
	$(need) cargo cc c++
	@exec scripts/fuzz.sh corpus

bench: ## Hinny beside all rivals, everything, into docs/performance.md: about 40 minutes (wrk); ARGS= goes to run.py, here and below
	$(need) $(build_tools) wrk python3
	@exec scripts/bench.sh load --full --save $(ARGS)

bench-quick: ## Hinny beside hyper and Netty in less than five minutes: it steers, it claims nothing
	$(need) $(build_tools) wrk python3
	@exec scripts/bench.sh load --quick $(ARGS)

bench-load: ## rows of it, ARGS="--scenario json --peer all"; ARGS=--routes: routes beside nginx; ARGS=--help has the rest
	$(need) $(build_tools) wrk python3
	@exec scripts/bench.sh load $(ARGS)

bench-native: ## the Rust micro benchmarks (criterion)
	$(need) cargo cc
	@exec scripts/bench.sh native $(ARGS)

bench-report: ## make docs/performance.md, its plots and the README's figures of benches/load/results; nothing is measured
	$(need) python3
	@exec benches/load/performance.py

bench-jvm: ## the JVM micro benchmarks (JMH)
	$(need) $(build_tools)
	@exec scripts/bench.sh jvm $(ARGS)

bench-read: ## reading JSON and queries beside Jackson, data.json, cheshire and ring-codec, in turn, on each JDK found
	$(need) $(build_tools)
	@exec scripts/bench.sh read $(ARGS)

bench-instructions: ## instructions for a request, fast lane and hyper, and for a call of each codec (valgrind)
	$(need) cargo cc python3 valgrind
	@exec scripts/bench-instructions.sh $(ARGS)

instructions: ## the same, held against benches/native/instructions.tsv
	$(need) cargo cc python3 valgrind
	@exec scripts/bench-instructions.sh --check

instructions-record: ## write them into that table
	$(need) cargo cc python3 valgrind
	@exec scripts/bench-instructions.sh --record

bench-compare: ## this tree beside BASE= (a commit): rps, CPU, instructions; what a perf commit quotes
	$(need) $(build_tools) wrk python3
	@exec scripts/bench-compare.sh "$(BASE)" $(ARGS)

docs: ## write docs/options.md and the tables of docs/migration.md; the reference of the Rust crates and of the shim, broken links as errors
	$(need) $(build_tools)
	@exec scripts/docs.sh

ci: ## what CI runs
	@exec .ci/run

clean: ## remove what was built (downloaded tools stay)
	rm -rf target java-shim/target clj/target benches/jvm/target benches/load/*-peer/target benches/load/hinny-server/target
