"""Removing runs, by hand and by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from drybench.asking import Desk
from drybench.catalogue import Catalogue
from drybench.changes import Changes
from drybench.data_folder import DataFolder
from drybench.database import sqlite_url
from drybench.engines.fake import FakeEngine
from drybench.errors import DaysWrong, NoSuchRun, StillOpen
from drybench.folders import RunShelf
from drybench.ids import uuid7
from drybench.keeping_runs import KeepingRuns, keepers_rule
from drybench.ledger import Ledger
from drybench.model import Run
from drybench.phases import Outcome, Phase
from drybench.retention_book import RetentionBook
from drybench.runs.retention import Rule
from drybench.runs.run_folder import RunFolders
from drybench.runs.sweep_folder import SweepFolders
from tests.ledger import Clock, a_run, a_task, fresh_ledger


class Bench:
    def __init__(self, ledger: Ledger, folder: Path, clock: Clock) -> None:
        self.ledger, self.clock, self.data = ledger, clock, DataFolder(folder / "data")
        self.data.make()
        self.folders, self.shelf = RunFolders(self.data.runs), RunShelf(self.data, "drybench-runs")
        self.sweep_folders = SweepFolders(self.data.sweeps)
        catalogue = Catalogue({}, [], folder)
        self.desk = Desk(
            ledger, {"local": FakeEngine()}, catalogue, Changes(), lambda: None, clock, uuid7, folder
        )  # fmt: skip
        self.ada = ledger.person_seen("ada")
        self.keeping = self.with_rule(0)

    def with_rule(self, days: int) -> KeepingRuns:
        rule = keepers_rule(self.data.retention, days, self.clock)
        self.keeping = KeepingRuns(self.desk, self.folders, self.shelf, self.sweep_folders, rule)
        return self.keeping

    def run(self, ended: bool = True, name: str = "analysis") -> Run:
        run = self.ledger.add_run(a_run(self.ada, self.clock(), name), a_task(self.ada))
        self.folders.make(run.id, {"format": 1}, {})
        self.folders.new_attempt(run.id, 1)
        self.shelf.add(run)
        if ended:
            self.ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": Outcome.DONE})
            self.ledger.forgotten(run.task.id)
            self.ledger.settle(run, None, None, lambda *_: None)
        return run

    def names(self) -> set[str]:
        return {run.name for run in self.ledger.runs(self.ada.id).rows}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = Clock()
    with fresh_ledger(sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        yield Bench(ledger, tmp_path, clock)


def test_old_runs_go_with_their_folders_but_not_what_is_starred_or_at_work(bench: Bench) -> None:
    old, starred = bench.run(name="old"), bench.run(name="starred")
    bench.run(ended=False, name="at work")
    bench.ledger.set_star(starred.id, True)
    keeping = bench.with_rule(30)
    bench.clock.pass_by(days=20)
    bench.run(name="young")
    assert keeping.remove_what_is_due() == 0
    assert [one.run.name for one in keeping.going(bench.ada, timedelta(days=11))] == ["old"]
    bench.clock.pass_by(days=11)
    assert keeping.remove_what_is_due() == 1
    assert bench.names() == {"starred", "at work", "young"}
    assert not bench.folders.path(old.id).exists()
    assert len(list((bench.data.path / "shelves" / bench.ada.id).iterdir())) == 3
    assert bench.ledger.run(old.id) is None


def test_a_new_rule_removes_nothing_for_a_week_also_across_restarts(bench: Bench) -> None:
    bench.run()
    bench.clock.pass_by(days=300)
    assert bench.with_rule(30).remove_what_is_due() == 0
    assert len(bench.keeping.going(bench.ada)) == 1
    bench.clock.pass_by(days=6)
    assert bench.with_rule(30).remove_what_is_due() == 0
    bench.clock.pass_by(days=1, seconds=1)
    assert bench.with_rule(30).remove_what_is_due() == 1


def test_a_persons_own_wish_is_theirs_alone(bench: Bench) -> None:
    bench.run()
    bench.keeping.set_wish(bench.ada, 5)
    assert bench.keeping.wish(bench.ada) == Rule(5, bench.clock())
    bob = bench.ledger.person_seen("bob")
    assert bench.keeping.wish(bob) is None
    bench.clock.pass_by(days=8)
    bench.keeping.set_wish(bench.ada, 5)
    assert bench.keeping.remove_what_is_due() == 1
    bench.keeping.set_wish(bench.ada, 0)
    assert bench.keeping.wish(bench.ada) is None
    with pytest.raises(DaysWrong):
        bench.keeping.set_wish(bench.ada, 10**9)


def test_by_hand_only_what_is_ones_own_and_over(bench: Bench) -> None:
    at_work, over = bench.run(ended=False), bench.run()
    with pytest.raises(StillOpen):
        bench.keeping.remove(bench.ada, at_work.id)
    with pytest.raises(NoSuchRun):
        bench.keeping.remove(bench.ledger.person_seen("bob"), over.id)
    bench.keeping.remove(bench.ada, over.id)
    with pytest.raises(NoSuchRun):
        bench.keeping.remove(bench.ada, over.id)
    assert not bench.folders.path(over.id).exists()


def test_what_a_killed_portal_left_is_removed_and_nothing_that_the_ledger_does_not_know(bench: Bench) -> None:
    kept, removed, half_way = bench.run(), bench.run(), bench.run()
    unknown = bench.folders.path(uuid7())  # the ledger may be an older copy
    unknown.mkdir()
    for run in (removed, half_way):
        RetentionBook(bench.ledger).remove(run, bench.clock())
    folder = bench.folders.path(half_way.id)
    folder.rename(folder.with_name(f".gone-{half_way.id}"))
    bench.keeping.remove_what_is_left()
    assert {folder.name for folder in bench.data.runs.iterdir()} == {kept.id, unknown.name}
