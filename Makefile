# make build   a virtual environment in .venv with xmppfast and everything for working on it
# make run     a server and two clients in conversation; the server goes on until Ctrl-C
# make run-parser   a recorded session parsed, and the speed beside expat's
# make simulate   a server and clients on a network that fails; SEED=... begins with that one
# make test    everything that has to hold before a change goes in
PYTHON ?= python3
VENV ?= .venv
PYTEST_FLAGS ?= -n auto
BIN = $(VENV)/bin
BUILT = $(VENV)/.built
CAPTURE = examples/data/mcabber-s2c.bin

.NOTPARALLEL:
.PHONY: build run run-parser test lint test-c test-sdist test-versions test-fuzz test-hosts test-simulation test-python bench fuzz simulate clean

build: $(BUILT)

$(BUILT): setup.py pyproject.toml $(wildcard xmppfast/*/*.pyx xmppfast/*/*.pxd xmppfast/*/*.pxi src_c/*)
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("xmppfast needs Python 3.11 or newer: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test,lint,bench,hosts]'
	# Its requirements need the headers of GObject; the tests use the part that does without.
	$(BIN)/python -m pip install --quiet --no-deps nbxmpp
	touch $@

run: build
	$(BIN)/python examples/conversation.py --stay

run-parser: build
	$(BIN)/xmppfast parse $(CAPTURE) | head -n 40
	@echo
	$(BIN)/xmppfast parse --stats $(CAPTURE)
	@echo
	$(BIN)/python examples/speed.py $(CAPTURE)

test: lint test-c test-sdist test-versions test-fuzz test-hosts test-simulation test-python

lint: build
	$(BIN)/ruff check .
	$(BIN)/mypy

# The tokenizer alone, with sanitizers, guard pages, failing allocations and Valgrind.
test-c:
	$(MAKE) -j 2 -C tests/c test

# The source distribution, installed where there is nothing else.
test-sdist: build
	.ci/sdist $(BIN)/python

# The API's tests on the other Python versions of this machine.
test-versions: build
	PYTEST_FLAGS='$(PYTEST_FLAGS)' .ci/versions $(BIN)/python

# One minute of fuzzing, always the same way.
test-fuzz: build
	$(MAKE) -C tests/fuzz ci PYTHON=$(abspath $(BIN)/python)

# The own tests of the projects that the adapters are for, with their parsers and with ours.
test-hosts: build
	XMPPFAST_HOSTS=$(abspath $(VENV))/hosts $(BIN)/python tests/hosts/run.py --json $(VENV)/hosts.json
	XMPPFAST_HOSTS=$(abspath $(VENV))/hosts $(BIN)/python -m pytest $(PYTEST_FLAGS) --timeout 600 tests/hosts

# One minute of simulations, always the same ones.
test-simulation: build
	$(BIN)/python tests/simulation/simulate.py --seconds 60

test-python: build
	$(BIN)/python -m pytest $(PYTEST_FLAGS) --timeout 600 --ignore=tests/hosts

bench: build
	$(BIN)/xmppfast bench $(BENCH_FLAGS)

fuzz: build
	$(MAKE) -C tests/fuzz PYTHON=$(abspath $(BIN)/python)

# Until you stop it, or RUNS=... of them; LOG=1 prints what happens.
simulate: build
	$(BIN)/python tests/simulation/simulate.py --seed $(or $(SEED),0) \
		$(if $(RUNS),--runs $(RUNS)) $(if $(LOG),--log)

clean:
	rm -rf .venv build dist *.egg-info xmppfast/*/_*.c xmppfast/*/_*.html
	rm -f xmppfast/*/_*.so xmppfast/*/_*.pyd
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/out bench/corpus tests/fuzz/out
	find . -name __pycache__ -prune -exec rm -rf {} +
	-$(MAKE) -C tests/c clean
	-$(MAKE) -C tests/fuzz clean
