# `make help` lists the targets from their `##` comments. The two environments are .venv (Gridwright and its tools) and
# .venv-triton (what stands beside an embedded Triton server); both are made from lock files alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?=
BIN := .venv/bin
UV := $(BIN)/uv
# Tests that start no servers share the cores; the others need them for what they start.
ALONE := not triton and not envoy and not editor and not cluster
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
# npm is a script that looks for `node` itself.
NPM := PATH="$$PWD/.venv-editor/bin:$$PATH" npm --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-26s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed .venv-triton/.installed .venv/.compiled ## Make both environments from the lock files; instant when they are up to date
	@:

.PHONY: demo
demo: setup ## Run the whole story on an embedded fleet (under 4 minutes) and write build/demo/report.html
	@$(BIN)/python -m controller.embedded.demo examples/embedded build/demo

.PHONY: up
up: setup ## Keep the embedded fleet and its controller running until Ctrl-C
	@$(BIN)/gridwright up examples/embedded

.PHONY: check
check: setup ## Lint, formatting, types and layers
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: setup .venv-editor/.installed .venv-promtool/.installed .control-plane/.installed ## All tests, with coverage; real Triton servers, a real Envoy and a real control plane of Kubernetes included
	@$(BIN)/pytest -m "$(ALONE)" --numprocesses logical --dist loadfile --cov --cov-report=
	$(BIN)/pytest -m "not ($(ALONE))" --cov --cov-append --cov-report=term

.PHONY: test-quick
test-quick: setup ## The tests that start no server and take no minutes
	@$(BIN)/pytest -m "$(ALONE) and not long" --numprocesses logical --dist loadfile

.PHONY: test-cluster
test-cluster: setup .control-plane$(KUBERNETES:%=-%)/.installed ## The tests on a real control plane of Kubernetes; builds it the first time (12 to 30 minutes): [KUBERNETES=1.34.4]
	@KUBERNETES="$(KUBERNETES)" CONTROL_PLANE="$$PWD/.control-plane$(KUBERNETES:%=-%)" $(BIN)/pytest -m cluster

.PHONY: check-hubs
check-hubs: setup .control-plane/.installed ## Hold what is handed over to the published definitions of Open Cluster Management and Karmada: CRDS=folder
	@$(BIN)/python -m tests.cluster.held_to_hubs "$(CRDS)"

.PHONY: mutation
mutation: setup ## Mutate the comparisons and limits of rules/; fail when an unexplained mutant survives
	@$(BIN)/python -m tests.mutation

.PHONY: bench-overhead
bench-overhead: setup ## Measure the controller's CPU and memory on the embedded fleet (90 seconds)
	@$(BIN)/python benchmarks/overhead.py

.PHONY: bench-prediction-tables
bench-prediction-tables: setup ## Score predictions from a table of measurements: TABLE=file.csv [HOLD_GPU=name] (1 minute)
	@$(BIN)/python benchmarks/prediction_tables.py "$(TABLE)" $(if $(HOLD_GPU),--hold-gpu "$(HOLD_GPU)")

.PHONY: bench-prediction-triton
bench-prediction-triton: setup ## Score predicted latencies on a real Triton (90 minutes): [POINTS=n] [REQUESTS=n] [MEASURED=file.csv]
	@$(BIN)/python benchmarks/prediction_triton.py $(if $(MEASURED),--measured "$(MEASURED)") \
	  $(if $(POINTS),--points "$(POINTS)") $(if $(REQUESTS),--requests "$(REQUESTS)")

.PHONY: bench-prediction-pipeline
bench-prediction-pipeline: setup ## Score predictions of whole pipelines on the embedded fleet, 20 ms between sites (6 minutes)
	@$(BIN)/python benchmarks/prediction_pipeline.py

.PHONY: bench-prediction-cost
bench-prediction-cost: setup ## Measure what a prediction costs, simulated and looked up (10 seconds)
	@$(BIN)/python benchmarks/prediction_cost.py

.PHONY: bench-profiler
bench-profiler: setup ## Profile a model of the embedded fleet and hold the profile against the full grid (8 minutes)
	@$(BIN)/python benchmarks/profiler.py

.PHONY: bench-placement
bench-placement: setup ## Plan a reference fleet: INSTANCE=file [TIME=seconds] [PREVIOUS=plan.json] [OUT=plan.json] [SEED=n] [PEERS=1]
	@$(BIN)/python benchmarks/placement.py "$(INSTANCE)" $(if $(TIME),--seconds $(TIME)) $(if $(SEED),--seed $(SEED)) $(if $(PEERS),--peers) \
	  $(if $(PREVIOUS),--previous "$(PREVIOUS)") $(if $(OUT),--output "$(OUT)")

.PHONY: bench-changed
bench-changed: setup ## Plan a reference fleet a little later, from the plan that ran: INSTANCE=file PREVIOUS=plan.json [TIME=seconds] [SEED=n]
	@mkdir -p build
	@$(BIN)/python benchmarks/placement_changed.py "$(INSTANCE)" "$(PREVIOUS)" build/changed.json $(if $(SEED),--seed $(SEED))
	@$(BIN)/python benchmarks/placement.py build/changed.json --previous "$(PREVIOUS)" $(if $(TIME),--seconds $(TIME)) $(if $(SEED),--seed $(SEED))

.PHONY: bench-random
bench-random: setup ## Hold every engine to trying everything on tiny instances: [COUNT=1000] of each kind, [SEED=n] [KIND=name] [PROCESSES=n]
	@$(BIN)/python benchmarks/random_instances.py $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(KIND),--kind $(KIND)) $(if $(PROCESSES),--processes $(PROCESSES))

.PHONY: fuzz
fuzz: setup ## Read spoiled documents, which may neither break down the reader nor hold it up: [COUNT=20000] [SEED=n] [PROCESSES=n] [WRITE=file]
	@$(BIN)/python benchmarks/fuzz.py $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(WRITE),--write "$(WRITE)")

.PHONY: bench-bound
bench-bound: setup ## Prove what no plan of a reference fleet can cost less than: INSTANCE=file [TIME=seconds] [PREVIOUS=plan.json]
	@$(BIN)/python benchmarks/placement_bound.py "$(INSTANCE)" $(if $(TIME),--seconds $(TIME)) \
	  $(if $(PREVIOUS),--previous "$(PREVIOUS)")

.PHONY: bench-small
bench-small: setup ## Prove plans of generated fleets of 12 and of 30 models to be the best: [SEEDS=20] (2 minutes)
	@$(BIN)/python benchmarks/placement_small.py $(if $(SEEDS),--seeds $(SEEDS))

.PHONY: bench-scale
bench-scale: setup ## Measure what planning costs from 100 to 10,000 nodes (half a minute)
	@$(BIN)/python benchmarks/placement_scale.py

.PHONY: bench-explain
bench-explain: setup ## Measure what explaining generated fleets costs: [NODES=n] [SEED=n] (minutes)
	@$(BIN)/python benchmarks/explained.py $(if $(NODES),--nodes $(NODES)) $(if $(SEED),--seed $(SEED))

.PHONY: bench-whole
bench-whole: setup ## Plan a generated fleet with every rule in use, then again after changes: [NODES=1000] [SEED=n] (minutes)
	@$(BIN)/python benchmarks/whole.py $(if $(NODES),--nodes $(NODES)) $(if $(SEED),--seed $(SEED))

.PHONY: bench-transitions
bench-transitions: setup ## Measure ordering changes of 10 to 200 instances on fleets of 100 to 1,000 nodes (minutes): [SEEDS=n]
	@$(BIN)/python benchmarks/transitions.py $(if $(SEEDS),--seeds $(SEEDS))

.PHONY: bench-cluster
bench-cluster: setup .control-plane/.installed ## Measure what following 2,000 nodes and 5,000 pods of Kubernetes costs (2 minutes): [NODES=n] [PODS=n]
	@$(BIN)/python benchmarks/cluster_inventory.py $(if $(NODES),--nodes $(NODES)) $(if $(PODS),--pods $(PODS))

.PHONY: bench-kills
bench-kills: setup .control-plane/.installed ## Kill leaders amid transitions and judge by an independent watcher (35 minutes): [COUNT=100] [SEED=n] [KEEP=folder]
	@$(BIN)/python benchmarks/kills.py $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep "$(KEEP)")

.PHONY: bench-cluster-loop
bench-cluster-loop: setup .control-plane/.installed ## Measure the whole controller in a cluster of 2,000 played nodes (an hour on 2 processors; STANDING=1, where servers stand from the start, a quarter of one): [NODES=n] [PODS=n] [STANDING=1]
	@$(BIN)/python benchmarks/cluster_loop.py $(if $(NODES),--nodes $(NODES)) $(if $(PODS),--pods $(PODS)) $(if $(STANDING),--standing)

.PHONY: bench-check
bench-check: setup ## Measure what checking 10,000 documents costs (1 minute): [DOCUMENTS=n]
	@$(BIN)/python benchmarks/check.py $(if $(DOCUMENTS),--documents $(DOCUMENTS))

.PHONY: bench-ingest
bench-ingest: setup ## Measure what taking in spans and metrics costs, and memory under overload (half a minute)
	@$(BIN)/python benchmarks/ingest.py

.PHONY: bench-forecast
bench-forecast: setup ## Score the demand forecasts on the traces of TRACES=folder, or on WORKLOAD=file of time,rate (11 minutes)
	@$(BIN)/python benchmarks/forecast.py $(if $(WORKLOAD),--workload "$(WORKLOAD)",--traces "$(TRACES)")

.PHONY: bench-packing
bench-packing: setup ## Pack the openb trace of TRACE=folder on its nodes, against other schedulers and a bound: [TIME=seconds] (9 minutes)
	@$(BIN)/python benchmarks/packing.py "$(TRACE)" $(if $(TIME),--time "$(TIME)")

.PHONY: image
image: ## Build the container image with buildah (as root; installs buildah and debootstrap when they are missing)
	@.ci/image

.PHONY: image-again
image-again: ## Build the image once more without any cache; fail when it comes to other layers
	@.ci/image again

.PHONY: sbom
sbom: setup .venv-sbom/.installed ## List what an installation consists of, in CycloneDX: build/sbom.cdx.json
	@.ci/sbom build/sbom.cdx.json

.PHONY: lock
lock: .venv/.installed .venv-editor/.node ## Resolve the dependencies anew into the lock files; keeps what still fits
	@$(COMPILE) --all-extras --group dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --no-deps --output-file requirements-triton.lock requirements-triton.in
	$(COMPILE) --output-file requirements-editor.lock requirements-editor.in
	$(COMPILE) --no-deps --output-file requirements-control-plane.lock requirements-control-plane.in
	$(COMPILE) --output-file requirements-sbom.lock requirements-sbom.in
	$(NPM) install --prefix tests/schema/editor --package-lock-only --omit-lockfile-registry-resolved

.PHONY: schema
schema: setup ## Write the JSON Schema and the CRDs anew from the kinds of document and docs/language.md
	@$(BIN)/python -m policy.schema

.PHONY: manifests
manifests: setup .control-plane/.installed ## Write what is rendered from the Helm chart anew: Kustomize's base, what `install` carries, the tests' copies
	@$(BIN)/python -m tests.cluster.rendering

.PHONY: findings
findings: setup ## Write the page of each finding anew from docs/findings.md and the broken documents of the tests
	@$(BIN)/python -m tests.project.finding_pages

.PHONY: clean
clean: ## Remove both environments and everything built
	@rm -rf .venv .venv-triton .venv-editor .venv-promtool .venv-sbom .control-plane .control-plane-* build dist htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv is locked with the rest: its own block of the lock file is all that pip ever installs.
.venv/.installed: requirements.lock pyproject.toml
	@if [[ ! -x $(UV) ]]; then
	  python=$$(PYTHON=$(PYTHON) .ci/python)
	  "$$python" -m venv --clear .venv
	  awk '/^[^ ]/ {wanted = /^uv==/} wanted' requirements.lock > .venv/uv.lock
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement .venv/uv.lock
	fi
	echo "Installing Gridwright and its tools into .venv"
	$(UV) pip sync --quiet --python .venv --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --offline --editable .
	touch $@

# Numba notices a change of the file that it compiled, and none of a file whose functions were compiled into it.
COMPILED := $(shell grep --recursive --files-with-matches --include=*.py "controller.compiled import" controller benchmarks)
.venv/.compiled: $(COMPILED) .venv/.installed
	@find controller benchmarks -name '*.nb[ic]' -delete
	echo "Compiling the simulation of Triton's batcher"
	$(BIN)/gridwright plan examples/embedded > /dev/null || [[ $$? == 2 ]]
	touch $@

.venv-triton/.installed: requirements-triton.lock | .venv/.installed
	@if [[ ! -x .venv-triton/bin/python ]]; then
	  source=(--python "$$(PYTHON=$(PYTHON) .ci/python triton)")
	  if [[ $${source[1]} == managed ]]; then
	    echo "No Python 3.11 or 3.12 with its libpython is here, and Triton loads it: fetching a Python 3.12 with uv"
	    source=(--managed-python --python 3.12)
	    if ! $(UV) python install 3.12; then
	      echo "error: it could not be fetched. Install one and run make again (Debian 12: apt-get install libpython3.11)." >&2
	      exit 1
	    fi
	  fi
	  $(UV) venv --quiet "$${source[@]}" .venv-triton
	fi
	echo "Installing Triton, its runtime and the networks into .venv-triton"
	$(UV) pip sync --quiet --python .venv-triton --require-hashes requirements-triton.lock
	touch $@

.venv-editor/.node: requirements-editor.lock | .venv/.installed
	@if [[ ! -x .venv-editor/bin/python ]]; then
	  $(UV) venv --quiet --python $(BIN)/python .venv-editor
	fi
	$(UV) pip sync --quiet --python .venv-editor --require-hashes requirements-editor.lock
	touch $@

.venv-editor/.installed: tests/schema/editor/package-lock.json .venv-editor/.node
	@echo "Installing the language server of editors into .venv-editor"
	cp tests/schema/editor/package.json tests/schema/editor/package-lock.json .venv-editor
	$(NPM) ci --prefix .venv-editor
	touch $@

.venv-sbom/.installed: requirements-sbom.lock | .venv/.installed
	@if [[ ! -x .venv-sbom/bin/python ]]; then
	  $(UV) venv --quiet --python $(BIN)/python .venv-sbom
	fi
	$(UV) pip sync --quiet --python .venv-sbom --require-hashes requirements-sbom.lock
	touch $@

.venv-promtool/.installed: .ci/promtool
	@.ci/promtool .venv-promtool
	touch $@

# Other versions of Kubernetes than the one that is pinned, for who asks for them.
.control-plane-%/.installed: .ci/control-plane | .venv/.installed
	@.ci/control-plane .control-plane-$* $*
	if [[ -x .control-plane-$*/kustomize ]]; then touch $@; fi

# Without Go there is no control plane and no stamp: the next run looks again.
.control-plane/.installed: .ci/control-plane $(wildcard tests/cluster/*/go.mod tests/cluster/*/go.sum) requirements-control-plane.lock | .venv/.installed
	@.ci/control-plane .control-plane
	if [[ -x .control-plane/kustomize ]]; then touch $@; fi
