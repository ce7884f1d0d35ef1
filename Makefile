# Needs only Python 3.11+ with pip, make and git; everything else lands in .tools and .venv.
# Variables: PYTHON (the interpreter to build on), ARGS (passed on), INPUT (a conversation for the demo),
# JOBS (processes that run the tests; 0 = none but pytest itself, for a debugger).
PYTHON ?= python3
ARGS ?=
JOBS ?= auto
INPUT ?=

BIN := .venv/bin
UV := .tools/bin/uv
UV_VERSION := $(shell sed -n 's/^uv==\([^ ;]*\).*/\1/p' constraints.txt 2>/dev/null)
UV_STAMP := .tools/uv-$(or $(UV_VERSION),unpinned).stamp
PROJECTS := pyproject.toml $(wildcard integrations/*/pyproject.toml)
INTEGRATIONS := $(patsubst %/pyproject.toml,%,$(wildcard integrations/*/pyproject.toml))
# The distributions of this workspace, which constraints.txt must not pin.
OWN := threadkeep langchain-threadkeep llama-index-memory-threadkeep openai-agents-threadkeep \
	pydantic-ai-threadkeep google-adk-threadkeep agent-framework-threadkeep

# Compiled code is kept, whatever the environment says: tests start many processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test fast list-slow soak servers lint fmt bench bench-recall docs acceptance constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: .venv/.setup.stamp ## a .venv with the workspace, all extras and the development tools

$(UV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "threadkeep needs Python 3.11 or newer; set PYTHON=, for example make setup PYTHON=python3.12")'
	rm -rf .tools
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools 'uv$(addprefix ==,$(UV_VERSION))'
	@touch $@

.venv/.setup.stamp: $(PROJECTS) constraints.txt $(UV_STAMP)
	@test -x $(BIN)/python || $(UV) venv --quiet --no-python-downloads --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	$(UV) pip install --quiet --python $(BIN)/python -c constraints.txt --group dev -e '.[all]' $(addprefix -e ,$(INTEGRATIONS))
	@touch $@

demo: setup ## a remembered chat, explained as it runs; INPUT=file for a conversation of your own
	@$(BIN)/python -m examples.demo $(if $(INPUT),--input '$(INPUT)') $(ARGS)

test: setup ## the tests, on all cores; ARGS="-k window" and the like
	$(BIN)/python -m pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal $(ARGS)

fast: setup ## the tests that are not slow, in two minutes
	$(BIN)/python -m pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal -m "not slow" $(ARGS)

list-slow: setup ## find out again which tests are slow, into tests/slow_tests.txt; wants an idle machine
	THREADKEEP_LIST_SLOW=1 $(BIN)/python -m pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal -m "not slow" $(ARGS)

soak: setup ## what the tests look for, much longer (hours); ARGS chooses among them
	THREADKEEP_SOAK=1 $(BIN)/python -m pytest -q -n $(JOBS) --maxprocesses 4 --dist worksteal -m soak $(ARGS)

servers: ## real servers for the tests, from Debian packages
	@PYTHON=$(PYTHON) sh tests/servers/install.sh

lint: setup ## ruff, mypy and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup ## format and apply the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## the benchmarks; ARGS chooses among them
	$(BIN)/python -m benchmarks $(ARGS)

bench-recall: setup ## how much recall finds, and what it costs; THREADKEEP_LOCOMO names the data, ARGS=--help more
	$(BIN)/python -m benchmarks.recall $(ARGS)

docs: setup ## the documentation, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

acceptance: setup ## what must work, with the tests that prove it
	$(BIN)/python -m tests.acceptance $(ARGS)

constraints: $(UV_STAMP) ## pin all dependencies again; ARGS=--upgrade takes newer versions
	$(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command 'make constraints' \
		--no-config --no-emit-index-url $(addprefix --no-emit-package ,$(OWN)) \
		--all-extras --group dev $(PROJECTS) -o constraints.txt $(ARGS)

clean: ## remove everything that make has built
	rm -rf .venv .tools .servers site dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
