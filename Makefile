# Needs Python 3.11-3.13, git and make; everything else is installed into .venv, pinned by hash.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 3
PART ?= 1/1
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet
ELSEWHERE := $(addprefix --no-emit-package ,$(shell grep -h '^[a-z]' requirements/numbers.in requirements/validation.in))
# An environment holds absolute paths: the one that came along when its folder was moved or copied is another's.
FOREIGN := $(shell for one in .venv .venv-airflow; do \
  was=$$(sed -n 's/^command = .* -m venv //p' $$one/pyvenv.cfg 2>/dev/null); \
  [ -z "$$was" ] || [ "$$was" = "$$(cd $$one && pwd -P)" ] || echo $$one/foreign; done)
LOCKED := --require-hashes -r requirements/numbers.lock -r requirements/validation.lock -r requirements/pipeline.lock

# Without compiled bytecode every stage would compile TensorFlow's Python sources anew.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Behind a company's proxy the machine knows the certificates, not uv.
export UV_SYSTEM_CERTS := true
# Nothing here calls home.
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export GX_ANALYTICS_ENABLED := false
# Eight processes that wait for jobs of a kind that nobody here has.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false

.DEFAULT_GOAL := help
.PHONY: help run test test-all zoo unit check ui airflow serve bench lock clean .venv/foreign .venv-airflow/foreign

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

run: .venv/pipeline ## every experiment on the embedded data: fetch to promotion, then a table of results
	$(BIN)/evermodel run -j $(JOBS)
	@echo "Figures: experiments/NAME/figures. Data checks: data/NAME/validation/data_docs/index.html. Runs: make ui."
	@echo "One pipeline: $(BIN)/dvc repro experiments/NAME/dvc.yaml."

test: .venv/dev check ## checks, units and one pipeline for real, in ten minutes; installs what they need
	$(BIN)/pytest -n auto -m "not all and not zoo" tests

test-all: .venv/dev .venv/jax .venv/spark .venv-airflow/installed ## the other tests: Airflow, servers, browsers, what the docs say
	bash tests/debian.sh
	$(BIN)/pytest -n auto -m all tests

zoo: .venv/dev ## every experiment and every architecture; PART=2/4 is the second of four parts
	$(BIN)/pytest -n auto -m zoo --part $(PART) tests

unit: .venv/dev ## the quick tests alone
	$(BIN)/pytest -n auto -m "not spine and not all and not zoo" tests

check: .venv/dev ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: .venv/pipeline ## MLflow's pages on http://127.0.0.1:5000
	@# Which lets the store name its files in this folder, wherever that was before.
	$(BIN)/python -c 'from evermodel.publishing import tracking; tracking.opened(tracking.STORE)'
	$(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

airflow: .venv/pipeline .venv-airflow/installed ## Airflow with our DAGs on http://127.0.0.1:8080, and MLflow beside it
	$(BIN)/evermodel airflow -j $(JOBS)

serve: .venv/serving ## the champions over HTTP, and a page to try them, on http://127.0.0.1:8000
	$(BIN)/evermodel serve

bench: .venv/serving ## the benchmarks: what many experiments cost, serving beside MLflow's server, how often luck wins
	$(BIN)/python benchmarks/growth.py
	$(BIN)/evermodel run -j $(JOBS) fashion_cnn imdb_dnn mnist_mlp
	$(BIN)/python benchmarks/serving.py fashion_cnn imdb_dnn
	$(BIN)/python -m benchmarks.challengers mnist_mlp

lock: .venv/pipeline ## resolve requirements/*.in into requirements/*.lock
	$(BIN)/$(LOCK) requirements/installer.in -o requirements/installer.lock
	@# Twice: with what they need, so that they go together; then without, so that a new version of that retrains nothing.
	$(BIN)/$(LOCK) requirements/numbers.in -o requirements/numbers.lock
	$(BIN)/$(LOCK) --no-deps requirements/numbers.in -o requirements/numbers.lock
	$(BIN)/$(LOCK) requirements/validation.in -o requirements/validation.lock
	$(BIN)/$(LOCK) --no-deps requirements/validation.in -o requirements/validation.lock
	$(BIN)/$(LOCK) $(ELSEWHERE) requirements/pipeline.in -o requirements/pipeline.lock
	$(BIN)/$(LOCK) --override requirements/serving.overrides requirements/serving.in -o requirements/serving.lock
	$(BIN)/$(LOCK) requirements/dev.in -o requirements/dev.lock
	$(BIN)/$(LOCK) requirements/gpu.in -o requirements/gpu.lock
	$(BIN)/$(LOCK) requirements/jax.in -o requirements/jax.lock
	$(BIN)/$(LOCK) requirements/jax-gpu.in -o requirements/jax-gpu.lock
	$(BIN)/$(LOCK) requirements/spark.in -o requirements/spark.lock
	$(BIN)/$(LOCK) requirements/mlflow.in -o requirements/mlflow.lock
	$(BIN)/$(LOCK) requirements/airflow.in -o requirements/airflow.lock

clean: ## remove what the pipeline made, not what it cached
	git clean -Xdfq data experiments
	rm -rf .evermodel mlflow.db* mlartifacts

.venv/foreign .venv-airflow/foreign:
	rm -rf $(@D)

.venv/pipeline: $(addprefix requirements/,installer.lock numbers.lock validation.lock pipeline.lock) pyproject.toml $(filter .venv/%,$(FOREIGN))
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed; this is " + sys.version.split()[0] + ". Say which with make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/installer.lock
	@# pip is ten times slower, but knows every proxy and mirror that it was ever taught.
	VIRTUAL_ENV=.venv $(BIN)/uv pip install $(LOCKED) || $(BIN)/python -m pip install $(LOCKED)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/serving: .venv/pipeline requirements/serving.lock
	@# Without looking at what KServe asks for: requirements/serving.overrides says where it asks for too little.
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --no-deps --require-hashes -r requirements/serving.lock || \
	  $(BIN)/python -m pip install --no-deps --require-hashes -r requirements/serving.lock
	@touch $@

# What the tests need, what trains on several devices, and Spark; `make run` needs none of them.
.venv/dev: .venv/serving
.venv/jax-gpu: requirements/gpu.lock
.venv/dev .venv/jax .venv/jax-gpu .venv/spark: .venv/%: .venv/pipeline requirements/%.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --require-hashes $(addprefix -r ,$(filter %.lock,$^)) || \
	  $(BIN)/python -m pip install --require-hashes $(addprefix -r ,$(filter %.lock,$^))
	@touch $@

.venv-airflow/installed: .venv/pipeline requirements/airflow.lock $(filter .venv-airflow/%,$(FOREIGN))
	test -x .venv-airflow/bin/python || $(BIN)/python -m venv .venv-airflow
	VIRTUAL_ENV=.venv-airflow $(BIN)/uv pip install --require-hashes -r requirements/airflow.lock || \
	  .venv-airflow/bin/python -m pip install --require-hashes -r requirements/airflow.lock
	@touch $@
