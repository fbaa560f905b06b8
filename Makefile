# The developer's interface. Works with GNU make 3.81 and later (macOS has that one).
# `make` lists the targets. Only the cluster targets need Docker; only the lab may need root or Go.

# Another Python for .venv and the lab: make PYTHON=/path/to/python3
# An interpreter counts if it runs, is new enough and can make a venv with pip (Debian splits that off).
PYTHON = $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then command -v $$p; break; fi; done)

define need_python
	@if [ -z "$(PYTHON)" ]; then \
		echo "missing: Python 3.11 or later with venv and pip" >&2; \
		echo "do: install it (Debian, Ubuntu: apt install python3 python3-venv;" >&2; \
		echo "    macOS: brew install python@3.13) or name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
endef

# make cluster KUBE_VERSION=1.37.1; empty means the version that kind-config.yaml pins.
KUBE_VERSION ?=
export KUBE_VERSION

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1

# Some containers set it; then each of the programs that tests start by the hundred would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

BIN = .venv/bin
READY = .venv/.ready
PYTEST = $(BIN)/python -m pytest
# Each file in one of four processes, in the order and with the locks of tests/cluster/conftest.py: they mostly wait.
CLUSTER_TESTS = -p no:randomly --never-skip --timeout 1500 tests/cluster $(wildcard tests/browser)
PYTEST_CLUSTER = $(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder $(CLUSTER_TESTS)
# `make lock LOCK_FLAGS=--upgrade` takes newer versions; without it, only what has to change does.
LOCK_FLAGS =
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(LOCK_FLAGS) pyproject.toml

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-cluster demo-operator test cluster cluster-ha cluster-conformance cluster-down \
	e2e-binary conformance test-cluster test-cluster-full clusters lessons bench bench-operator docs \
	screenshots fmt lint lock recordings dist wheelhouse image-archive clean

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z0-9-]*:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------- set-up

setup: $(READY) ## make .venv with the locked packages (the other targets do it by themselves)

# Bytecode is not compiled beforehand: most modules of the kubernetes client are never imported.
$(READY): requirements-dev.lock pyproject.toml
	$(need_python)
	@$(BIN)/python -c '' 2>/dev/null || { \
		echo "set-up: .venv with $$("$(PYTHON)" --version)" >&2; "$(PYTHON)" -m venv --clear .venv; }
	@echo "set-up: installing the packages of requirements-dev.lock (about a minute) …" >&2
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-compile --no-deps --no-build-isolation -e .
	@echo "set-up: done; $(BIN)/kcompanion is ready" >&2
	@touch $@

# ----------------------------------------------------------------------------- without a cluster

# make demo KCOMPANION_LANG=ko: make hands variables of its command line on.
demo: $(READY) ## show the main job on shipped recordings; no cluster needed (KCOMPANION_LANG=ko)
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash demo/demo.sh

# worksteal: each process keeps to files of its own, so that what their tests share is made once, and helps at the end.
test: $(READY) ## everything that needs neither a cluster nor a browser
	@$(PYTEST) -n 2 --dist worksteal --timeout 180 -m "not full" --ignore=tests/cluster --ignore=tests/browser

lint: $(READY) ## check style, types and layers (make test does it too)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fmt: $(READY) ## format, and repair what ruff can repair
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format
	@$(BIN)/ruff check

docs: $(READY) ## write the generated pages in docs/, the outputs in the others, and the pictures made of outputs
	@$(BIN)/python tools/gen_docs.py
	@$(BIN)/python tools/excerpts.py
	@$(BIN)/python tools/cast.py
	@$(BIN)/python tools/film.py

screenshots: $(READY) ## take the screenshots of reports in docs/img anew; needs Chromium
	@$(BIN)/python tools/screenshots.py

bench-operator: $(READY) ## the operator beside the built-in controller; needs make cluster-conformance
	@$(BIN)/python bench/replicasets.py --doc

bench: $(READY) ## measure, and compare with the peers found in PEERS_DIR
	@$(BIN)/python bench/run.py

# -------------------------------------------------------------------------------- real clusters

cluster: ## kind cluster kcompanion: 1 control plane, 2 workers
	$(need_python)
	@"$(PYTHON)" -m lab cluster

cluster-ha: ## kind cluster kcompanion-ha: 3 control planes, 1 worker
	$(need_python)
	@"$(PYTHON)" -m lab cluster-ha

cluster-conformance: ## kind cluster kcompanion-conformance: 2 workers, no ReplicaSet controller
	$(need_python)
	@"$(PYTHON)" -m lab cluster-conformance

demo-cluster: $(READY) cluster ## the same live, and the operator; breaks a few things in namespaces of its own
	@$(BIN)/python tools/operator_image.py --if-missing --load --cluster kcompanion
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash demo/live.sh
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash demo/operator.sh --short

cluster-down: ## remove the clusters
	$(need_python)
	@"$(PYTHON)" -m lab down

# Another base: make operator-image OPERATOR_BASE=IMAGE (any with Python 3.11 or later and glibc).
OPERATOR_BASE =
operator-image: $(READY) ## build the operator's image, and put it on the lab's running clusters
	@$(BIN)/python tools/operator_image.py --load $(if $(OPERATOR_BASE),--base "$(OPERATOR_BASE)")

image-archive: $(READY) ## the operator's image in one file in dist/, for clusters that reach no registry
	@$(BIN)/python tools/operator_image.py --save dist $(if $(OPERATOR_BASE),--base "$(OPERATOR_BASE)")

demo-operator: $(READY) cluster ## the operator at work: pods killed, tampered with, scaled; a node stopped; told live
	@$(BIN)/python tools/operator_image.py --if-missing --load --cluster kcompanion
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash demo/operator.sh $(DEMO_FLAGS)

e2e-binary: ## build Kubernetes' own end-to-end tests (10 min, once)
	$(need_python)
	@"$(PYTHON)" -m lab e2e-binary

clusters:
	$(need_python)
	@"$(PYTHON)" -m lab cluster
	@"$(PYTHON)" -m lab cluster-ha

# CONTROLLER=builtin proves the tests: it passes. CONTROLLER=none proves that they can fail.
conformance: $(READY) ## Kubernetes' own tests of ReplicaSets (CONTROLLER=ours, builtin or none)
	@$(BIN)/python -m lab conformance --controller $(or $(CONTROLLER),ours)

# Four at once on two cores starve each other now and then. What failed is run once more, one after the other: what
# fails again is broken, and what passes is named, for it may be a race in the product as well as in its test.
test-cluster: $(READY) cluster e2e-binary ## the tests on real clusters and in a browser
	@$(PYTEST_CLUSTER) -m "not full" || { \
		[ $$? -eq 1 ] && echo "test-cluster: what failed, once more, one after the other; what passes now is a race:" && \
		$(PYTEST) -v --last-failed --last-failed-no-failures none --maxfail 1 $(CLUSTER_TESTS) -m "not full"; }

test-cluster-full: $(READY) cluster e2e-binary ## the same, with what is too long for CI
	@$(PYTEST_CLUSTER)

lessons: $(READY) clusters ## every lesson and exercise on the real clusters, and how they end when interrupted
	@$(PYTEST) -p no:randomly --never-skip tests/cluster/test_learn.py tests/cluster/test_lessons_one_by_one.py \
		tests/cluster/test_learn_nodes.py tests/cluster/test_learn_ha.py \
		tests/cluster/test_practice.py

recordings: $(READY) clusters ## record the shipped recordings anew from the real clusters
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash tools/record.sh
	@bash tools/record_shop.sh

# ------------------------------------------------------------------------------------ release

# Without isolation: the build backend is the one that requirements-dev.lock names by hash.
dist: $(READY) ## wheel and sdist in dist/
	@rm -f dist/kcompanion-*.whl dist/kcompanion-*.tar.gz
	@$(BIN)/hatchling build -d dist

wheelhouse: dist ## every wheel that an offline installation needs, in dist/ (for machines like this one)
	@$(BIN)/python tools/wheelhouse.py

# ------------------------------------------------------------------------------------ upkeep

# uv comes from .venv, which the locks describe: set-up must not run because a lock is about to change.
lock: ## write the lock files anew (LOCK_FLAGS=--upgrade for newer versions)
	@[ -x $(BIN)/uv ] || $(MAKE) --no-print-directory setup
	@$(COMPILE) --output-file requirements.lock
	@$(COMPILE) --group test --group lint --group build --constraints requirements.lock \
		--output-file requirements-dev.lock

clean: ## remove what was built; keeps .venv and the clusters
	@rm -rf build dist report.html .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name .venv -prune -o -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
