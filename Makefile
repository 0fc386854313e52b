# Everything sets itself up: a machine with Python 3.11+, pip and make is enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test run check bench judge bundle audit fmt lock clean

help:           ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(READY)  ## PLCs, Fleet server, broker and collector on this machine, live  (ARGS="--duration 60 --outage 20")
	@$(BIN)/edge-collector demo $(ARGS)

test: $(READY)  ## all tests  (ARGS="tests/unit -k scaling")
	@$(BIN)/python -m pytest $(or $(ARGS),-n 2 --dist loadfile)

run: $(READY)   ## the collector, configured by .env
	@$(BIN)/edge-collector run $(ARGS)

check: $(READY) ## style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: $(READY) ## the figures of the documentation, measured here and now  (BASE=earlier.json, ARGS="scale start")
	@$(BIN)/python -m tests.benchmarks $(if $(BASE),--base $(BASE)) $(ARGS)

judge: $(READY) ## faults for an hour, and whether anything recorded was lost  (ARGS="kills power_cuts --share 0.1")
	@$(BIN)/python -m tests.judge $(ARGS)
	@$(if $(ARGS),,DAMAGED_FILES=2000 $(BIN)/python -m pytest -s --timeout 1800 -k "no_damage or behind_a_slow_broker or slow_fsync" \
	    tests/unit/collector/storage/test_damaged_files.py tests/integration/test_replay.py tests/integration/test_outbox_bad_disk.py)

bundle: $(READY) ## an archive an architecture for sites without internet, in dist/  (ARGS="--arch arm64" SIGNING_KEY=key)
	@$(BIN)/python -m bundle $(ARGS)

audit: $(READY) ## what is known against the packages that are shipped; needs the internet
	@$(BIN)/python -m bundle.audit $(ARGS)

fmt: $(READY)   ## put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:           ## renew requirements.lock, the image's and the audit's from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -o requirements.lock
	uv pip compile pyproject.toml --extra kafka --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	    --constraints requirements.lock -o docker/requirements.lock
	uv pip compile --group pyproject.toml:audit --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade -o bundle/audit.lock

clean:          ## forget the virtual environment and all caches
	rm -rf $(VENV) $(VENV)-audit .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The venv has no pip of its own until the lock brings one: Debian's python3 may lack ensurepip, and its own
# environment is externally managed, but its pip can install into another one.
$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (once, about half a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "pip is needed, e.g.: apt-get install python3-pip"; exit 1; }
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
