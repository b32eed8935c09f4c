"""A sweep of several hundred runs on a real bench whose portal is killed again and again.

What carries out a run is a few lines of shell: so many notebooks would take minutes, and none of them is what is
looked at here. The ledger, the loop, the run folders and the local engine are the real ones.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench import python_environment
from drybench_client.bench import Bench as Client
from tests.bench import A_WHOLE_BENCH, SHARED, Bench, make_environment, new_bench
from tests.integration.test_sweeps import notebook
from tests.waiting import wait_for

RUNS = 300
MANY_AT_ONCE = """
[ready]
most = 0
[sizes.default]
memory = "20 MiB"
cores = 0.1
[engines.local]
cores = 2
memory = "2 GiB"
"""

# python -m drybench_runner run FOLDER ATTEMPT
STAND_IN = """#!/bin/sh
[ "$3" = run ] || exit 1
echo "${{4##*/}}" >> '{marks}'
cd "$4/$5/made" || exit 1
echo '{{"format": 1, "event": "began", "at": "2026-01-01T00:00:00Z", "cells": 1}}' > progress.jsonl
echo '{{"format": 1, "outcome": "done", "reason": null, "cells": 1, "executed": 1}}' > .result.json
mv .result.json result.json
"""


def stand_in(bench: Bench, marks: Path) -> None:
    """In the place of the Python environment that the bench would make."""
    root = bench.data.environments / "python"
    root.unlink()
    folder = root / python_environment.current(SHARED).name
    (folder / f"lib/python3.{sys.version_info[1]}/site-packages").mkdir(parents=True)
    (folder / "share/jupyter/kernels/python3").mkdir(parents=True)
    (folder / "share/jupyter/kernels/python3/kernel.json").write_text('{"argv": ["python"]}')
    (folder / "bin").mkdir()
    (folder / "bin/python").write_text(STAND_IN.format(marks=marks))
    (folder / "bin/python").chmod(0o700)
    (folder / ".ready").touch()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture
def bench(marks: Path) -> Iterator[Bench]:
    make_environment()
    with new_bench(MANY_AT_ONCE, start=False) as bench:
        stand_in(bench, marks)
        bench.start()
        bench.wait_until_ready()
        yield bench


@pytest.fixture
def owner(bench: Bench) -> Iterator[Client]:
    with bench.owner() as client:
        yield client


@pytest.mark.timeout(1200)
def test_hundreds_of_runs_once_each_through_kill_9(bench: Bench, owner: Client, marks: Path, tmp_path: Path) -> None:
    def ran() -> Counter[str]:
        return Counter(marks.read_text().split()) if marks.exists() else Counter()

    sweep = owner.sweep(notebook(tmp_path), typed={"x": f"1..{RUNS}"}, alone=True)
    for begun in (1, 80, 81, 220):
        wait_for(lambda begun=begun: len(ran()) >= begun, 300)
        bench.kill("portal")
        wait_for(bench.answers, A_WHOLE_BENCH)
    ended = owner.wait_sweep(sweep, timeout=600)
    assert ended["totals"]["done"] == RUNS, ended
    assert set(ran().values()) == {1}
    places = list(owner.places(sweep))
    assert [place["number"] for place in places] == list(range(1, RUNS + 1))
    assert {place["run"] for place in places} == set(ran())
    assert all([one.name for one in (bench.data.runs / run).glob("[0-9]*")] == ["1"] for run in ran())  # attempts
