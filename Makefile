# Everything a person types. `make` alone lists it. Needs GNU make and Python 3.11; nothing is installed outside .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.setup
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# pip talks a lot; VERBOSE=1 lets it.
PIP    := $(BIN)/python -m pip --disable-pip-version-check $(if $(VERBOSE),,-qq)
IS_311 := import sys; sys.exit(sys.version_info[:2] != (3, 11))

.PHONY: help setup demo serve prepare test check format bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-9s %s\n", $$1, $$2 }'

setup: $(STAMP) ## make .venv and install everything into it; at once where nothing has changed
	@:

$(STAMP): pyproject.toml
	@"$(PYTHON)" -c '$(IS_311)' 2>/dev/null || [ -x $(BIN)/python ] || \
		{ echo 'Tocsin needs Python 3.11: install it, or name one with make setup PYTHON=/path/to/python3.11' >&2; exit 1; }
	@[ -x $(BIN)/python ] && $(BIN)/python -c '$(IS_311)' || \
		{ echo 'Making $(VENV) with $(PYTHON)'; "$(PYTHON)" -m venv --clear $(VENV); }
	@# torch first and so spelled: with it there, nothing asks for a newer one with gigabytes of CUDA packages.
	@echo 'Installing torch 2.13.0 into $(VENV) (minutes the first time)'
	@$(PIP) install torch==2.13.0
	@echo 'Installing Tocsin and its tools (minutes the first time)'
	@$(PIP) install -e '.[dev]'
	@touch $@
	@echo 'Ready. Next: make demo'

demo: setup ## a synthesised week at high speed until the alert rings; ONCE=1 ends after it
	@$(BIN)/tocsin demo $(if $(ONCE),--once) $(ARGS)

serve: setup ## the whole service on this machine; more options with ARGS="..."
	@$(BIN)/tocsin serve $(ARGS)

prepare: setup ## make the encoder ready now instead of at first use
	@$(BIN)/tocsin prepare $(ARGS)

test: setup ## all tests; some with ARGS="tests/models -k surge"
	@$(BIN)/python -m pytest $(ARGS)

check: setup ## format, lint, types and the direction of imports
	@$(BIN)/ruff format --check --quiet . || { echo 'make format mends this' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## write the files as make check wants them
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup ## every figure beside its peer, on this machine; some with ARGS="live --json FILE"
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

clean: ## remove .venv and what the tools left
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
