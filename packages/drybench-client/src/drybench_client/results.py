"""The part of `Bench` that fetches what a run left behind, and says how long it is kept."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote
from uuid import uuid4

from drybench_client.answers import Run, Session
from drybench_client.calling import Calling
from drybench_client.saving import save


class File(TypedDict):
    path: str  # below the run's output folder
    size: int
    modified: float  # seconds since 1970


class Notice(TypedDict):
    channel: str
    name: str
    kind: str
    state: str  # waiting sent failed
    tries: int
    next_at: str | None
    problem: str
    sent_at: str | None


class Journal(TypedDict):
    events: list[dict[str, Any]]
    next: int  # in bytes
    ended: bool


class Going(TypedDict):
    id: str
    name: str
    at: str


class Retention(TypedDict):
    """In days; 0 keeps for ever. What is starred never goes."""

    days: int  # one's own wish
    bench_days: int  # the keeper's rule
    going: list[Going]


class Results:
    _calling: Calling

    def _run_id(self, run: str | Run) -> str:
        raise NotImplementedError

    def wait(self, run: str | Run) -> Run:
        raise NotImplementedError

    def files(self, run: str | Run) -> Iterator[File]:
        """What it left in its output folder."""
        yield from self._calling.json("GET", f"/runs/{self._run_id(run)}/files")["items"]

    def download(self, run: str | Run, path: str, file: str | Path) -> Path:
        """One of its files, written to this one."""
        return save(self._calling, f"/runs/{self._run_id(run)}/files/{quote(path)}", file)

    def download_all(self, run: str | Run, file: str | Path, *, notebook: bool = True) -> Path:
        """All of them as a zip, with the executed notebook and the log unless these are not wanted."""
        return save(self._calling, f"/runs/{self._run_id(run)}/output.zip", file, notebook=notebook)

    def journal(self, run: str | Run, since: int = 0) -> Journal:
        """What happened, as the runner wrote it down; the next time from `next`."""
        return self._calling.json("GET", f"/runs/{self._run_id(run)}/journal", params={"since": since})

    def cut_outputs(self, run: str | Run) -> Iterator[File]:
        """Outputs of cells that were too long for the notebook."""
        yield from self._calling.json("GET", f"/runs/{self._run_id(run)}/whole")["items"]

    def download_cut_output(self, run: str | Run, path: str, file: str | Path) -> Path:
        """One of them as a whole."""
        return save(self._calling, f"/runs/{self._run_id(run)}/whole/{quote(path)}", file)

    def picture(self, run: str | Run) -> bytes:
        """Its last figure, as PNG or JPEG."""
        return self._calling.bytes(f"/runs/{self._run_id(run)}/picture")

    def table(self, runs: Iterable[str | Run]) -> Any:
        """A row for each run with its parameters and the values that it returned, as soon as all have ended.

        A DataFrame where pandas is installed, else a list of dictionaries.
        """
        return as_table([_row(self.wait(run)) for run in runs], "run")

    def open_run(self, run: str | Run) -> Session:
        """JupyterLab where the run's files are: its `url` leads there."""
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/open")

    def notices(self, run: str | Run) -> Iterator[Notice]:
        """Who was told of its end, and what went wrong with that."""
        yield from self._calling.json("GET", f"/runs/{self._run_id(run)}/notices")["items"]

    def star(self, run: str | Run) -> Run:
        """What is starred is never removed by itself."""
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/star")

    def unstar(self, run: str | Run) -> Run:
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/unstar")

    def remove(self, run: str | Run) -> None:
        """A run that has ended, with its notebook and all its files; for good."""
        self._calling.bytes(f"/runs/{self._run_id(run)}", "DELETE")

    def retention(self) -> Retention:
        """How long runs are kept, and which of one's own go next."""
        return self._calling.json("GET", "/retention")

    def keep(self, days: int) -> Retention:
        """One's own runs for so many days after their end; 0 for ever, or as long as the keeper's rule has it."""
        return self._calling.json("PUT", "/retention", json={"days": days})

    def attach(self, run: str | Run) -> Session:
        """A session on the kernel that was kept when the run failed; its `url` leads to it."""
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/attach")

    def go_on(self, run: str | Run, *, next: bool = False) -> Run:
        """In the kept kernel, from the cell that failed, or from the `next` one."""
        key = {"Idempotency-Key": uuid4().hex}
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/go-on", json={"next": next}, headers=key)

    def let_go(self, run: str | Run) -> Run:
        """Keep the kernel no longer: the run ends as it failed."""
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/let-go")


def as_table(rows: list[dict[str, Any]], index: str) -> Any:
    """A DataFrame, where there is pandas."""
    try:
        pandas: Any = importlib.import_module("pandas")
    except ImportError:
        return rows
    return pandas.DataFrame(rows).set_index(index) if rows else pandas.DataFrame()


def with_values(ends: dict[str, Any], parameters: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """One row; a returned value that is called like something else in it is called `value NAME`."""
    taken = {**ends, **parameters}
    return {**taken, **{f"value {name}" if name in taken else name: value for name, value in values.items()}}


def _row(run: Run) -> dict[str, Any]:
    ends = {"run": run["id"], "name": run["name"], "state": run["outcome"]}
    return with_values(ends, run["parameters"], run["values"] or {})
