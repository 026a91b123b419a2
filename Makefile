# setup · run · test · check · fix · messages · bench · bundle · bare
# Needs Python 3.11 or newer, Node 20 or newer and the package registries; everything is kept in
# this folder, except the data (see docs/operations.md).  Set-up is repeated only for what changed.

PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
ARGS ?=
RUN_ARGS ?= --demo

VENV := .venv
PY := $(VENV)/bin/python
VENDOR := xuezheng/kernel/ui/static/vendor
STEP := sh tools/step.sh

PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
ASSETS_READY := $(VENDOR)/.ready

.PHONY: setup catalogs run browser test check fix messages bench bundle bare
.NOTPARALLEL:

setup: $(PYTHON_READY) $(ASSETS_READY) catalogs

$(PYTHON_READY): requirements.lock tools/bootstrap.sh
	@PYTHON='$(PYTHON)' sh tools/bootstrap.sh
	@touch $@

$(NODE_READY): package.json package-lock.json
	@command -v npm >/dev/null || { echo '需要 Node 20 / Node 20 with npm is needed' >&2; exit 1; }
	@$(STEP) '前端包 / browser packages' npm ci --ignore-scripts
	@touch $@

$(ASSETS_READY): $(NODE_READY) tools/assets.mjs
	@$(STEP) '前端资源 / browser assets' node tools/assets.mjs
	@touch $@

catalogs: $(PYTHON_READY)
	@$(PY) tools/messages.py compile

run: setup
	@$(VENV)/bin/xuezheng run $(RUN_ARGS)

browser: $(PYTHON_READY)
	@$(PY) tools/browser.py

# Playwright's own Node wants a library that a bare machine does not have; ours does as well.
test: setup browser
	@CHROMIUM="$$($(PY) tools/browser.py)" PLAYWRIGHT_NODEJS_PATH="$$(command -v node)" \
		$(PY) -m pytest -n $(JOBS) $(ARGS)

check: $(PYTHON_READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/lint-imports
	@$(PY) tools/messages.py check
	@$(PY) tools/map.py check

fix: $(PYTHON_READY)
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

messages: $(PYTHON_READY)
	@$(PY) tools/messages.py update
	@$(PY) tools/messages.py compile

bench: setup
	@$(PY) -m benchmarks $(ARGS)

# For a machine without internet; holds what is committed.
bundle: setup
	@$(PY) tools/bundle.py

bare:
	@bash tools/bare.sh $(ARGS)
