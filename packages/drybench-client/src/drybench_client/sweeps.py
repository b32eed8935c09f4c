"""The part of `Bench` that asks for sweeps: one notebook with many sets of parameters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from drybench_client import errors
from drybench_client.asking import Options
from drybench_client.calling import Calling
from drybench_client.results import as_table, with_values
from drybench_client.saving import save

_PAUSE, _LONGEST_PAUSE = 0.2, 2.0  # seconds between two looks
_WHOLE_ID, _LOOKED_THROUGH = 32, 1000
_RESTART = 300.0  # seconds that a wait goes on while the bench is away


class Totals(TypedDict):
    done: int
    failed: int
    stopped: int
    lost: int
    running: int
    waiting: int


class Sweep(TypedDict):
    id: str
    name: str
    person: str
    environment: str
    size: str
    notebook_name: str
    parameters: list[str]  # those that differ
    runs: int
    wanted: str
    totals: Totals
    median_seconds: float | None
    seconds_left: float | None
    trouble: str
    created_at: str
    url: str


class Counted(TypedDict):
    count: int
    limit: int
    first: list[dict[str, Any]]


class Place(TypedDict):
    """One run of a sweep; `run` is None as long as it is planned only."""

    number: int
    run: str | None
    state: str
    parameters: dict[str, Any]
    values: dict[str, Any]
    seconds: float | None
    detail: str
    picture: str | None


class Sweeping:
    """What differs is given in any of four ways, which are combined, each with each:

    `grid` {"x": [1, 2], "y": {"from": 0, "to": 1, "step": 0.1}} · `typed` {"x": "1, 2", "y": "0..1 by 0.1"}
    `rows` [{"x": 1, "y": "a"}, …] · `csv` a file or its text · `files` {"image": "/data/*.tif"}
    """

    _calling: Calling

    def _request(
        self, notebook: str | Path, parameters: Mapping[str, Any] | None, **asked: Unpack[Options]
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _send_notebook(self, path: str, file: Path, request: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def _items(self, path: str, most: int | None, **chosen: str | None) -> Iterator[Any]:
        raise NotImplementedError

    def sweep(
        self,
        notebook: str | Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        grid: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        csv: str | Path | None = None,
        files: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> Sweep:
        """Ask for all of its runs at once. `parameters` are the same in all; the options are those of `submit`."""
        request = self._request(notebook, parameters, **options)
        parts = _parts(grid, typed, rows, csv, files)
        return self._send_notebook("/sweeps", Path(notebook), {**request, "sweep": parts})

    def count_sweep(
        self,
        notebook: str | Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        grid: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        csv: str | Path | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Counted:
        """How many runs it would be, and the first of them; nothing is asked for."""
        request = {"parameters": dict(parameters or {}), "sweep": _parts(grid, typed, rows, csv, files)}
        return self._send_notebook("/sweeps/count", Path(notebook), request)

    def get_sweep(self, sweep: str | Sweep) -> Sweep:
        return self._calling.json("GET", f"/sweeps/{self._sweep_id(sweep)}")

    def sweeps(self, most: int | None = None) -> Iterator[Sweep]:
        """One's own, the newest first."""
        return self._items("/sweeps", most)

    def places(self, sweep: str | Sweep, *, state: str | None = None, sort: str = "number") -> Iterator[Place]:
        """Its runs, one by one, also those that are planned only."""
        return self._items(f"/sweeps/{self._sweep_id(sweep)}/runs", None, state=state, sort=sort)

    def cancel_sweep(self, sweep: str | Sweep) -> Sweep:
        """End what runs, begin nothing more; what has been done is kept."""
        return self._calling.json("POST", f"/sweeps/{self._sweep_id(sweep)}/cancel")

    def rerun_failed(self, sweep: str | Sweep) -> Sweep:
        """Run once more what did not get done; go on with what was cancelled."""
        return self._calling.json("POST", f"/sweeps/{self._sweep_id(sweep)}/rerun-failed")

    def remove_sweep(self, sweep: str | Sweep) -> None:
        """One that is over, with all its runs but for those with a star; for good."""
        self._calling.bytes(f"/sweeps/{self._sweep_id(sweep)}", "DELETE")

    def sweep_csv(self, sweep: str | Sweep) -> str:
        """Parameters, states and returned values as a table."""
        return self._calling.bytes(f"/sweeps/{self._sweep_id(sweep)}/matrix.csv").decode()

    def sweep_results(self, sweep: str | Sweep, file: str | Path) -> Path:
        """Each run's executed notebook and files, as a zip written to this file."""
        return save(self._calling, f"/sweeps/{self._sweep_id(sweep)}/results.zip", file)

    def wait_sweep(
        self,
        sweep: str | Sweep,
        *,
        progress: bool = False,
        tell: Callable[[Sweep], None] | None = None,
        timeout: float | None = None,
    ) -> Sweep:
        """Until each of its runs has ended, or TimeoutError. A restart of the bench is waited for."""
        from drybench_client.progress import Bar

        with Bar(progress) as bar:
            return self._end_of_sweep(sweep, [bar.sweep, *([tell] if tell else ())], timeout)

    def values(self, sweep: str | Sweep, *, wait: bool = True) -> Any:
        """A row for each run with its parameters and what it returned: a DataFrame where pandas is installed, else a
        list of dictionaries. A returned value that is called like a parameter is called `value NAME`."""
        if wait:
            self.wait_sweep(sweep)
        return as_table([_row(place) for place in self.places(sweep)], "number")

    def _end_of_sweep(
        self, sweep: str | Sweep, told: Sequence[Callable[[Sweep], None]], timeout: float | None
    ) -> Sweep:
        until = float("inf") if timeout is None else time.monotonic() + timeout
        pause, patience = _PAUSE, time.monotonic() + _RESTART
        while True:
            try:
                seen, patience = self.get_sweep(sweep), time.monotonic() + _RESTART
                for tell in told:
                    tell(seen)
                if not seen["totals"]["running"] + seen["totals"]["waiting"]:
                    return seen
            except errors.BenchAway:
                if time.monotonic() > patience:
                    raise
            if time.monotonic() > until:
                raise TimeoutError(f"Sweep {self._sweep_id(sweep)} has not ended within {timeout:g} s; it goes on.")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _sweep_id(self, sweep: str | Sweep) -> str:
        """A whole id, the end of one, or a name."""
        if not isinstance(sweep, str):
            return sweep["id"]
        if len(sweep) == _WHOLE_ID and sweep.isalnum():
            return sweep
        found = [it["id"] for it in self.sweeps(_LOOKED_THROUGH) if it["id"].endswith(sweep) or it["name"] == sweep]
        if len(found) == 1:
            return found[0]
        if found:
            step = "Give the end of its id: " + ", ".join(id[-8:] for id in found[:5])
            raise errors.Refused("not_unique", f"{len(found)} sweeps are called {sweep}.", step)
        raise errors.NotFound("not_found", f"You have no sweep {sweep}.", "`drybench sweeps` lists them.")


def _parts(
    grid: Mapping[str, Any] | None,
    typed: Mapping[str, str] | None,
    rows: Sequence[Mapping[str, Any]] | None,
    csv: str | Path | None,
    files: Mapping[str, str] | None,
) -> dict[str, Any]:
    said = {
        "grid": grid and dict(grid),
        "typed": typed and dict(typed),
        "list": None if rows is None else list(rows),
        "csv": None if csv is None else _table(csv),
        "folder": [_folder(name, path) for name, path in (files or {}).items()],
    }
    return {name: part for name, part in said.items() if part or (name in ("list", "csv") and part is not None)}


def _table(csv: str | Path) -> str:
    """A file's content; text that has more than one line is a table itself."""
    if isinstance(csv, str) and "\n" in csv:
        return csv
    try:
        return Path(csv).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        step = "Give the path of a CSV file in UTF-8."
        raise errors.Refused("file_unreadable", f"{csv} cannot be read as a table: {error}.", step) from None


def _folder(name: str, path: str) -> dict[str, str]:
    """The folder lies on the bench's machine; a relative one is meant from here."""
    whole = Path(path).absolute()
    return {"parameter": name, "folder": str(whole.parent), "pattern": whole.name}


def _row(place: Place) -> dict[str, Any]:
    ends = {"number": place["number"], "state": place["state"], "seconds": place["seconds"], "run": place["run"]}
    return with_values(ends, place["parameters"], place["values"])
