# The commands of the project; `make` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
CONFIG ?= config/config.yaml
RUN ?=
# More arguments for Snakemake, for instance: make figures ARGS=-n
ARGS ?=
SNAKEMAKE := $(BIN)/snakemake --configfile $(CONFIG) --cores $(CORES)

.DEFAULT_GOAL := help
.PHONY: help setup figures report verify record restore test browser test-faults test-wheel test-slurm test-gpu-kernels reference bench lint docs

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/ready  ## make the virtual environment (the other commands do it when needed)

$(VENV)/ready: envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rnncells needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(CONFIG):
	@echo "CONFIG=$(CONFIG): there is no such file" >&2; exit 2

figures: setup $(CONFIG)  ## run the workflow: every figure in results/figures (CONFIG=, CORES=, ARGS=)
	@$(BIN)/python -m rnncells.study.read $(CONFIG)
	$(SNAKEMAKE) $(ARGS)

report: figures  ## write report.html: all figures, captions and statistics in one file
	$(SNAKEMAKE) --report report.html $(ARGS)

verify: setup  ## train a run of docs/reproduction again, and compare (RUN=, else the quickest)
	OMP_NUM_THREADS=1 $(BIN)/python -m rnncells.results.verify $(RUN)

record: figures  ## copy results/ to docs/reproduction (CONFIG=)
	$(BIN)/python -m rnncells.results.archive record $(CONFIG)

restore: setup $(CONFIG)  ## fill results/ from docs/reproduction: `make figures` then trains nothing (CONFIG=)
	$(BIN)/python -m rnncells.results.archive restore $(CONFIG)

test: setup  ## run the test suite
	$(BIN)/python -m pytest $(ARGS)

browser: setup  ## install Chromium with apt, in which the tests open the report (as root)
	$(BIN)/python -m tests.browser

test-faults: setup  ## break everything on purpose: kills, full disks, a cluster (10 minutes at most)
	$(BIN)/python -m tests.faults.run $(ARGS)

test-gpu-kernels: setup  ## test the GPU's kernels without one: in Triton's interpreter, and compiled (installs it: 285 MB)
	@$(BIN)/python -c "import triton" 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check triton==3.9.0
	TRITON_INTERPRET=1 $(BIN)/python -m pytest tests/kernels/test_triton.py tests/training/test_triton_step.py $(ARGS)
	$(BIN)/python -m pytest tests/kernels/test_triton_compiled.py $(ARGS)

docs: setup  ## build the site in docs/build/html (works offline)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going \
		-c docs/source -b html . docs/build/html $(ARGS)

test-wheel: setup  ## install the wheel in a clean environment, test the library there, and then the workflow
	rm -rf build && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w build/wheel .
	$(PYTHON) -m venv build/wheel/env
	build/wheel/env/bin/python -m pip install --quiet --disable-pip-version-check \
		-c envs/requirements.lock build/wheel/*.whl pytest hypothesis scipy
	mkdir build/wheel/tests
	cp -r tests/__init__.py tests/conftest.py tests/sixteen.py tests/random tests/cells tests/kernels \
		tests/layers build/wheel/tests
	cd build/wheel && env/bin/python -m pytest -q -p no:cacheprovider -c /dev/null --rootdir . tests
	build/wheel/env/bin/python -m pip install --quiet --disable-pip-version-check \
		-c envs/requirements.lock '.[pipeline]' setuptools
	build/wheel/env/bin/python -m pytest -q -p no:cacheprovider -c /dev/null --rootdir . \
		tests/workflow/test_elsewhere.py
	rm -rf build

test-slurm: setup  ## test the profile on a SLURM cluster on this machine (as root: installs and starts it)
	$(BIN)/python -m tests.slurm.install
	$(BIN)/python -m pytest tests/slurm -m "not faults" $(ARGS)

reference: setup  ## write the configuration's schema and tables from the models (config/README.md)
	$(BIN)/python -m rnncells.study.document

bench: setup  ## time training steps against other implementations (QUICK=1: a few, in 2 minutes)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(ARGS)

lint: setup  ## check style of code and workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint --configfile $(CONFIG)
