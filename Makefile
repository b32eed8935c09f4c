# make up     bring Drybench up here: no question asked, no file to edit
# make test   make what the tests need and run them all      ARGS="-k notebook" picks some
# make test-images  build all images and try them: a quarter of an hour, 15 GB
# make check  formatting, lint, types, import rules: under a minute
# make bench  measure, beside the tools people know
# make docs   the pages, in docs/_build/html                    make pictures  their pictures, by a browser
# make clean  remove what make made here (never your data)

ARGS ?=
WORKERS ?= 3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help up test test-images check format bench pictures docs clean

help:
	@sed -n 's/^# //p' Makefile

up:
	@bin/bootstrap server $(BIN)/drybench up $(ARGS)

test:
	@bin/bootstrap dev $(BIN)/python -m tests.parts
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-images:
	@bin/bootstrap dev $(BIN)/python -m tests.parts
	@DRYBENCH_TEST_IMAGES=all $(BIN)/python -m pytest -p no:randomly -rA --durations=0 tests/images \
		tests/browser/test_containers.py tests/browser/test_containers_people.py \
		tests/browser/test_desktops.py tests/browser/test_desktops_napari.py tests/browser/test_desktops_together.py \
		tests/integration/test_containers_survival.py tests/integration/test_ready_containers.py \
		tests/integration/test_stacks_images.py tests/integration/test_full_home.py tests/integration/test_conda_images.py \
		$(ARGS)

check:
	@bin/bootstrap dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

format:
	@bin/bootstrap dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench:
	@bin/bootstrap dev
	@$(BIN)/python -m benchmarks $(ARGS)

pictures:
	@bin/bootstrap dev
	@DRYBENCH_TEST_IMAGES=all DRYBENCH_PICTURES=$(CURDIR)/docs/images $(BIN)/python -m pytest -p no:randomly \
		tests/browser/test_journeys.py tests/browser/test_jupyterlab.py tests/browser/test_sweeps.py \
		tests/browser/test_new_run.py tests/browser/test_attach.py tests/browser/test_schedules.py \
		tests/browser/test_receipts.py tests/browser/test_gpus.py tests/browser/test_desktop_frame.py \
		tests/browser/test_environments.py tests/browser/test_containers.py \
		tests/browser/test_desktops.py tests/browser/test_desktops_napari.py tests/browser/test_desktops_together.py

docs:
	@bin/bootstrap dev
	@$(BIN)/python docs/from_code.py
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build/html

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis docs/_build dist
	find packages tests -name __pycache__ -prune -exec rm -rf {} +
