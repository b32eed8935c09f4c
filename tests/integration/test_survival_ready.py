"""What stands ready on a whole bench: it is used, it outlives a portal, and nothing runs twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drybench import database
from drybench.ledger import open_ledger
from drybench_client import Bench as Client
from drybench_client.answers import Run
from tests.bench import Bench, new_bench
from tests.integration.notebooks import Notebook
from tests.waiting import wait_for

PATIENCE = 90
GIB = 2**30
SETTINGS = """
[ready]
most = 1
[engines.local]
cores = 2
memory = "4 GiB"
[sizes.default]
cores = 1
memory = "1 GiB"
[sizes.whole]
cores = 2
memory = "4 GiB"
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        yield bench


@pytest.fixture(autouse=True)
def whole(bench: Bench) -> None:
    bench.be_whole()


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand


def standing(bench: Bench) -> list[Path]:
    """The folders of those that a run of the default size takes, as the ledger has it."""
    with closing(open_ledger(database.sqlite_url(bench.data.ledger), lambda: datetime.now(UTC))) as ledger:
        ready = [task for task in ledger.open_tasks() if task.stands_ready and task.memory == GIB]
    return [bench.data.tasks / task.id for task in ready]


def one_stands_ready(bench: Bench, hand: Client, folder: Path) -> Path:
    """Its task's folder."""
    if not standing(bench):
        done(hand, Notebook(folder, "first").marks("ran"))
    [ready] = wait_for(lambda: len(found := standing(bench)) == 1 and found, PATIENCE)
    return ready


def done(hand: Client, notebook: Notebook, **asked: Any) -> Run:
    ended = hand.wait(hand.submit(notebook.file, **asked), timeout=PATIENCE)
    assert ended["outcome"] == "done", ended
    assert notebook.marked == ["ran"]
    return ended


def took_what_stood_ready(hand: Client, run: Run) -> bool:
    return b"taking the ready kernel" in b"".join(hand.log(run))


def test_the_next_run_takes_it_and_leaves_nothing(bench: Bench, hand: Client, tmp_path: Path) -> None:
    ready = one_stands_ready(bench, hand, tmp_path)
    run = done(hand, Notebook(tmp_path, "second").marks("ran"))
    assert took_what_stood_ready(hand, run)
    wait_for(lambda: not ready.exists() and not (bench.data.tasks / run["task"]).is_symlink(), PATIENCE)


def test_it_is_no_run_and_holds_nothing(bench: Bench, hand: Client, tmp_path: Path) -> None:
    one_stands_ready(bench, hand, tmp_path)
    with bench.api(bench.token()) as api:
        machine = api.get("/machine").json()
        assert (machine["working"], machine["memory_held"], machine["waiting"]) == (0, 0, 0)
        assert all(run["phase"] == "ended" for run in api.get("/runs").json()["items"])


def test_it_outlives_the_portal_and_is_taken_by_the_next_one(bench: Bench, hand: Client, tmp_path: Path) -> None:
    ready = one_stands_ready(bench, hand, tmp_path)
    bench.kill("portal")
    wait_for(bench.answers, PATIENCE)
    run = done(hand, Notebook(tmp_path, "after").marks("ran"))
    assert took_what_stood_ready(hand, run)
    wait_for(lambda: not ready.exists(), PATIENCE)


@pytest.mark.parametrize("moment", ["link", "taken", "running"])
def test_the_portal_killed_while_it_is_given_its_work(bench: Bench, hand: Client, tmp_path: Path, moment: str) -> None:
    """Whichever half of the claim was made, the run is executed once."""
    ready = one_stands_ready(bench, hand, tmp_path)
    notebook = Notebook(tmp_path, "once").marks("ran")
    run = hand.submit(notebook.file)
    link = bench.data.tasks / run["task"]
    signs = {
        "link": link.is_symlink,
        "taken": (ready / "own" / "taken.json").exists,
        "running": lambda: notebook.marked,
    }
    wait_for(lambda: signs[moment]() or notebook.marked, PATIENCE)
    bench.kill("portal")
    wait_for(bench.answers, PATIENCE)
    assert hand.wait(run, timeout=PATIENCE)["outcome"] == "done"
    assert notebook.marked == ["ran"]
    wait_for(lambda: not ready.exists(), PATIENCE)


def test_it_gives_way_to_a_run_that_needs_the_whole_machine(bench: Bench, hand: Client, tmp_path: Path) -> None:
    ready = one_stands_ready(bench, hand, tmp_path)
    run = done(hand, Notebook(tmp_path, "large").marks("ran"), size="whole")
    assert not took_what_stood_ready(hand, run)
    wait_for(lambda: not ready.exists(), PATIENCE)


def test_it_ends_with_the_tasks_of_a_bench_that_is_taken_down(bench: Bench, hand: Client, tmp_path: Path) -> None:
    ready = one_stands_ready(bench, hand, tmp_path)
    bench.run("down", "--tasks")
    assert not ready.exists()
    bench.start()
    bench.wait_until_ready()
    done(hand, Notebook(tmp_path, "again").marks("ran"))
