# `make help` tells what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FEED ?= on
# Two cores are enough for everything here; libraries that would take all of them are told so.
export OMP_NUM_THREADS ?= 2
export TOKENIZERS_PARALLELISM ?= false
export UV_LINK_MODE ?= hardlink

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run clean-data test lint type fmt unit integration e2e bench train evaluate check-data lock

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.run-ready ## make .venv and install what running needs

setup-test: $(VENV)/.test-ready ## add torch and what the tests need
	@command -v promtool >/dev/null || deploy/install-promtool.sh

run: setup ## start the embedded stack and the demo feed (FEED=off leaves the feed out)
	@exec $(BIN)/python -m deploy.local up --feed $(FEED)

clean-data: setup ## forget what broker and database of the embedded stack hold
	@$(BIN)/python -m deploy.local clean

test: setup-test lint unit integration e2e ## run every check

lint: setup-test ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

type: setup-test ## types only
	$(BIN)/mypy

fmt: setup-test ## format, and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: setup-test ## tests without broker and database, and the checks of deploy/
	$(BIN)/pytest tests/unit

integration: setup-test ## tests with the embedded broker and database
	$(BIN)/pytest tests/integration

e2e: setup-test ## tests of the whole stack as real processes
	$(BIN)/pytest tests/e2e

bench: setup-test ## measure ourselves beside a peer; prints ratios
	$(BIN)/python -m benchmarks

train: setup-test ## train as the shipped model was: neighbouring tasks, then our own data (about an hour; resumable)
	$(BIN)/python -m services.autoqa.training train --out runs/auxiliary --epochs 0 --auxiliary-epochs 1 --average-decay 0.99
	$(BIN)/python -m services.autoqa.training train --start runs/auxiliary --average-decay 0.997

evaluate: setup-test ## rebuild docs/evaluation.md from weights and data (minutes)
	$(BIN)/python -m services.autoqa.training evaluate

check-data: setup-test ## read the labelled data critically, rebuild docs/data-check.md and the data card's counts
	$(BIN)/python -m services.autoqa.training check

lock: setup ## pin and hash all dependencies anew
	requirements/lock.sh

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v == (3, 11) else "Python 3.11 is needed, %s is %d.%d; name another with PYTHON=..." % (sys.executable, *v))'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run-ready: $(BIN)/uv requirements/run.txt
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready requirements/test.txt
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes -r requirements/test.txt
	@touch $@
