"""What becomes of tasks when the bench goes down and comes up again."""

from __future__ import annotations

import json
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


class Waiting:
    """A run whose notebook waits until it is let go, and leaves a trace each time it is executed."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.traces, self.go_on = folder / "traces", folder / "go_on"
        lines = LINES.format(traces=str(self.traces), go_on=str(self.go_on))
        notebook = folder / "waits.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(lines)]), notebook)
        self.id = json.loads(bench.run("run", notebook, "--json").stdout)["id"]
        wait_for(lambda: self.traces.exists() or self.seen()["phase"] == "ended")
        assert self.traces.exists(), self.seen()

    def seen(self) -> dict[str, Any]:
        with self.bench.owner() as owner:
            return dict(owner.get(self.id))

    def end(self) -> dict[str, Any]:
        with self.bench.owner() as owner:
            return dict(owner.wait(self.id, timeout=100))


def folders_of(bench: Bench) -> list[Path]:
    return list(bench.data.tasks.iterdir())


def test_a_run_goes_on_while_the_bench_is_down_and_is_executed_once(up: Bench, tmp_path: Path) -> None:
    run = Waiting(up, tmp_path)
    up.stop()
    up.start()
    up.wait_until_ready()
    wait_for(lambda: run.seen()["phase"] == "running")
    run.go_on.touch()
    assert run.end()["outcome"] == "done"
    assert run.traces.read_text() == "here "


def test_a_run_that_ended_while_the_bench_was_down(up: Bench, tmp_path: Path) -> None:
    run = Waiting(up, tmp_path)
    up.kill("up", "hub", "portal", "proxy")
    run.go_on.touch()
    up.start()
    up.wait_until_ready()
    assert run.end()["outcome"] == "done"
    assert run.traces.read_text() == "here "


@pytest.mark.parametrize("first", ["up", "down", "killed"])
def test_down_ends_the_tasks_too_when_that_is_wanted(up: Bench, tmp_path: Path, first: str) -> None:
    """Also those of a bench that was down already."""
    run = Waiting(up, tmp_path)
    if first == "down":
        up.stop()
    elif first == "killed":
        up.kill("up", "portal")
    ended = up.run("down", "--tasks")
    assert ended.returncode == 0, ended.stderr
    assert folders_of(up) == []
    up.start()
    up.wait_until_ready()
    wait_for(lambda: run.seen()["phase"] == "ended")
    assert run.seen()["outcome"] == "stopped"


def test_down_with_its_tasks_on_a_bench_whose_portal_never_came_up() -> None:
    with new_bench() as bench:
        bench.stop()
        for left in bench.data.path.glob("portal.sqlite*"):
            left.unlink()
        down = bench.run("down", "--tasks")
        assert (down.returncode, "Traceback" in down.stderr) == (0, False), down.stderr
