# Development commands. Works with GNU make 3.81 or newer and any POSIX shell.

PIP_INSTALL := -m pip install --disable-pip-version-check -c constraints.txt
# One process a core, each computing on its own; more than four want more memory than they save time.
PYTEST := OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile
SOURCES := $(shell find src -type f ! -name '*.pyc')

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts format docs release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv-core/.installed ## install what prediction needs, and segment generated images
	rm -rf build/demo
	.venv-core/bin/dermseg demo -o build/demo

test: lint types contracts ## lint, types, import contracts and all tests
	$(PYTEST) -m "not network"

check: lint types contracts ## the same with the fast tests only
	$(PYTEST) -m "not network and not slow"

lint: .venv/.installed ## ruff and codespell
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell

types: .venv/.installed ## mypy
	.venv/bin/mypy

contracts: .venv/.installed ## which module may import which
	.venv/bin/lint-imports

format: .venv/.installed ## rewrite the code in the project's format
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv-docs/.installed ## build the documentation as a site in build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

release: ## make release VERSION=0.1.0: changelog, version, one commit, its tag; nothing is pushed
	@$(PYTHON) tools/release.py $(VERSION)

clean: ## remove the environments, the caches and build/
	rm -rf .venv .venv-core .venv-docs build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The Python to build environments with; `make test PYTHON=/path/to/python` names another one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo $$python; exit; fi; \
	done; echo python3)

# Removing the stamp first and writing it last means: a stamp is there only after a whole
# installation. Without one the environment is built anew, with one it is brought up to date.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "dermseg needs Python 3.11 or newer, and '$(PYTHON)' is not: $$($(PYTHON) -V 2>&1)"; \
	    echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; \
	    exit 1; } >&2
	@test -f $@ || $(PYTHON) -m venv --clear $(@D)
	@rm -f $@
	$(@D)/bin/python $(PIP_INSTALL) $(1)
	@du -sk $(@D)/lib | awk '{ printf "%d MB of packages in $(@D)\n", $$1 / 1024 }'
	@touch $@
endef

# Not editable: the demo runs the files that a user gets.
.venv-core/.installed: pyproject.toml constraints.txt $(SOURCES)
	$(call install,.)

# Editable, because the site shows the source as it is now. Without torch: nothing is run for it.
.venv-docs/.installed: pyproject.toml constraints.txt
	$(call install,-e '.[docs]')

# One command for everything: torch and what builds on it are resolved together.
.venv/.installed: pyproject.toml constraints.txt
	$(call install,-e '.[dev]')
