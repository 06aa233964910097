# The few verbs of this project. Everything runs from .venv, which `make setup` fills and every verb
# that needs it brings up to date first.

PYTHON ?= python3
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: $(shell awk -F: '/^[a-z-]+:.*## / {print $$1}' $(MAKEFILE_LIST))

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing; GPU=1 for the CUDA variant
	@$(PYTHON) scripts/setup.py $(if $(GPU),--gpu=$(GPU)) $(if $(RUNTIME),--runtime)

serve: setup ## serve at http://localhost:8080; ARGS="--port 9000" and other flags, ARGS=--help
	@$(VENV) -m server $(ARGS)

demo: setup ## hold a spoken conversation in five languages with a server of its own
	@$(VENV) -m evaluation.demo $(ARGS)

models: setup ## fetch real models; ARGS="--list", ARGS="--tier 8gb", ARGS=--help
	@$(VENV) scripts/download_models.py $(ARGS)

eval: setup ## measure the models and write a report; ARGS="stt --data FOLDER", ARGS=--help
	@$(VENV) -m evaluation $(or $(ARGS),all)

eval-conversation: setup ## hold conversations that are hard to hold; ARGS="--seeds 20", ARGS=--help
	@$(VENV) -m evaluation.scenarios $(ARGS)

eval-telephone: setup ## call a server over both telephone doors; ARGS="--loss 0.05", ARGS=--help
	@$(VENV) -m evaluation.telephone $(ARGS)

bench: setup ## measure latency, concurrency and overhead; ARGS="curve --levels 1 8 16", ARGS=--help
	@$(VENV) -m benchmarks $(ARGS)

eval-languages: setup ## identification, switching, routing, the ways to an answer; ARGS=--help
	@$(VENV) -m evaluation.languages $(ARGS)

eval-ablation: setup ## the same questions by every way, on your models and file; ARGS=--help
	@$(VENV) -m evaluation.ablation $(ARGS)

test: setup ## run all tests; ARGS="-k vad" and other options of pytest
	@$(VENV) -m pytest $(ARGS)

airgap: setup ## hold a conversation where there is no network, and see that none is asked for
	@$(VENV) -m pytest tests/airgap $(ARGS)

browser: setup ## hold conversations with the page in a real Chromium, which is not installed here
	@$(VENV) -m pytest tests/browser/page_*.py $(ARGS)

clients: setup ## let stock clients and telephones converse with the server: openai, @openai/agents, pipecat
	@$(VENV) -m pytest tests/clients/stock.py -o log_cli=true -o log_cli_level=INFO $(ARGS)
	@$(VENV) -m evaluation.telephone

fuzz: setup ## let atheris look for input that breaks a parser; ARGS="--seconds 600 twilio"
	@$(VENV) -m tests.fuzz $(ARGS)

check: setup ## lint, formatting and strict types
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy .

TRAIN := .venv-train/bin/python -m scripts.train_starter

starter: setup ## train the starter models again, in .venv-train: hours on a CPU; ARGS=--resume
	@$(PYTHON) scripts/setup.py --train
	@$(TRAIN).stt $(ARGS)
	@$(TRAIN).llm --minutes 60 --evaluate $(ARGS)
	@$(TRAIN).tts $(ARGS)
	@$(TRAIN).nmt $(ARGS)
	@$(TRAIN).endpointing
	@$(TRAIN).prosody
	@$(TRAIN).identification
	@$(TRAIN).complexity

starter-models: ## bring back the committed starter models
	@git checkout -- models/starter

LOCK := $(VENV) -m uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11 $(if $(UPGRADE),--upgrade)

# llama.cpp has a lock of its own; the rest is torch, which silero-vad asks for, and what it brings.
NOT_LOCKED := llama-cpp-python torch sympy mpmath networkx setuptools

lock: setup ## write requirements/*.lock from pyproject.toml; UPGRADE=1 takes newer versions
	@$(LOCK) pyproject.toml --group dev --group build -o requirements/cpu.lock \
		$(addprefix --no-emit-package ,$(NOT_LOCKED))
	@$(LOCK) pyproject.toml --group build -c requirements/cpu.lock -o requirements/runtime.lock \
		$(addprefix --no-emit-package ,$(NOT_LOCKED))
	@grep -o 'llama-cpp-python==[0-9.]*' pyproject.toml | $(LOCK) - --no-deps -o requirements/llama.lock
	@$(LOCK) --group pyproject.toml:gpu -o requirements/gpu.lock

clean: ## remove the environments and everything that was built or cached
	rm -rf .venv .venv-train .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-output eval-output bench-output
