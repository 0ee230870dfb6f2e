# Two commands to begin with: `make demo` and `make test`. Everything is installed into .venv of this checkout.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
DATA ?= ./demo-data
JOBS ?= 2
ROUNDS ?= 1000
SEED ?= 20261121
RESULTS ?= .faults

.DEFAULT_GOAL := help
SDKS ?= .sdks
ORACLE ?= .oracle
MINISTACK ?= .ministack

.PHONY: help demo demo-s3 test faults sdks oracle ministack infra-test conformance check lint format bench bench-reports reliability docs wheel clean

help:  ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the connector into $(VENV)"
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "installing the development tools into $(VENV)"
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime  ## the main job for real: receiver, signed events over HTTP, tables
	@$(BIN)/connector demo --data $(DATA)

demo-s3: $(VENV)/.dev  ## the same with the tables in S3: a SeaweedFS of its own on loopback
	@$(BIN)/connector demo --s3 --data $(DATA)-s3

sdks: $(VENV)/.dev  ## Segment's official SDKs into .sdks, for the tests that run them
	@$(BIN)/python tests/sdk/install.py $(SDKS)

oracle: $(VENV)/.dev  ## Segment's own engine (npm) into .oracle, to compare with
	@$(BIN)/python tests/oracle/install.py $(ORACLE)

ministack: $(VENV)/.dev  ## an AWS emulator into .ministack, to deploy the template onto
	@$(BIN)/python tests/aws/install.py $(MINISTACK)

infra-test: ministack  ## lint, translate and package for AWS, deploy onto the emulator, and send events through
	@$(BIN)/connector infra validate
	@CONNECTOR_REQUIRE=all $(BIN)/pytest tests/infra

conformance: oracle  ## 100,000 drawn mappings, queries and events against Segment's engine; some ten minutes
	@$(BIN)/python -m tests.oracle --jobs 100000 --seed 1

test: $(VENV)/.dev  ## the whole test suite; what is skipped is listed with the reason
	@$(BIN)/pytest -n $(JOBS) --dist loadfile

faults: $(VENV)/.dev  ## 1,000 rounds of processes killed at random under traffic, and all other faults; about an hour
	@rm -f $(RESULTS)/results.jsonl
	@CONNECTOR_FAULT_ROUNDS=$(ROUNDS) CONNECTOR_FAULT_SEED=$(SEED) CONNECTOR_FAULT_RESULTS=$(RESULTS) \
	  $(BIN)/pytest -n $(JOBS) --dist loadfile --durations=10 tests/faults

reliability: $(VENV)/.dev  ## measure: load, recovery, compaction, price of durability; print docs/reliability.md; 40 minutes
	@CONNECTOR_FAULT_RESULTS=$(RESULTS) $(BIN)/python -m tests.bench.steady
	@CONNECTOR_FAULT_RESULTS=$(RESULTS) $(BIN)/python -m tests.bench.recovery
	@CONNECTOR_FAULT_RESULTS=$(RESULTS) $(BIN)/python -m tests.bench.compaction
	@CONNECTOR_FAULT_RESULTS=$(RESULTS) $(BIN)/python -m tests.bench.durability
	@$(BIN)/python -m tests.reliability $(RESULTS)

check: lint test  ## the whole gate: ruff, mypy, tests

lint: $(VENV)/.dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev  ## let ruff format and mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev  ## replay against DuckDB, receiver against itself without a journal; prints the README's table
	@$(BIN)/python -m tests.bench

bench-reports: $(VENV)/.dev  ## reports on 10 million rows against DuckDB, polars and chdb by hand; 1.1 GB, ten minutes
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m tests.bench.reports

docs: $(VENV)/.dev  ## print the generated reference pages anew
	@$(BIN)/python -m connector.reference .

wheel: $(VENV)/.dev  ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

clean:  ## remove what was installed and made here
	rm -rf $(VENV) $(SDKS) $(ORACLE) $(MINISTACK) .bundles $(RESULTS) demo-data demo-data-s3 dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
