# Two commands: `make book` builds the book, `make test` tests it. `make` lists the rest.

PYTHON ?= python3
JOBS ?= logical
.DEFAULT_GOAL := help

# Every tool is called as a module: a script of .venv/bin holds the path of the checkout that it was
# installed in, and no longer starts once that has moved. This file keeps to make 3.81 (macOS).
RUN := .venv/bin/python
SITE := _build/html
BUILT := _build/book.finished
PYTEST := $(RUN) -m pytest
NBVAL = $(PYTEST) book --nbval --nbval-current-env --nbval-cell-timeout=60 \
	-q -n $(JOBS) --dist loadscope --no-loadscope-reorder
# A page shows some 80 characters of code beside its two sidebars.
NARROW := --config line-length=80 --config format.exclude=[]

# What is set for one's own Python stays out: folders of modules, checks switched off (an assert is
# a check here), an encoding. Text is UTF-8 whatever the locale says.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONWARNINGS
unexport PYTHONIOENCODING PYTHONPLATLIBDIR PYTHONDONTWRITEBYTECODE
export PYTHONUTF8 := 1
# One's own IPython start-up files and matplotlib style stay out of the book.
export IPYTHONDIR := $(CURDIR)/_build/.ipython
export MPLCONFIGDIR := $(CURDIR)/_build/.matplotlib
export JUPYTER_RUNTIME_DIR := $(CURDIR)/_build/.jupyter
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
	@$(RUN) _ext/make_book.py

.PHONY: pdf
pdf: book ## Print the built book into one file, _build/policy-gradients-checked.pdf (with Chromium)
	@$(RUN) _ext/make_pdf.py

.PHONY: epub
epub: book ## Make the e-book of the built pages, _build/policy-gradients-checked.epub
	@$(RUN) _ext/epub_book.py

.PHONY: epub-check
epub-check: epub ## Judge the e-book with epubcheck (fetched once, 33 MB; needs Java)
	@$(RUN) _ext/epub_check.py

.PHONY: test
test: tests ready lint ## Check style, run the tests, run every notebook and compare its outputs
	@echo '2 of 3. Tests of the package and of the book, and slips on purpose that each have to fail one.'
	@$(PYTEST) tests -m 'not site and not browser' -q -rs -n $(JOBS) --dist worksteal
	@echo '3 of 3. Every notebook, run from the top, its outputs compared with the stored ones.'
	@$(NBVAL) --keep-outputs
	@echo 'Passed: style, tests, slips, notebooks.'
	@echo 'The built site has tests of its own: make book, then make site-test.'

tests benchmarks:
	@echo 'The folder $@ is in the repository; what one downloads with the book is without it.' >&2; exit 1

.PHONY: site-test
site-test: tests ready ## Test the built book: links, and each page in a browser without network
	@test -f $(BUILT) || { echo 'No finished book in $(SITE): run make book first.' >&2; exit 1; }
	@REQUIRE_SITE=1 $(PYTEST) tests -m 'site or browser' -q -rs -n $(JOBS) \
		--dist loadscope --no-loadscope-reorder
	@echo 'The tests of the built site are through; those skipped are named above.'

# With settings of the book: without them JupyterLab asks the network for news and newer releases, and
# takes a chapter for changed as soon as it is open.
.PHONY: lab
lab: ready ## Open the chapters in JupyterLab, to change and rerun cells (ARGS=... for its options)
	@$(RUN) _ext/lab.py $(ARGS)

# Three commands write into book/, and their help says so: a reader's edits are safe from all others.
.PHONY: fresh
fresh: ready ## Run a chapter you changed and store its outputs in book/ (CHAPTER=08, or several)
	@$(RUN) _ext/fresh.py $(CHAPTER)

.PHONY: notebooks
notebooks: tests ready ## Run every notebook and store its outputs in book/
	@$(RUN) tests/notebooks.py run book/*.ipynb

.PHONY: lint
lint: ready ## Check style and form of the code
	@echo '1 of 3. Style.'
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check $(NARROW) book/*.ipynb
	@$(RUN) -m ruff format --check $(NARROW) book/*.ipynb

.PHONY: format
format: ready ## Put code into that form, that of the cells in book/ too
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff format $(NARROW) book/*.ipynb

.PHONY: bench
bench: benchmarks ready ## Measure speed against peers
	@for script in benchmarks/*.py; do $(RUN) "$$script" || exit 1; done

.PHONY: peers
peers: peers/judge.py ready ## Judge released libraries' losses, in an environment of its own (several GB)
	@$(RUN) peers/install.py
	@peers/.venv/bin/python peers/judge.py $(ARGS)

.PHONY: peers-lock
peers-lock: peers/judge.py ready ## Compile what `make peers` installs into its lock (ARGS=--upgrade)
	@$(RUN) peers/install.py --lock $(ARGS)

peers/judge.py:
	@echo 'The folder peers is in the repository; what one downloads with the book is without it.' >&2; exit 1

.PHONY: seeds
seeds: ready ## Run the book with fifty other seeds and count what fails (ARGS=... for its options)
	@$(RUN) tests/seeds.py $(ARGS)

.PHONY: mutants
mutants: ready ## Make every slip, in the formulas on the page and in the cells: which do checks miss?
	@EVERY_SLIP=1 $(PYTEST) tests/test_proofs.py -q -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: experiments
experiments: ready ## Make every experiment that is written down: what a curious reader changes first
	@EVERY_EXPERIMENT=1 $(PYTEST) tests/test_experiments.py -q -n $(JOBS) --dist worksteal $(ARGS)

# Of NumPy's ways through a loop, those that this processor has beyond the least one.
FEATURES = $(RUN) -c 'from numpy._core._multiarray_umath import __cpu_dispatch__ as all, \
	__cpu_features__ as has; print(*(name for name in all if has.get(name)))'

.PHONY: kernels
kernels: ready ## Run every notebook as on other processors; the outputs must not change
	@for core in Nehalem SandyBridge Haswell; do \
		echo "OPENBLAS_CORETYPE=$$core"; OPENBLAS_CORETYPE=$$core $(NBVAL) || exit 1; done
	@features="$$($(FEATURES))" && echo "NPY_DISABLE_CPU_FEATURES=$$features" && \
		NPY_DISABLE_CPU_FEATURES="$$features" $(NBVAL)

.PHONY: slips
slips: ready ## Make slips in the modules of the package: which do their tests miss? (ARGS=... for which)
	@$(RUN) tests/package_slips.py $(ARGS)

.PHONY: coverage
coverage: ready ## Measure which lines of the package its tests run
	@$(PYTEST) tests -m 'not site' --ignore=tests/test_proofs.py --ignore=tests/test_package_slips.py \
		-q -n $(JOBS) --dist worksteal --cov --cov-report=html --cov-report=term:skip-covered
	@echo "Coverage of the package: $$PWD/_build/coverage/index.html"

.PHONY: lock
lock: ready ## Compile requirements.in into the lock (ARGS="--upgrade-package numpy" or --upgrade)
	@$(RUN) -m uv pip compile requirements.in --output-file requirements.txt \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-strip-extras --custom-compile-command 'make lock' --quiet $(ARGS)
	@echo 'requirements.txt is up to date with requirements.in; the next command installs it.'

.PHONY: versions
versions: ready ## Build the book and each version that has a tag, to publish: _build/versions/site
	@$(RUN) _ext/versions.py

.PHONY: clean
clean: ## Remove everything built, but not .venv
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find book tests _ext -name __pycache__ -prune -exec rm -rf {} +

# The environment is whole if and only if it holds a copy of the lock that it was made from.
.PHONY: ready
ready:
	@if cmp -s requirements.txt .venv/requirements.txt && $(RUN) -c 'import pip' 2>/dev/null; \
		then exit 0; fi; \
	command -v "$(PYTHON)" >/dev/null || { \
		echo "There is no program '$(PYTHON)'. Name a Python: make PYTHON=python3.12" >&2; exit 1; }; \
	"$(PYTHON)" -c '' >/dev/null 2>&1 || { \
		echo "'$(PYTHON)' does not start. Name another Python: make PYTHON=python3.12" >&2; exit 1; }; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This book needs Python 3.11 or later; '$(PYTHON)' is" \
			"$$("$(PYTHON)" --version 2>&1). Name another one: make PYTHON=python3.12" >&2; exit 1; }; \
	"$(PYTHON)" install.py
	@mkdir -p _build/.ipython/profile_default
	@echo 'c.IPKernelApp.log_level = "ERROR"' > \
		_build/.ipython/profile_default/ipython_kernel_config.py
