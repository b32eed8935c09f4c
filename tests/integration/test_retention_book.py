"""The pages of the ledger that say what is kept, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import Person, Run
from drybench.phases import Outcome, Phase
from drybench.retention_book import RetentionBook
from drybench.runs.retention import Rule
from drybench.sweep_book import Sweep, SweepBook
from tests.ledger import Clock, a_run, a_task


@pytest.fixture
def book(ledger: Ledger) -> RetentionBook:
    return RetentionBook(ledger)


def a_sweep(ledger: Ledger, ada: Person, clock: Clock, planned: int, laid: int) -> Sweep:
    sweep = Sweep(
        id=uuid7(), person_id=ada.id, person=ada.name, name="disc", environment="python", size="default",
        notebook_name="disc.ipynb", axes=["x"], planned=planned, created_at=clock(), laid=laid,
    )  # fmt: skip
    return SweepBook(ledger).add(sweep, None)


def runs_of(ledger: Ledger, ada: Person, clock: Clock, sweep: Sweep) -> Sequence[Run]:
    made = [replace(a_run(ada, clock()), sweep_id=sweep.id, place=place) for place in range(sweep.laid)]
    return [ledger.add_run(run, a_task(ada)) for run in made]


def end(ledger: Ledger, run: Run) -> None:
    ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": Outcome.DONE})
    ledger.settle(run, None, None, lambda *_: None)


def test_a_wish_is_kept_to_the_moment(book: RetentionBook, ada: Person, clock: Clock) -> None:
    assert book.wish(ada.id) is None
    book.set_wish(ada.id, Rule(30, clock()))
    assert book.wish(ada.id) == Rule(30, clock())
    book.set_wish(ada.id, None)
    assert book.wish(ada.id) is None
    assert ada.id in book.owners()


def test_a_sweep_goes_as_a_whole_or_not_at_all(book: RetentionBook, ledger: Ledger, ada: Person, clock: Clock) -> None:
    sweep = a_sweep(ledger, ada, clock, planned=3, laid=3)
    first, second, starred = runs_of(ledger, ada, clock, sweep)
    for run in (first, starred):
        end(ledger, run)
    ledger.set_star(starred.id, True)
    assert book.remove_sweep(sweep.id, clock()) is None  # one is open
    end(ledger, second)
    assert book.remove_sweep(sweep.id, clock(), {first.id}) is None
    gone = book.remove_sweep(sweep.id, clock())
    assert gone is not None
    assert {run.id for run in gone} == {first.id, second.id} <= book.removed()
    assert book.remove_sweep(sweep.id, clock()) is None
    assert sweep.id in book.removed_sweeps()
    kept = ledger.run(starred.id)
    assert kept
    assert (kept.sweep_id, kept.place) == (None, None)
    assert [run.id for run in ledger.runs(ada.id, loose=True).rows] == [starred.id]


def test_one_with_more_to_come_is_no_empty_one(book: RetentionBook, ledger: Ledger, ada: Person, clock: Clock) -> None:
    over, goes_on, bare = (a_sweep(ledger, ada, clock, planned, laid) for planned, laid in ((1, 1), (2, 1), (2, 0)))
    SweepBook(ledger).stop(bare.id, ada.name)
    for sweep in (over, goes_on):
        (run,) = runs_of(ledger, ada, clock, sweep)
        end(ledger, run)
        assert sweep.id not in book.empty_sweeps()
        assert book.remove(run, clock())
    assert set(book.empty_sweeps()) & {over.id, goes_on.id, bare.id} == {over.id}
    SweepBook(ledger).rerun(over.id, clock())
    assert over.id not in book.empty_sweeps()
    assert book.remove_sweep(bare.id, clock()) == []


def test_what_ended_comes_oldest_first(book: RetentionBook, ledger: Ledger, ada: Person, clock: Clock) -> None:
    sweep = a_sweep(ledger, ada, clock, planned=2, laid=2)
    runs = runs_of(ledger, ada, clock, sweep)
    for run in reversed(runs):
        clock.pass_by(seconds=1)
        end(ledger, run)
    later = clock() + timedelta(seconds=1)
    assert [run.id for run in book.ended(ada.id, later, 10)] == [run.id for run in reversed(runs)]
    assert len(book.ended(ada.id, later, 1)) == 1
    assert book.ended(ada.id, runs[0].created_at, 10) == []
