# `make demo` and `make test` set up everything they need in .venv. Nothing is written outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export SYNTHSPEC_CONFIG_DIR ?= $(CURDIR)/.synthspec/config
export SYNTHSPEC_STATE_DIR ?= $(CURDIR)/.synthspec/state
SPEC := examples/digits-diffusion/spec.yaml

.PHONY: setup demo test test-slow check fix schemas pages lock bench clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	# pip compiles what it installs; what it only links to is compiled here (a fifth of the time of `validate`).
	$(BIN)/python -m compileall -q synthspec backends
	touch $@

demo: setup
	$(BIN)/synthspec validate $(SPEC)
	$(BIN)/synthspec run $(SPEC) --out runs/demo --workers 2
	$(BIN)/synthspec verify runs/demo/manifest.sigstore.json

# One thread: two on a busy machine spend most of their time waiting for each other. The demo leaves it as it is: a replay
# from the same shell is then one in the same environment, and a spec says itself how many threads train.
test test-slow bench: export OMP_NUM_THREADS ?= 1

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow"

# Trainings of minutes, with targets for what they reach; CI runs them too.
test-slow: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/synthspec schema --write specs --check
	$(BIN)/synthspec explain --write docs --check
	$(BIN)/synthspec validate examples --quiet

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: setup
	$(BIN)/synthspec schema --write specs

pages: setup
	$(BIN)/synthspec explain --write docs

# Resolves anew from pyproject.toml; read the difference before you commit it.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0 -e '.[dev]' hatchling editables build
	(echo "# Versions that work together, all of them tested; 'make lock' writes this file."; \
	  .venv-lock/bin/python -m pip freeze --exclude-editable | sed 's/^\(torch==[0-9.]*\)+.*/\1/' | sort -f) > requirements.lock
	rm -rf .venv-lock

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .synthspec runs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
