PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
GO_TOOLS := $(VENV)/.go-tools

.DEFAULT_GOAL := help
.PHONY: help demo demo-cloud test test-fast test-training test-server test-docs coverage test-cluster minikube pull-secret install check check-types check-duplicates check-style format bench bench-serving bench-scale bench-cluster drill soak quality datasets gate-study encoding-study demo-svg page-png schema proto images lock clean

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(LOCKED): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "housectl needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Setting up $(VENV) from requirements/dev.txt (once, one to three minutes)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src trainer server suggestion benchmarks tools
	@touch $@

# versitygw is the S3 server of the tests, actionlint checks the workflows, and check-compose the compose file.
$(GO_TOOLS): requirements/go/go.mod requirements/go/go.sum requirements/go/check-compose/main.go
	@command -v go >/dev/null || \
		{ echo "The tests need Go 1.21 or newer to build an S3 server; install it: https://go.dev/dl" >&2; exit 2; }
	@echo "Building the tools of requirements/go (once, two to five minutes)" >&2
	@cd requirements/go && GOBIN="$(CURDIR)/$(BIN)" go install tool
	@touch $@

install: $(READY)  ## Install housectl and the development tools into .venv.

demo: $(READY)  ## Tune, promote, serve and verify a model of Boston's house prices.
	@$(BIN)/python -m examples.demo

demo-cloud: $(READY) $(GO_TOOLS)  ## Run the pipeline on a store in S3, while two servers follow.
	@$(BIN)/python -m examples.demo_cloud

test: $(READY) $(GO_TOOLS)  ## Run the tests that need no cluster.
	$(BIN)/python -m pytest $(XDIST)

test-fast: $(READY) $(GO_TOOLS)  ## Run the tests without the mark `slow`.
	$(BIN)/python -m pytest -m "not slow"

# The workflow ci.yaml runs only the groups of tests that a change needs; see tools/changed_groups.py.
DOCS_TESTS := tests/docs
SERVER_TESTS := tests/server tests/verification tests/deploy tests/drills tests/soak tests/test_end_to_end.py \
	tests/test_wheel.py tests/test_shadowing.py
XDIST := --numprocesses auto --dist loadfile --no-loadscope-reorder

test-training: $(READY) $(GO_TOOLS)  ## Run the tests of training, commands and stores.
	$(BIN)/python -m pytest $(XDIST) tests $(DOCS_TESTS:%=--ignore=%) $(SERVER_TESTS:%=--ignore=%)

test-server: $(READY) $(GO_TOOLS)  ## Run the tests of server and verification.
	$(BIN)/python -m pytest $(XDIST) $(SERVER_TESTS)

test-docs: $(READY) $(GO_TOOLS)  ## Run the commands and scripts of the documentation.
	$(BIN)/python -m pytest $(XDIST) $(DOCS_TESTS)

coverage: $(READY) $(GO_TOOLS)  ## Run the tests without the mark `slow`, and require the coverage floor.
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-cluster: $(READY) $(GO_TOOLS)  ## Run the tests on a cluster with Katib; see docs/katib.md.
	$(BIN)/python -m pytest tests/cluster -m "not alone" --numprocesses 4 --dist loadfile --no-loadscope-reorder -rs
	IMAGES=there $(BIN)/python -m pytest tests/cluster -m alone -rs

KATIB := github.com/kubeflow/katib.git/manifests/v1beta1/installs/katib-standalone?ref=v0.19.0

minikube:  ## Start Minikube with Katib on this machine.
	minikube start --driver=docker --container-runtime=containerd --cpus=max --memory=8g
	kubectl apply -k "$(KATIB)"
	kubectl wait -n kubeflow --for=condition=Available --timeout=10m deployment --all
	kubectl get configmap katib-config -n kubeflow -o yaml | \
		perl -pe 's|^( *)- algorithmName: bayesianoptimization$$|$$&\n$$1  resources: {limits: {memory: 512Mi}}|' | \
		kubectl replace -f -

pull-secret:  ## Let trial pods of Minikube pull with docker's credentials.
	kubectl create secret generic registry --namespace kubeflow --type kubernetes.io/dockerconfigjson \
		--from-file .dockerconfigjson="$(or $(DOCKER_CONFIG),$(HOME)/.docker)/config.json"
	kubectl patch serviceaccount default --namespace kubeflow \
		--patch '{"imagePullSecrets": [{"name": "registry"}]}'

TEMPLATES := $(wildcard src/housectl/scaffold/workflows/*.yaml)
WORKFLOWS := $(wildcard .github/workflows/*.yaml) $(TEMPLATES)
SCRIPTS := .ci/run $(wildcard deploy/*.sh)

# The types take the longest, so they are checked first, next to all other checks.
check: $(READY) $(GO_TOOLS)  ## Check format, lint, types, layers, duplicate code, prose, workflows and scripts.
	@$(MAKE) --no-print-directory --jobs=2 check-types check-duplicates check-style

check-types: $(READY)
	$(BIN)/mypy

check-duplicates: $(READY)
	$(BIN)/pylint --disable=all --enable=duplicate-code --ignore-patterns='.*_pb2\.pyi?$$' src/housectl trainer/housectl_trainer server/housectl_server suggestion/housectl_suggestion

check-style: $(READY) $(GO_TOOLS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m tools.check_prose
	$(BIN)/actionlint $(WORKFLOWS)
	$(BIN)/zizmor --offline --no-progress --quiet --persona pedantic --config .github/zizmor.yml .github $(TEMPLATES)
	@if command -v shellcheck >/dev/null; then set -x; shellcheck $(SCRIPTS); \
		else echo "Not checked, because shellcheck is missing: $(SCRIPTS)" >&2; fi

format: $(READY)  ## Format the code and apply the linter's safe fixes.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) $(GO_TOOLS)  ## Measure speed against baselines; write build/bench.json.
	$(BIN)/python -m benchmarks

bench-serving: $(READY)  ## Compare the server with other model servers; write build/serving-peers.json.
	$(BIN)/python -m benchmarks.serving_peers

bench-scale: $(READY)  ## Measure the steps with 500 to 500,000 rows; write build/scale.json.
	$(BIN)/python -m benchmarks.scale

bench-cluster: $(READY)  ## Measure searches on a cluster; write build/bench-cluster.json.
	$(BIN)/python -m benchmarks.cluster

soak: $(READY) $(GO_TOOLS)  ## Load servers for ten minutes while workers and stores fail; write build/soak.json.
	$(BIN)/python -m tests.soak

drill: $(READY) $(GO_TOOLS)  ## Run the fault-injection drills (16 minutes); write docs/reliability.md.
	$(BIN)/python -m tests.drills

quality: $(READY)  ## Run nested cross-validation (half an hour); write docs/quality.md.
	$(BIN)/python -m benchmarks.quality

gate-study: $(READY)  ## Measure the gate's errors in simulated worlds (half an hour); write docs/gate.md.
	$(BIN)/python -m benchmarks.gate_study

encoding-study: $(READY)  ## Compare encodings of categories on public data (five minutes); print the table.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/datasets.txt
	$(BIN)/python -m benchmarks.encodings

datasets: $(READY)  ## Take ten public data sets the whole way (an hour); write docs/datasets.md.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/datasets.txt
	$(BIN)/python -m benchmarks.datasets

demo-svg: $(READY)  ## Record a run of the demo as docs/images/demo.svg.
	$(BIN)/python -m docs.record_demo

page-png: $(READY)  ## Take a picture of the server's page as docs/images/page.png (needs Chromium).
	$(BIN)/python -m docs.record_page

schema: $(READY)  ## Generate housectl.schema.json.
	$(BIN)/python -c 'from housectl.project.json_schema import json_schema; print(json_schema(), end="")' > housectl.schema.json

proto: $(READY)  ## Generate the classes of the suggestion protocol.
	$(BIN)/python -m grpc_tools.protoc --proto_path suggestion --python_out suggestion --pyi_out suggestion \
		suggestion/housectl_suggestion/suggestion.proto

images: $(READY)  ## Build the four images: TAG=dev, BUILDER=docker|podman|buildah, PUSH=HOST/NAME.
	@$(BIN)/python -m tools.build_images --tag $(or $(TAG),dev) $(if $(BUILDER),--builder "$(BUILDER)") \
		$(if $(PUSH),--push "$(PUSH)")

COMPILE := uv pip compile --python-version 3.11 --quiet --no-emit-index-url --generate-hashes --no-header

lock:  ## Resolve and lock the requirements for Python 3.11 (needs uv).
	$(COMPILE) pyproject.toml --all-extras --universal --fork-strategy fewest --output-file requirements/dev.txt
	for group in trainer server cli suggestion build datasets; do \
		$(COMPILE) --group $$group --constraint requirements/dev.txt --python-platform linux \
			--output-file requirements/$$group.txt || exit; \
	done
	for peer in mlflow mlserver bentoml; do \
		$(COMPILE) --group serving-peers-$$peer --python-platform linux \
			--output-file requirements/serving-peers-$$peer.txt || exit; \
	done

clean:  ## Remove build outputs and caches; keep the store.
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
