# Everything that is needed is set up by the target that needs it. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Also where the machine is told to write no bytecode: compiling the tree anew takes a second of each run.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= python3
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# More modules at a time than there are cores: they wait for containers more than they work, and each has its own.
JOBS ?= $(shell echo $$(($$(nproc) + 2)))
SIDE_BY_SIDE := -p xdist -n $(JOBS) --dist loadfile
# These are no waiting but work.
MUTANT_JOBS ?= $(shell nproc)
INNER := not parts and not whole and not browser and not versions
CORE := $(INNER) and not rules and not deep and not hypothesis
# The core is work, and each process imports everything anew: beyond four that costs more than it brings.
CORE_JOBS ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
# Of these only the folders of failed tests are kept, so that all of them lie in memory where there is any (tests/conftest.py).
IN_MEMORY := -o tmp_path_retention_policy=failed
SHARED := -p xdist -n $(CORE_JOBS) --dist worksteal $(IN_MEMORY)
AGAIN := --last-failed --last-failed-no-failures none

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mayday needs Python 3.11 or newer; give it: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing python3-venv with apt-get" \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv .venv; } \
	  || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)"; exit 1; }
	@.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: .venv/ready ## the virtual environment in .venv

demo: .venv/ready ## the main job as a story, on a practice company on this machine
	@$(PY) -m lab.prepare engine
	@$(PY) -m lab.demo

lint: .venv/ready ## ruff and its layout, mypy --strict, and the rules that every module keeps
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo "Lay it out: .venv/bin/ruff format"; exit 1; }
	@$(PY) -m mypy
	@$(PYTEST) -m rules

errors: .venv/ready ## codes for new errors, and docs/errors.md
	@$(PY) -m tests.errors

core: .venv/ready ## the core tests: seconds, no service
	@$(PYTEST) $(SHARED) -m "$(CORE)"

deep: .venv/ready ## what must hold of whatever comes, with hundreds of examples, and of faults at every place
	@$(PYTEST) $(SHARED) -m "(deep or hypothesis) and $(INNER)"

parts: .venv/ready ## each adapter against the real thing, and the pages in headless Chromium
	@$(PY) -m lab.prepare engine servers browser
	@$(PYTEST) -m "parts or browser" $(SIDE_BY_SIDE) || { echo "Once more, those that failed."; $(PYTEST) -m "parts or browser" $(AGAIN); }

browser: .venv/ready ## the pages alone
	@$(PY) -m lab.prepare browser
	@$(PYTEST) -m browser

whole: .venv/ready ## real containers recovered, on good days and bad ones
	@$(PY) -m lab.prepare engine
	@$(PYTEST) -m whole $(SIDE_BY_SIDE) || { echo "Once more, those that failed: a busy machine can be too slow for them."; $(PYTEST) -m whole $(AGAIN); }

versions: .venv/ready ## whole recoveries on PostgreSQL 13 to 18, as a table; ONLY="17 18" names some; not in make test
	@$(PY) -m lab.prepare engine
	@$(PY) -m lab.versions
	@$(PYTEST) -m versions -p tests.support.versions_table -p xdist -n $(JOBS) --dist worksteal tests/whole/test_versions.py

test: core lint deep parts whole ## all tests, the core first

# COUNT=100 SEED=7, or SEED=7 ONLY=13,21; KINDS='gzip*,slots' KEEP=1 LOG=file; JOBS side by side.
clusters: .venv/ready ## random clusters, damaged and recovered at random, judged by what there was: COUNT=, SEED=, ONLY=
	@$(PY) -m lab.prepare engine
	@$(PY) -m tests.clusters $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(KINDS),--kinds '$(KINDS)') $(if $(KEEP),--keep) $(if $(LOG),--log $(LOG)) --jobs $(JOBS)

# SEED=7 ONLY=13 repeats round 13; what tells of a wrong round is kept in a folder that its line names.
soak: .venv/ready ## random faults over real recoveries, each judged by what there was: MINUTES=, SEED=, ONLY=
	@$(PY) -m lab.prepare engine
	@$(PY) -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

.venv/mutants: .venv/ready
	@.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutants]'
	@touch $@

# ONLY="actions/steps/postgres/proof.py actions/engine" for a part, ALL=1 outside of guard clauses too; MUTANT_JOBS side by side.
mutants: .venv/mutants ## deliberate faults in guard clauses, each of which a core test has to notice: ONLY=, ALL=1
	@$(PY) -m tests.mutants --marks "$(CORE)" $(if $(ONLY),--only $(ONLY)) $(if $(ALL),--all) --jobs $(MUTANT_JOBS)

bench: .venv/ready ## the figures, as a table with ratios
	@$(PY) -m lab.prepare engine
	@$(PY) -m lab.bench

.PHONY: help setup demo lint errors core deep parts browser whole versions test clusters soak mutants bench
