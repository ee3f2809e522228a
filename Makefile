# make help lists the verbs. Nothing here needs more than Python 3.11 (with venv) and make.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do if command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
VENV ?= .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: help run test lint types bench quality db worker lock clean

help: ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.runtime ## set up what is missing, then serve http://127.0.0.1:8000 with its worker
	@$(PY) -m quizapp.serve

test: $(VENV)/.dev ## the whole suite on both databases
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(VENV)/.dev ## style and the banks' own lint
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	@QUIZAPP_ENV=testing $(VENV)/bin/flask --app wsgi questions lint

types: $(VENV)/.dev ## mypy, strict
	@$(VENV)/bin/mypy

bench: $(VENV)/.dev ## speed as ratios measured in one run; writes docs/benchmarks.md
	@$(PY) -m bench $(ARGS)

quality: $(VENV)/.dev ## after questions changed: registry of statutes and docs/question-quality.md anew (LAWS=folder of statutes)
	@if [ -n "$(LAWS)" ]; then $(PY) -m tools.registry $(LAWS); fi
	@$(PY) -m tools.question_quality $(LAWS)

db: $(VENV)/.runtime ## migrate the database that DATABASE_URL names (default: the embedded one)
	@$(VENV)/bin/flask --app wsgi db upgrade

worker: $(VENV)/.runtime ## the timetable alone
	@$(VENV)/bin/flask --app wsgi worker run

lock: $(VENV)/.dev ## compile both lock files anew
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header requirements/runtime.in -o requirements/runtime.txt
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt

clean: ## forget the environment and the embedded database
	@rm -rf $(VENV) var

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is missing: install python3 (Debian: apt install python3 python3-venv)"; exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt | $(VENV)/bin/python
	@$(PIP) -r requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/bin/python
	@$(PIP) -r requirements/dev.txt
	@touch $(VENV)/.runtime $@
