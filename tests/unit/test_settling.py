"""What follows from a run's end, and when it is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from drybench.asking import Desk
from drybench.catalogue import Catalogue
from drybench.changes import Changes
from drybench.database import sqlite_url
from drybench.engines.fake import FakeEngine
from drybench.errors import NotFound
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import Run, Size
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.run_folder import RunFolders
from drybench.settling import Settling, tries_again
from drybench.tables import runs
from tests.ledger import Clock, a_run, a_task, fresh_ledger

FAULTS_OF_THE_MACHINE = [
    (Outcome.LOST, Reason.WATCHER_DIED),
    (Outcome.FAILED, Reason.MACHINE_GONE),
    (Outcome.LOST, None),
    (Outcome.FAILED, Reason.RUNNER_DIED),
]
ITS_OWN = [(Outcome.FAILED, Reason.CELL_ERROR), (Outcome.FAILED, Reason.TIMED_OUT)]


class Bench:
    def __init__(self, ledger: Ledger, folder: Path, clock: Clock) -> None:
        self.ledger, self.clock, self.told = ledger, clock, list[str]()
        self.folders = RunFolders(folder / "runs")
        self.ada = ledger.person_seen("ada")
        catalogue = Catalogue({"python": folder / "python"}, [Size("default", "", 1, 1 << 30)], folder)
        desk = Desk(
            ledger, {"local": FakeEngine()}, catalogue, Changes(), lambda: None, clock, uuid7, folder
        )  # fmt: skip
        self.settling = Settling(desk, self.folders, Changes(), self._also)

    def ended(self, outcome: Outcome, reason: Reason | None, result: Any = None, **asked: Any) -> Run:
        run = self.ledger.add_run(replace(a_run(self.ada, self.clock()), **asked), a_task(self.ada))
        self.folders.make(run.id, {"format": 1}, {})
        made = self.folders.new_attempt(run.id, 1)
        if result is not None:
            (made / "result.json").write_text(json.dumps(result))
        self.ledger.write_task(run.task.id, {"phase": Phase.RUNNING})
        self.clock.pass_by(seconds=90)
        self.ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": outcome, "reason": reason})
        return self.get(run)

    def get(self, run: Run) -> Run:
        found = self.ledger.run(run.id)
        assert found is not None
        return found

    def _also(self, _: Connection, run: Run) -> None:
        self.told.append(run.id)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = Clock()
    with fresh_ledger(sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        yield Bench(ledger, tmp_path, clock)


@pytest.mark.parametrize(("outcome", "reason"), FAULTS_OF_THE_MACHINE)
def test_what_was_not_the_notebooks_fault_is_tried_again(bench: Bench, outcome: Outcome, reason: Any) -> None:
    run = bench.ended(outcome, reason, retries=1)
    bench.settling.look()
    again = bench.get(run)
    assert (again.attempt, again.task.phase, again.settled_at) == (2, Phase.WAITING, None)
    assert bench.told == []
    bench.ledger.write_task(again.task.id, {"phase": Phase.ENDED, "outcome": outcome, "reason": reason})
    bench.settling.look()
    bench.settling.look()
    assert (bench.get(run).attempt, bench.told) == (2, [run.id])


@pytest.mark.parametrize(("outcome", "reason"), ITS_OWN)
def test_what_was_its_fault_is_tried_again_only_when_asked_for(bench: Bench, outcome: Outcome, reason: Any) -> None:
    assert not tries_again(bench.ended(outcome, reason, retries=3))
    assert tries_again(bench.ended(outcome, reason, retries=3, retry_any=True))
    assert not tries_again(bench.ended(Outcome.STOPPED, Reason.CANCELLED, retries=3, retry_any=True))
    assert not tries_again(bench.ended(Outcome.DONE, None, retries=3, retry_any=True))


def test_its_values_and_its_time_are_kept_once(bench: Bench) -> None:
    result = {
        "format": 1,
        "outcome": "done",
        "reason": None,
        "sentence": None,
        "cell": None,
        "cell_number": None,
        "error": None,
        "started_at": "2026-01-01T12:00:00Z",
        "ended_at": "2026-01-01T12:00:01Z",
        "cells": 1,
        "executed": 1,
        "kernel": {"name": "python3", "language": "python"},
        "values": {"auc": 0.5},
    }
    run = bench.ended(Outcome.DONE, None, result, notebook_hash="abc")
    bench.settling.look()
    bench.settling.look()
    settled = bench.get(run)
    assert (settled.values, settled.duration, bench.told) == ({"auc": 0.5}, 90.0, [run.id])
    assert bench.ledger.usual_duration(bench.ada.id, "abc") == 90.0
    assert bench.ledger.usual_duration(bench.ada.id, "other") is None


def test_a_record_that_nobody_can_read_is_settled_too(bench: Bench) -> None:
    run = bench.ended(Outcome.FAILED, Reason.RECORD_UNREADABLE, ["nonsense"])
    bench.settling.look()
    assert bench.get(run).settled_at is not None


def test_what_somebody_cancelled_is_not_tried_again(bench: Bench) -> None:
    """It may end otherwise than stopped in that moment: out of memory, lost, by an error of its own."""
    run = bench.ledger.add_run(replace(a_run(bench.ada, bench.clock()), retries=3, retry_any=True), a_task(bench.ada))
    bench.ledger.write_task(run.task.id, {"phase": Phase.RUNNING})
    bench.ledger.want_stop(run.task.id, by="ada")
    bench.ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": Outcome.LOST, "reason": None})
    bench.settling.look()
    assert (bench.get(run).attempt, bench.told) == (1, [run.id])


def test_one_that_cannot_be_settled_keeps_no_other_from_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = (bench.ended(Outcome.DONE, None) for _ in range(2))
    read = bench.folders.result

    def only_good(id: str, attempt: int) -> Any:
        if id == bad.id:
            raise OSError(5, "Input/output error")
        return read(id, attempt)

    monkeypatch.setattr(bench.folders, "result", only_good)
    bench.settling.look()
    assert (bench.get(bad).settled_at, bench.told) == (None, [good.id])


def test_what_was_removed_in_this_moment_gets_no_further_attempt(bench: Bench) -> None:
    run = bench.ended(Outcome.LOST, None, retries=1)
    with bench.ledger.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == run.id).values(removed_at=bench.clock()))
    with pytest.raises(NotFound):
        bench.ledger.add_attempt(run, a_task(bench.ada))
    assert not bench.ledger.open_tasks()
