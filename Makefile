# Builds, tests, shows and installs Tortoise. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:

PREFIX ?= /usr/local
DESTDIR ?=
ADDRESS ?= localhost:8000

# What tools/setup found: PATH, the PHP to use, the Python to use.
environment := . .build/environment
run := tools/logged
quickstart := -n -d extension=dist/tortoise.so -d tortoise.path=examples/quickstart/classes \
  -d tortoise.python="$$TORTOISE_PYTHON"

##@ Use
.PHONY: help
help: ## Show this list
	@awk -v bold="$$([[ ! -t 1 ]] || tput bold)" -v plain="$$([[ ! -t 1 ]] || tput sgr0)" 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %smake %-18s%s%s\n", bold, $$1, plain, $$2 }' Makefile
	@printf '\n%s\n' 'The first run of each installs what this machine lacks (as root or with sudo).'

.PHONY: demo
demo: build ## Run the example: Python classes used from PHP
	@$(environment)
	"$$php_cli" $(quickstart) examples/quickstart/demo.php

.PHONY: demo-page
demo-page: build ## Serve the example as a page (ADDRESS=localhost:8000)
	@$(environment)
	"$$php_cli" $(quickstart) -S $(ADDRESS) examples/quickstart/index.php

##@ Build
.PHONY: build
build: setup-build ## Build dist/: the extension, the sidecar, the Python module
	@$(environment)
	cargo build --release -p tortoise-extension -p tortoise-sidecar -p tortoise-worker
	tools/collect

.PHONY: install
install: ## Install dist/ under PREFIX=/usr/local (and DESTDIR=), and the extension for PHP
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' tools/install

.PHONY: uninstall
uninstall: ## Remove what `make install` installed
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' tools/install --remove

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf target dist .build

##@ Test
.PHONY: test
test: lint test-unit test-model test-integration test-instructions ## Run everything that CI runs
	@tools/logged --summary

.PHONY: lint
lint: setup-test ## Check style: clippy, rustfmt, ruff, php -l
	@$(environment)
	$(run) clippy cargo clippy --workspace --all-targets --locked -- -D warnings
	$(run) rustfmt cargo fmt --check
	$(run) ruff .build/venv/bin/ruff check --quiet .
	$(run) ruff-format .build/venv/bin/ruff format --check --quiet .
	$(run) php-syntax tools/php-syntax "$$php_cli"

.PHONY: format
format: setup-test ## Bring Rust and Python into shape
	@$(environment)
	cargo fmt
	.build/venv/bin/ruff check --fix --quiet .
	.build/venv/bin/ruff format --quiet .

.PHONY: test-unit
test-unit: setup-test build ## Run the crates' tests and the Python part's
	@$(environment)
	$(run) cargo-test cargo test --workspace -- --quiet
	TORTOISE_LIBRARY="$$PWD/dist/lib/tortoise" $(run) pytest .build/venv/bin/python -m pytest -q crates/worker/tests

.PHONY: test-integration
test-integration: setup-test build ## Run PHPUnit against the built extension and a real sidecar
	@$(environment)
	$(run) phpunit tests/run "$$php_cli"

# What docs/faults.md names: each fault, and what comes of it.
.PHONY: test-faults
test-faults: setup-test build ## Run the tests of faults: hostile peers, lost processes, full disks, overload
	@$(environment)
	$(run) phpunit-faults tests/run "$$php_cli" tests/faults
	$(run) phpunit-sidecar tests/run "$$php_cli" tests/sidecar
	$(run) cargo-faults cargo test -p tortoise-channel -p tortoise-sidecar -- --quiet
	TORTOISE_LIBRARY="$$PWD/dist/lib/tortoise" $(run) pytest-faults .build/venv/bin/python -m pytest -q \
	  crates/worker/tests/test_process.py crates/worker/tests/test_protocol.py

# SECONDS=60 says how long, COMMANDS=reload,restart what is run in turn, once a second; COMMANDS=none: nothing, to compare.
.PHONY: test-load
test-load: setup-load $(if $(TORTOISE_DIST),,build) ## Serve pages of FPM under load while the sidecar is reloaded and restarted
	@$(environment)
	"$$TORTOISE_PYTHON" -m tests.load --php-fpm "$$php_fpm" --python "$$TORTOISE_PYTHON" \
	  --dist "$${TORTOISE_DIST:-dist}" $(foreach name,SECONDS COMMANDS,$(option))

##@ Measure
# ROUNDS=5 SECONDS=0.2 PEERS=json,tortoise WORKLOADS=W1,W8 CLIENTS=1,2,8 CHILDREN=1,8,64 say what and how long; JSON=FILE saves
# the result, READ=FILE shows a saved one. PHPY_SO=FILE compares with phpy, TORTOISE_DIST=DIR measures another build.
.PHONY: bench
bench: setup-bench $(if $(TORTOISE_DIST)$(READ),,build) ## Compare calls with other ways to call Python (PHPY_SO=phpy.so)
	@$(environment)
	$(bench)

.PHONY: bench-quick
bench-quick: setup-bench $(if $(TORTOISE_DIST)$(READ),,build) ## The same in a minute, roughly
	@$(environment)
	$(bench) --rounds 1 --seconds 0.05 --clients 1,2 --children 1,8

.PHONY: bench-docs
bench-docs: setup-bench $(if $(TORTOISE_DIST)$(READ),,build) ## The same, and write docs/performance.md
	@$(environment)
	$(bench) --write-docs docs

# CLIENTS=50 come one after another; the memory is that of IDLE=20.
.PHONY: bench-sessions
bench-sessions: setup-bench $(if $(TORTOISE_DIST),,build) ## Measure how long PHP waits for its session, and the memory of an idle one
	@$(environment)
	.build/venv-bench/bin/python -m benches.sessions --php "$$php_cli" --dist "$${TORTOISE_DIST:-dist}" \
	  $(foreach name,CLIENTS IDLE,$(option))

bench = .build/venv-bench/bin/python -m benches --php "$$php_cli" --php-fpm "$$php_fpm" --phpy "$${PHPY_SO:-}" \
  --dist "$${TORTOISE_DIST:-dist}" $(foreach name,ROUNDS SECONDS PEERS WORKLOADS CLIENTS CHILDREN JSON READ,$(option))
option = $(if $($(name)),--$(shell tr A-Z a-z <<<$(name)) '$($(name))')

# Recorded calls under callgrind, against tests/instructions/budgets.toml.
.PHONY: test-instructions
test-instructions: setup-test build ## Count the instructions of a call on each side, against their budgets
	@$(environment)
	$(run) instructions "$$TORTOISE_PYTHON" tests/instructions/count.py "$$php_cli"

.PHONY: test-model
test-model: setup-test ## Check the channel's waits and wake-ups in every order that a model of them can take
	@$(environment)
	RUSTFLAGS='--cfg loom' $(run) model cargo test --target-dir target/loom -p tortoise-channel --release --lib loom

.PHONY: soak
soak: build ## Random values and frames at full rate, compared, kill -9 on either side (SECONDS=600), a million callbacks
	@$(environment)
	part=$$(( $(or $(SECONDS),600) / 3 ))
	for shared_memory in 1 0; do
	  settings="-d extension=$$PWD/dist/tortoise.so -d tortoise.path=tests/soak/classes \
	    -d tortoise.python=$$TORTOISE_PYTHON -d tortoise.shared_memory=$$shared_memory"
	  "$$php_cli" -n $$settings tests/soak/soak.php $$part $$settings
	  "$$php_cli" -n $$settings tests/soak/callbacks.php 1000000
	done
	cargo run --quiet --release -p tortoise-channel --example soak -- $$part

# Looks for what is missing and installs it; says nothing when nothing is.
.PHONY: setup-build setup-test setup-bench setup-load
setup-build:
	@tools/setup build

setup-test:
	@tools/setup test

setup-bench:
	@tools/setup bench

setup-load:
	@tools/setup load
