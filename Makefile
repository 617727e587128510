# Everything a developer runs. PYTHON may name another interpreter of 3.11 or later.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check check-all explore quality bench clean

demo: $(VENV)/ready
	$(BIN)/windrow demo

test: $(VENV)/ready
	$(BIN)/pytest -n auto

# What every commit passes.
check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n auto

# And what takes longer.
check-all: check
	$(BIN)/pytest -n auto -m slow

# The property tests on many inputs that chance brings, new ones each time.
explore: $(VENV)/ready
	$(BIN)/pytest -n auto --hypothesis-profile=explore -m hypothesis

# How well results are ranked; needs the judged collections.
quality: $(VENV)/ready
	$(BIN)/python -m tests.ranking

# Prints figures beside those of the bare libraries; needs the load corpus.
bench: $(VENV)/ready
	$(BIN)/python -m tests.bench

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
