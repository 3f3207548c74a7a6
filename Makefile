# `make` alone says what there is. Everything is set up in .venv by scripts/setup.sh, once: a second run finds it done.

PYTHON =
RUN_FLAGS =
LAB_FLAGS =
PYTEST_FLAGS =
NOTEBOOK = notebooks/00_welcome.ipynb

SETUP = PYTHON='$(PYTHON)' sh scripts/setup.sh
BIN = .venv/bin

.PHONY: help run test check lab site figures lint pins clean

help:
	@echo 'make run    set everything up, then run the workbook     RUN_FLAGS="--profile smoke"'
	@echo 'make test   set up the tests too, then lint and test     PYTEST_FLAGS="-k relation"'
	@echo 'make check  the quick loop: lint, and all tests that take no more than seconds'
	@echo 'make lab    open the first lesson in JupyterLab          LAB_FLAGS="--no-browser"'
	@echo 'make site   build the lessons as pages that need no Jupyter: build/site/index.html'
	@echo 'make figures  draw every figure and write every table anew from the stored rows'
	@echo 'make lint   only the checks of style, types and notebooks'
	@echo 'make pins   look for newer versions: rewrites requirements.txt'
	@echo 'make clean  remove .venv and the caches; results and notebooks stay'
	@echo 'Python 3.11 or newer is found by itself; another: make run PYTHON=/path/to/python3'

run:
	@$(SETUP) run
	@$(BIN)/crn run $(RUN_FLAGS)

# One thread each: two lessons of two threads on two processors take nearly three times as long as two of one thread.
# Three at once on two processors: a third of their time they wait, for a browser, a kernel or a process that ends.
PYTEST = OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n 3

# A fresh checkout's kernels are compiled beside the lint, which leaves a processor idle.
BEFORE_TESTS = @$(SETUP) test && { $(BIN)/python -m tests.compile_kernels & sh scripts/lint.sh && wait; }

# How long every test took lies in test-results/tests.xml afterwards.
test:
	$(BEFORE_TESTS)
	@$(PYTEST) --durations=40 --junitxml=test-results/tests.xml $(PYTEST_FLAGS)

check:
	$(BEFORE_TESTS)
	@$(PYTEST) -m "not slow and not notebooks and not browser" $(PYTEST_FLAGS)

lab:
	@$(SETUP) run
	@$(BIN)/python -m jupyterlab $(LAB_FLAGS) $(NOTEBOOK)

site:
	@$(SETUP) test
	@$(BIN)/crn site

figures:
	@$(SETUP) test
	@$(BIN)/crn publish

lint:
	@$(SETUP) test
	@sh scripts/lint.sh

pins:
	@$(SETUP) test
	@$(BIN)/python scripts/make_pins.py

clean:
	rm -rf .venv build dist crn_lib.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name .git -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
