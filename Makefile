# Needs make and Python 3.11 or newer, nothing else: each target makes .venv and fills it from the locks when they changed.
#   PYTHON=/path/to/python make …    another Python for .venv
#   make test ARGS="-k approval"     more words for pytest

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup demo run test soak bench check lint types format coverage lock clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
QUIETLY := scripts/quietly
CODE := agent approvals bot sandbox store
YAML := $(wildcard *.yml *.yaml tools/*.yaml)

# What is installed is remembered by a stamp; a lock or pyproject.toml that is newer has it installed again.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

help:  ## say what each target does
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(DEV)  ## make .venv with everything that development needs

demo: $(RUNTIME)  ## the whole product on stand-ins for Slack, mail and the model: no account, no network
	@$(BIN)/twokey demo $(ARGS)

run: $(RUNTIME)  ## the real thing, on the services named in .env
	@$(BIN)/twokey run $(ARGS)

test: $(DEV)  ## every test; says what was skipped and why
	@$(BIN)/python -m pytest -q -rs -n auto --dist worksteal $(ARGS)

soak: $(DEV)  ## real processes under fire: MINUTES=10 of everything at once, or until FAULTS=10000
	@$(BIN)/python -m pytest -q -rs tests/faults/thorough.py
	@$(BIN)/python -m tests.faults.soak $(if $(FAULTS),--faults $(FAULTS),--minutes $(or $(MINUTES),10)) $(ARGS)

bench: $(DEV)  ## what it costs, measured: a table, and JSON in the file named by ARGS
	@$(BIN)/python benchmarks/all.py $(ARGS)

check: lint types test  ## all of CI: lint, types, tests; stops at the first that fails

lint: $(DEV)  ## format, rules, import directions, dependencies, dead code, spelling, packaging, YAML
	@$(QUIETLY) $(BIN)/ruff format --check .
	@$(QUIETLY) $(BIN)/ruff check .
	@$(QUIETLY) $(BIN)/lint-imports --no-cache --no-logo
	@$(QUIETLY) $(BIN)/deptry .
	@$(QUIETLY) $(BIN)/vulture
	@$(QUIETLY) $(BIN)/codespell
	@$(QUIETLY) $(BIN)/validate-pyproject pyproject.toml
	@$(QUIETLY) $(BIN)/yamllint --strict $(YAML)

types: $(DEV)  ## mypy, strict
	@$(QUIETLY) $(BIN)/mypy

format: $(DEV)  ## put the code in order
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

coverage: $(DEV)  ## every test in one process, then what it did not reach
	@$(BIN)/coverage run -m pytest -q -rs $(ARGS)
	@$(BIN)/coverage report --skip-covered --show-missing

lock: $(VENV)/.made  ## resolve the three locks anew (needs the package registry)
	@$(PIP) install --upgrade --target $(VENV)/lock uv
	@for lock in "-dev.lock pyproject.toml --all-extras --group dev" \
	    ".lock pyproject.toml --all-extras -c requirements-dev.lock" \
	    "-build.lock --group build -c requirements-dev.lock"; do \
	    $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	        --no-header --no-emit-index-url --no-emit-find-links --output-file requirements$$lock || exit 1; \
	done

clean:  ## remove .venv and what the tools left
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

$(VENV)/.made:
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	    { python=$$(scripts/find-python) && "$$python" -m venv --clear $(VENV); }
	@touch $@

$(RUNTIME): requirements.lock requirements-build.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what Twokey runs on, once: a minute or so."
	@$(PIP) install --require-hashes -r requirements-build.lock -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock requirements-build.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what Twokey is developed with, once: a minute or two."
	@$(PIP) install --require-hashes -r requirements-build.lock -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@
