# Every target works on a fresh clone: it makes .venv itself and reuses it while nothing it depends on has changed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check bench chaos simulate up down screenshots clean format
.DEFAULT_GOAL := demo

demo: $(READY)  ## a real Kafka, every service, one review of a real repository, then the console; `make down` stops it
	@$(BIN)/saga demo --keep

test: $(READY)  ## everything: unit, scenarios, contract, then end to end on a real Kafka, and the console in Chromium
	$(BIN)/python -m pytest -n 2 --dist loadgroup --ignore=tests/e2e --ignore=tests/browser
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e
	$(BIN)/python -m pytest tests/browser

check: $(READY)  ## style, types, directions of imports, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m kafka_saga.wire.generate --check
	$(BIN)/python -m kafka_saga.wire.generate --check schemas.events.code_review

bench: $(READY)  ## throughput, latency, memory: a table, and build/bench.json
	$(BIN)/python -m tests.bench

SEEDS ?= 20000
simulate: $(READY)  ## whole sagas under random faults, decided by seeds: make simulate SEEDS=500 FIRST=1000 SAGAS=8
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(if $(FIRST),--first $(FIRST)) $(if $(SAGAS),--sagas $(SAGAS))

MINUTES ?= 10
chaos: $(READY)  ## sagas on a real Kafka while everything is killed and stopped: make chaos MINUTES=3 SEED=7
	$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

up: $(READY)  ## Kafka and all services, in the background
	@$(BIN)/saga up --detach

down: $(READY)  ## stop what `make up` and `make demo` started
	@$(BIN)/saga down
	@SAGA_HOME=build/demo/home $(BIN)/saga down

screenshots: $(READY)  ## the pictures in docs/images, in Chromium
	@$(BIN)/python -m tests.screenshots

format: $(READY)  ## what `check` asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## what was made here; Kafka's jars in the cache stay
	@if [ -x $(BIN)/saga ]; then $(BIN)/saga down || true; fi
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; none was found. Name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) (once, a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[cli,tracing,views,console,local,review,dev]"
	@echo services.app:APP > .venv/saga-app
	@touch $(READY)
