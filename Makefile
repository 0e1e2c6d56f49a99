# Two commands: `make book` builds the book, `make test` tests it. `make` lists the rest.

PYTHON ?= python3
JOBS ?= logical
.DEFAULT_GOAL := help
.SHELLFLAGS := -ec
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
SITE := _build/html
BUILT := _build/book.finished
PYTEST := $(BIN)/python -m pytest
NBVAL = $(PYTEST) book --nbval --nbval-current-env --nbval-cell-timeout=60 \
	-q -n $(JOBS) --dist loadscope
# A page shows some 80 characters of code beside its two sidebars.
NARROW := --config line-length=80 --config format.exclude=[]

# One's own IPython start-up files and matplotlib style stay out of the book.
export IPYTHONDIR := $(CURDIR)/_build/.ipython
export MPLCONFIGDIR := $(CURDIR)/_build/.matplotlib
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# Arrays here are small, and both cores are busy: threads would only wait for one another.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: book
book: ready ## Run the chapters and build the HTML book in _build/html
	@$(BIN)/python _ext/make_book.py

.PHONY: test
test: ready lint ## Check style, run the tests, run every notebook and compare its outputs
	@echo '2 of 4. Tests of the package and of how notebooks are stored.'
	@$(PYTEST) tests -m 'not site' --ignore=tests/test_mutations.py -q -rs -n $(JOBS) \
		--cov --cov-report=html --cov-report=term:skip-covered
	@echo '3 of 4. Slips on purpose, each of which has to make a check fail: some three minutes.'
	@$(PYTEST) tests/test_mutations.py -q -rs -n $(JOBS) --dist worksteal
	@echo '4 of 4. Every notebook, run from the top, its outputs compared with the stored ones.'
	@$(NBVAL)
	@echo 'Passed: style, tests, slips, notebooks.'
	@echo 'Coverage of the package: $(CURDIR)/_build/coverage/index.html'
	@echo 'The built site has tests of its own: make book, then make site-test.'

.PHONY: site-test
site-test: ready ## Test the built book: links, and each page in a browser without network
	@test -f $(BUILT) || { echo 'No finished book in $(SITE): run make book first.' >&2; exit 1; }
	@REQUIRE_SITE=1 $(PYTEST) tests -m 'site or browser' -q -rs
	@echo 'The tests of the built site are through; those skipped are named above.'

.PHONY: lab
lab: ready ## Open the chapters in JupyterLab, to change and rerun cells (ARGS=... for its options)
	@$(BIN)/jupyter lab --notebook-dir=book $(ARGS)

.PHONY: notebooks
notebooks: ready ## Run every notebook in place and store its outputs
	@$(BIN)/python tests/notebooks.py run book/*.ipynb

.PHONY: lint
lint: ready ## Check style and form of the code
	@echo '1 of 4. Style.'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check $(NARROW) book/*.ipynb
	@$(BIN)/ruff format --check $(NARROW) book/*.ipynb

.PHONY: format
format: ready ## Put code into that form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/ruff format $(NARROW) book/*.ipynb

.PHONY: bench
bench: ready ## Measure speed against peers
	@for script in benchmarks/*.py; do PYTHONPATH=book $(BIN)/python "$$script"; done

.PHONY: seeds
seeds: ready ## Run the book with fifty other seeds and count what fails (ARGS=... for its options)
	@$(BIN)/python tests/seeds.py $(ARGS)

.PHONY: mutants
mutants: ready ## Make slips in the package and the chapters: which checks notice? (ARGS=... for which)
	@$(BIN)/python tests/mutants.py $(ARGS)

# Of NumPy's ways through a loop, those that this processor has beyond the least one.
FEATURES = $(BIN)/python -c 'from numpy._core._multiarray_umath import __cpu_dispatch__ as all, \
	__cpu_features__ as has; print(*(name for name in all if has.get(name)))'

.PHONY: kernels
kernels: ready ## Run every notebook as on other processors; the outputs must not change
	@for core in Nehalem SandyBridge Haswell; do \
		echo "OPENBLAS_CORETYPE=$$core"; OPENBLAS_CORETYPE=$$core $(NBVAL); done
	@features="$$($(FEATURES))"; echo "NPY_DISABLE_CPU_FEATURES=$$features"; \
		NPY_DISABLE_CPU_FEATURES="$$features" $(NBVAL)

.PHONY: lock
lock: ready ## Compile requirements.in into the lock requirements.txt
	@$(BIN)/uv pip compile requirements.in --output-file requirements.txt \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --quiet
	@echo 'requirements.txt is up to date with requirements.in; the next command installs it.'

.PHONY: clean
clean: ## Remove everything built, but not .venv
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find book tests _ext -name __pycache__ -prune -exec rm -rf {} +

# The environment is whole if and only if it holds a copy of the lock that it was made from: the
# copy is written last, so an interrupted installation starts again from nothing.
.PHONY: ready
ready:
	@if cmp -s requirements.txt .venv/requirements.txt && $(BIN)/python -c ''; then :; else \
		$(MAKE) .venv; fi
	@mkdir -p $(IPYTHONDIR)/profile_default
	@echo 'c.IPKernelApp.log_level = "ERROR"' > $(IPYTHONDIR)/profile_default/ipython_kernel_config.py

.PHONY: .venv
.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'This book needs Python 3.11 or later; $(PYTHON) is' \
			"$$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@echo 'Installing the locked requirements into .venv, once: about two minutes.'
	@base=$$($(PYTHON) -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'); \
		rm -rf .venv; "$$base" -m venv .venv
	@$(BIN)/python -m pip install --require-hashes --disable-pip-version-check \
		--no-input --requirement requirements.txt
	@cp requirements.txt .venv/requirements.txt
