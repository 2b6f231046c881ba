# Everything happens in .venv. A file .venv/installed-* says what is there, so that a second call is quick.
VENV := .venv
PYTHON ?= python3
# Named exactly, because some indexes have a small build without CUDA of this version only.
TORCH ?= torch==2.13.0
# Named exactly, because it draws the generated videos: of another version they have other bytes, and benchmarks/golden.json other figures.
OPENCV ?= opencv-contrib-python==5.1.0.95
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check

.PHONY: install demo test bench lint clean

install: $(VENV)/installed-base

demo: $(VENV)/installed-report
	$(VENV)/bin/cfvgg demo

test: $(VENV)/installed-test lint
	$(VENV)/bin/python -m pytest -n 2 --durations=10

# On generated videos; with OTB=folder MODELS=folder on those of OTB, beside NanoTrack, as in docs/performance.rst.
ON_OTB = --dataset otb --root $(OTB) --frames 1000 --rounds 1 --peers Nano,CSRT --models $(MODELS) --trackers fECO,ECOHC,fDeepSTRCF,STRCF,fKCF
bench: $(VENV)/installed-report
	$(VENV)/bin/cfvgg bench speed $(if $(OTB),$(ON_OTB))
	$(VENV)/bin/python -m benchmarks.golden --full

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .

clean:
	rm -rf $(VENV) build dist *.egg-info demo_output .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# The OpenCV wheels overwrite each other: opencv-contrib-python alone is installed here, so the package comes without its requirements.
$(VENV)/installed-base: setup.py requirements/base.txt Makefile
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(OPENCV) --requirement requirements/base.txt
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/installed-report: $(VENV)/installed-base requirements/report.txt
	$(PIP) --requirement requirements/report.txt
	touch $@

$(VENV)/installed-test: $(VENV)/installed-report requirements/test.txt
	$(PIP) $(TORCH) --requirement requirements/test.txt
	touch $@
