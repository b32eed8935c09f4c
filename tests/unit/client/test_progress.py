"""The bar that `wait` shows on a terminal and in a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from drybench_client.progress import Bar
from tests.unit.client.test_printing import a_run


class Cell:
    """What a notebook shows at one place."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, said: dict[str, str], *, raw: bool, display_id: bool) -> Cell:
        assert raw
        assert display_id
        self.shown.append(said["text/plain"])
        return self

    def update(self, said: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(said["text/plain"])


def looks() -> list[Any]:
    running = [a_run(phase="running", cell=cell, cells=4) for cell in (1, 3)]
    return [a_run(), *running, a_run(phase="ended", outcome="done", cell=4, cells=4)]


def test_in_a_notebook_one_line_changes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cell = Cell()
    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()), display=cell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    with Bar() as bar:
        for run in looks():
            bar.run(run)
    assert cell.shown == [
        f"analysis  {'░' * 24}  waiting",
        f"analysis  {'░' * 24}  cell 1 of 4",
        f"analysis  {'█' * 12}{'░' * 12}  cell 3 of 4",
        f"analysis  {'█' * 24}  done",
    ]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shown", [True, False])
def test_in_a_pipe_nothing_is_shown(shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(shown) as bar:
        for run in looks():
            bar.run(run)
    assert capsys.readouterr() == ("", "")


def test_a_sweep_counts_its_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    totals = {"done": 5, "failed": 1, "stopped": 0, "lost": 0, "running": 2, "waiting": 4}
    sweep: Any = {"name": "disc\x1b[2J", "runs": 12, "totals": totals}
    with Bar() as bar:
        bar.sweep(sweep)
    shown = capsys.readouterr().err
    assert f"disc [2J  {'█' * 12}{'░' * 12}  6 of 12" in shown
    assert shown.endswith("\r\x1b[K")
