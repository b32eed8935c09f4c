"""What stands ready in containers, on a whole bench: the next run takes it, and nothing stays mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drybench.engines import host_mounts
from drybench_client import Bench as Client
from drybench_client.answers import Run
from tests.bench import Bench, new_bench
from tests.integration.notebooks import Notebook
from tests.integration.small_containers import BASE, settings
from tests.integration.small_containers import marks as marks
from tests.parts import leave_out
from tests.waiting import wait_for

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(300, func_only=True)]

PATIENCE = 120


@pytest.fixture(scope="module")
def bench(shipped: None, marks: Path) -> Iterator[Bench]:
    if os.geteuid() != 0:
        leave_out("Only root can mount.")
    with new_bench(settings(marks, ready=1), containers=True) as bench:
        yield bench


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand


def mounted(bench: Bench) -> list[Path]:
    return list(host_mounts.below(bench.data.tasks))


def one_stands_ready(bench: Bench, hand: Client, marks: Path) -> None:
    if not mounted(bench):
        done(hand, Notebook(marks, f"before-{os.urandom(4).hex()}").marks("ran"))
    wait_for(lambda: list(bench.data.tasks.glob("*/own/door")), PATIENCE)
    wait_for(lambda: len(mounted(bench)) == 1, PATIENCE)


def done(hand: Client, notebook: Notebook, **asked: Any) -> Run:
    ended = hand.wait(hand.submit(notebook.file, environment=BASE, **asked), timeout=PATIENCE)
    assert ended["outcome"] == "done", ended
    assert notebook.marked == ["ran"]
    return ended


def took_what_stood_ready(hand: Client, run: Run) -> bool:
    return b"taking the ready kernel" in b"".join(hand.log(run))


def test_the_next_run_takes_it_and_another_comes(bench: Bench, hand: Client, marks: Path) -> None:
    for name in ("first", "second"):
        one_stands_ready(bench, hand, marks)
        before = mounted(bench)
        run = done(hand, Notebook(marks, name).marks("ran"))
        assert took_what_stood_ready(hand, run)
        wait_for(lambda gone=before: not set(gone) & set(mounted(bench)), PATIENCE)
        wait_for(lambda task=run["task"]: not (bench.data.tasks / task).is_symlink(), PATIENCE)


def test_it_outlives_a_portal_that_is_killed(bench: Bench, hand: Client, marks: Path) -> None:
    one_stands_ready(bench, hand, marks)
    before, portal = mounted(bench), bench.pids()["portal"]
    bench.kill("portal")
    wait_for(lambda: bench.pids().get("portal") not in (None, portal), PATIENCE)
    wait_for(bench.answers, PATIENCE)
    assert took_what_stood_ready(hand, done(hand, Notebook(marks, "after").marks("ran")))
    wait_for(lambda: not set(before) & set(mounted(bench)), PATIENCE)


def test_a_bench_that_is_down_leaves_nothing_mounted(bench: Bench, hand: Client, marks: Path) -> None:
    one_stands_ready(bench, hand, marks)
    bench.run("down")
    assert mounted(bench) == []
    bench.start()
    bench.wait_until_ready()
