"""What becomes of tasks when the bench goes down and comes up again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.bench import Bench, new_bench
from tests.waiting import wait_for

LINES = """
from pathlib import Path
import time
Path({traces!r}).open("a").write("here ")
while not Path({go_on!r}).exists():
    time.sleep(0.05)
"""


@pytest.fixture
def own_bench() -> Iterator[Bench]:
    with new_bench() as bench:
        yield bench


class Waiting:
    """A run whose notebook waits until it is let go, and leaves a trace each time it is executed."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.traces, self.go_on = bench.home / "traces", bench.home / "go_on"
        lines = LINES.format(traces=str(self.traces), go_on=str(self.go_on))
        notebook = bench.home / "waits.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(lines)]), notebook)
        self.id = json.loads(bench.run("run", notebook, "--json").stdout)["id"]
        wait_for(lambda: self.traces.exists() or self.seen()["phase"] == "ended", 60)
        assert self.traces.exists(), self.seen()

    def seen(self) -> dict[str, Any]:
        with self.bench.owner() as owner:
            return dict(owner.get(self.id))

    def end(self) -> dict[str, Any]:
        with self.bench.owner() as owner:
            return dict(owner.wait(self.id, timeout=60))


def folders_of(bench: Bench) -> list[Path]:
    return list(bench.data.tasks.iterdir())


def test_a_run_goes_on_while_the_bench_is_down_and_is_executed_once(own_bench: Bench) -> None:
    run = Waiting(own_bench)
    own_bench.stop()
    own_bench.start()
    own_bench.wait_until_ready()
    assert run.seen()["phase"] == "running"
    run.go_on.touch()
    assert run.end()["outcome"] == "done"
    assert run.traces.read_text() == "here "


def test_a_run_that_ended_while_the_bench_was_down(own_bench: Bench) -> None:
    run = Waiting(own_bench)
    own_bench.kill("up", "hub", "portal", "proxy")
    run.go_on.touch()
    own_bench.start()
    own_bench.wait_until_ready()
    assert run.end()["outcome"] == "done"
    assert run.traces.read_text() == "here "


@pytest.mark.parametrize("first", ["up", "down", "killed"])
def test_down_ends_the_tasks_too_when_that_is_wanted(own_bench: Bench, first: str) -> None:
    """Also those of a bench that was down already."""
    run = Waiting(own_bench)
    if first == "down":
        own_bench.stop()
    elif first == "killed":
        own_bench.kill("up", "portal")
    ended = own_bench.run("down", "--tasks")
    assert ended.returncode == 0, ended.stderr
    assert folders_of(own_bench) == []
    own_bench.start()
    own_bench.wait_until_ready()
    seen = run.seen()
    assert (seen["phase"], seen["outcome"]) == ("ended", "stopped")


def test_down_with_its_tasks_on_a_bench_whose_portal_never_came_up(own_bench: Bench) -> None:
    own_bench.stop()
    for left in own_bench.data.path.glob("portal.sqlite*"):
        left.unlink()
    down = own_bench.run("down", "--tasks")
    assert (down.returncode, "Traceback" in down.stderr) == (0, False), down.stderr
