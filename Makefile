# Two commands do everything: `make quickstart` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= quickstart

.PHONY: quickstart test check unit lint e2e setup clean

quickstart: setup      ## the whole guide on the embedded default; ends with report.html
	$(BIN)/python -m lora_train quickstart --out $(OUT)

test: setup            ## every test; those for ComfyUI and the browser skip where there is none
	$(BIN)/python -m pytest tests

check: setup lint unit ## fast: style, types, unit and contract tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/pyright

unit: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto tests/unit tests/contract -m "not slow"

e2e: setup             ## only the tests against a real ComfyUI and a real browser
	$(BIN)/python -m pytest tests/comfy tests/browser

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) $(OUT)
