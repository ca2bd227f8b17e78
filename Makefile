# `make test` is enough on a fresh machine: it sets up what it needs, from PyPI through pip as configured.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -O globstar -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
UV_VERSION := 0.13.9
WORKERS ?= 3

# Shell that prints the first interpreter of a version that the lock covers, able to make an environment.
define find_python
for candidate in "$${PYTHON:-}" python3.11 python3 python3.12 python3.13; do \
  if [ -n "$$candidate" ] && "$$candidate" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
    >/dev/null 2>&1; then echo "$$candidate"; exit 0; fi; \
done; \
echo "make: expected Python 3.11, 3.12 or 3.13 with venv on PATH; found none (set PYTHON=/path/to/python)" >&2; exit 1
endef

.PHONY: help setup servers facts demo pictures test lint check format bench lock wheel clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 12

setup: $(STAMP) ## Make .venv with the locked packages and the project itself

$(STAMP): requirements/dev.txt pyproject.toml
	@python="$$($(find_python))"; echo "setup: $$python -> $(VENV)"; "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

servers: $(STAMP) .servers/grafana.ready ## Fetch what tests start: Kafka, Grafana's client; PostgreSQL, Mosquitto, Chromium, fonts by apt-get
	@if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then echo "servers: no Kafka: Java 17 and Maven are needed"; \
	elif [ ! -e .servers/kafka.ready ] || [ tests/servers/pom.xml -nt .servers/kafka.ready ]; then \
	  rm -rf .servers/kafka; \
	  if mvn -q -B -f tests/servers/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
	    -DoutputDirectory="$$PWD/.servers/kafka" >.servers.log 2>&1; \
	  then mkdir -p .servers; touch .servers/kafka.ready; rm -f .servers.log; \
	  else echo "servers: no Kafka: Maven could not fetch it (see .servers.log)"; fi; fi
	@missing=""; \
	compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null || missing="postgresql"; \
	command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing="$$missing mosquitto"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  [ -n "$${KILOWATCH_CHROMIUM:-}" ] || missing="$$missing chromium"; \
	fonts() { command -v fc-list >/dev/null && [ -n "$$(fc-list "$$1")" ]; }; \
	fonts :lang=zh-tw || missing="$$missing fonts-noto-cjk"; fonts Inter || missing="$$missing fonts-inter"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null 2>&1; }; \
	    install || { apt-get update -qq >/dev/null 2>&1 && install; } || echo "servers: apt-get could not install: $$missing"; \
	  else echo "servers: not found, and not installed without root and apt-get: $$missing"; fi; fi

# Grafana's client brings a urllib3 of its own, so it lies apart and only the process that pushes sees it.
.servers/grafana.ready: requirements/grafana.txt requirements/run.txt | $(STAMP)
	@rm -rf .servers/grafana; mkdir -p .servers
	@awk 'NR == FNR {if (/^[a-z0-9]/) {split($$0, a, "=="); known[a[1]] = 1}; next} \
	  /^[a-z0-9]/ {split($$0, a, "=="); keep = !(a[1] in known)} keep' requirements/run.txt requirements/grafana.txt >.servers/grafana.txt
	@$(BIN)/python -m pip install --quiet --target .servers/grafana --no-deps --require-hashes --only-binary :all: -r .servers/grafana.txt \
	  || { echo "servers: no Grafana client: pip could not install it"; rm -rf .servers/grafana; }
	@touch $@

facts: ## Make dashboards/grafana/{schema,registries}.json anew from Grafana's npm packages (Node 20)
	@cd dashboards/grafana && npm ci --silent && npm run --silent generate && rm -rf node_modules

demo: setup ## Simulate six sites with every fault, take them through the pipeline, show what it found
	@$(BIN)/kilowatch demo

pictures: setup servers ## Draw docs/pictures anew: half a year of the example sites, by Chromium
	@folder="$$(mktemp -d)"; trap 'rm -rf "$$folder"' EXIT; \
	$(BIN)/kilowatch demo --cases --output "$$folder/cases" >/dev/null; \
	shot() { $(BIN)/kilowatch dashboards shot --store "duckdb:///$$folder/cases/kilowatch.duckdb" --out docs/pictures \
	  --time-zone Asia/Taipei "$$@"; }; \
	shot --dashboard kw-overview-en --dashboard kw-measures-en; shot --dashboard kw-cold-zh --language zh --theme dark

test: setup servers ## Run every test on real servers, warnings being errors
	@$(BIN)/python -m pytest -n $(WORKERS)

lint: setup ## Run every linter; report all of them before failing
	@failed=; \
	run() { echo "lint: $$*"; "$$@" || failed="$$failed $$(basename "$$1")"; }; \
	run $(BIN)/ruff check .; \
	run $(BIN)/ruff format --check .; \
	run $(BIN)/mypy --strict streams jobs dashboards; \
	run $(BIN)/lint-imports; \
	if compgen -G "sql/**/*.sql" >/dev/null; then run $(BIN)/sqlfluff lint sql; fi; \
	run $(BIN)/sqlfluff lint --templater placeholder dashboards/sql; \
	run $(BIN)/kilowatch dashboards check; \
	if [ -n "$$failed" ]; then echo "lint: failed:$$failed" >&2; exit 1; fi

check: lint servers ## Linters, then tests: what CI runs
	@$(BIN)/python -m pytest -n $(WORKERS) -W error

format: setup ## Let ruff and sqlfluff mend what they can
	@$(BIN)/ruff check --fix . || true
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix sql
	@$(BIN)/sqlfluff fix --templater placeholder dashboards/sql

bench: setup servers .venv-bench/.ready ## Measure speed here and what scores and detectors find, beside rivals
	@$(BIN)/python -m jobs.bench
	@$(BIN)/python -m jobs.bench_anomaly $(ANOMALY)
	@$(BIN)/python -m jobs.detecting $(DETECTORS)
	@$(BIN)/python -m tests.dashboards.bench
	@$(BIN)/python -m tests.servers.bench $(LIVE)

.venv-bench/.ready: requirements/bench.txt
	@python="$$($(find_python))"; "$$python" -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --require-hashes -r requirements/bench.txt || \
	  { echo "bench: no Quix Streams: pip could not install it"; rm -rf .venv-bench/bin; }
	@touch $@

wheel: setup ## Build dist/*.whl with the locked backend
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

LOCK = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade

lock: ## Renew requirements/*.txt: newest versions, every hash, no index named
	@python="$$($(find_python))"; "$$python" -m venv --clear .venv-lock
	@.venv-lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@$(LOCK) pyproject.toml --output-file requirements/run.txt >/dev/null
	@$(LOCK) pyproject.toml --extra train --output-file requirements/train.txt >/dev/null
	@$(LOCK) pyproject.toml --group dev --output-file requirements/dev.txt >/dev/null
	@$(LOCK) pyproject.toml --extra grafana --output-file requirements/grafana.txt >/dev/null
	@$(LOCK) --group bench --output-file requirements/bench.txt >/dev/null
	@rm -rf .venv-lock

clean: ## Remove the environment and every cache
	@rm -rf $(VENV) .venv-lock .venv-bench .servers .servers.log .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
