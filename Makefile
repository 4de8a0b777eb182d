# `make demo` and `make test` are all a newcomer needs; everything else serves those who work here.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR)/layers/expose/python:$(CURDIR)
export SAM_CLI_TELEMETRY := 0
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test farm figures lint format lock build clean

demo: $(VENV)/.ready  ## the main job on the farm, with a verdict; ARGS=--fast for a hurry
	@python -m farm demo $(ARGS)

test: $(VENV)/.ready lint  ## every check and every test
	@pytest $(ARGS)

farm: $(VENV)/.ready  ## a pocket AWS on loopback, until interrupted
	@python -m farm run $(ARGS)

figures: $(VENV)/.ready  ## what a rotation and a minute at rest cost
	@python -m farm figures $(ARGS)

lint: $(VENV)/.ready
	@ruff check .
	@ruff format --check --quiet .
	@mypy
	@lint-imports --no-cache > .lint-imports.log || { cat .lint-imports.log; exit 1; }

format: $(VENV)/.ready
	@ruff check --fix . ; ruff format .

lock: $(VENV)/.ready  ## renew the pinned versions
	@uv pip compile --universal --python-version 3.11 --group dev pyproject.toml -o requirements.lock \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-extras --upgrade

build: $(VENV)/.ready
	@sam build

clean:
	rm -rf $(VENV) .aws-sam .mypy_cache .ruff_cache .pytest_cache .lint-imports.log

$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecs-expose needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .  # the command: expose
	@touch $@
