"""What `Bench` sends for a sweep, and what it makes of the answers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drybench_client import printing_sweeps, values
from drybench_client.errors import BenchAway, Refused
from drybench_client.sweeps import Sweeping

SWEEP = "5" * 32
TOTALS = {"done": 0, "failed": 0, "stopped": 0, "lost": 0, "running": 0, "waiting": 0}


def _place(number: int, **more: Any) -> dict[str, Any]:
    return {"number": number, "parameters": {"x": number}, **more}


class Asked(Sweeping):
    """Answers from a list."""

    def __init__(self, *answers: Any) -> None:
        self.sent: list[Any] = []
        self.answers = list(answers)
        self._calling: Any = self

    def _request(self, notebook: str | Path, parameters: Mapping[str, Any] | None, **asked: Any) -> dict[str, Any]:
        return {"parameters": dict(parameters or {}), **asked}

    def _send_notebook(self, path: str, file: Path, request: Mapping[str, Any]) -> Any:
        self.sent.append((path, request))
        return {"id": SWEEP}

    def _items(self, path: str, most: int | None, **chosen: str | None) -> Iterator[Any]:
        yield from [
            _place(1, run="r", state="done", seconds=1.5, values={"x": 9, "y": 2}),
            _place(2, run=None, state="stopped", seconds=None, values={}),
        ]

    def json(self, method: str, path: str, **content: Any) -> Any:
        self.sent.append((method, path))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_only_what_was_given_is_sent(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("\ufeffx\n1\n")
    bench = Asked()
    bench.sweep("a.ipynb", {"z": 0}, grid={"x": [1]}, csv=table, files={"image": "/data/*.tif"}, size="large")
    ((path, request),) = bench.sent
    assert path == "/sweeps"
    folder = [{"parameter": "image", "folder": "/data", "pattern": "*.tif"}]
    assert request == {
        "parameters": {"z": 0},
        "size": "large",
        "sweep": {"grid": {"x": [1]}, "csv": "x\n1\n", "folder": folder},
    }


def test_a_table_may_be_given_as_text_and_an_empty_list_is_said() -> None:
    bench = Asked()
    bench.count_sweep("a.ipynb", csv="x\n1\n2\n")
    bench.count_sweep("a.ipynb", rows=[])
    assert [request["sweep"] for _, request in bench.sent] == [{"csv": "x\n1\n2\n"}, {"list": []}]


def test_a_table_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be read"):
        Asked().sweep("a.ipynb", csv="nowhere.csv")


def test_it_waits_until_the_last_has_ended_also_through_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    going, over = ({"id": SWEEP, "totals": {**TOTALS, **some}} for some in ({"waiting": 1}, {"done": 2}))
    seen: list[Any] = []
    bench = Asked(going, BenchAway("bench_away", "No bench.", ""), going, over)
    assert bench.wait_sweep(SWEEP, tell=seen.append) == over
    assert seen == [going, going, over]
    with pytest.raises(TimeoutError):
        Asked(going).wait_sweep(SWEEP, timeout=-1)


def test_values_are_rows_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_pandas(name: str, *more: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", without_pandas)
    first, second = Asked().values(SWEEP, wait=False)
    assert first == {"number": 1, "state": "done", "seconds": 1.5, "run": "r", "x": 1, "value x": 9, "y": 2}
    assert second["x"] == 2


def test_totals_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    sweep: Any = {"id": "0" * 26 + "abcdef", "name": "disc", "totals": {**TOTALS, "done": 1200, "failed": 1}}
    printing_sweeps.show_sweep(sweep)
    printing_sweeps.show_count({"count": 5, "limit": 2000, "first": [{"x": 1}]})
    assert capsys.readouterr().out == (
        "Sweep abcdef (disc): 1,200 done, 1 failed\n5 runs (the most is 2,000)\n  x = 1\n  …\n"
    )
    assert values.pairs(["x=1,2=3"]) == {"x": "1,2=3"}
