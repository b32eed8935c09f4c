"""The pages of the ledger for schedules and notices, in SQLite and in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from drybench.errors import KeyUsedOtherwise, TooManySchedules
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import Person, Run, Tell
from drybench.notices.book import NoticeBook
from drybench.notices.messages import Channel, On
from drybench.phases import Outcome, Phase
from drybench.schedules.book import ScheduleBook
from drybench.schedules.times import Schedule, When
from tests.ledger import Clock, a_run

SOON = timedelta(microseconds=123_456)


@pytest.fixture
def schedules(ledger: Ledger) -> ScheduleBook:
    return ScheduleBook(ledger)


@pytest.fixture
def notices(ledger: Ledger) -> NoticeBook:
    return NoticeBook(ledger)


def schedule(person: Person, clock: Clock) -> Schedule:
    return Schedule(
        id=uuid7(),
        person_id=person.id,
        person=person.name,
        name="nightly",
        when=When("Europe/Berlin", cron="0 7 * * *"),
        missed="once",
        hashes={"given.json": "0" * 64},
        created_at=clock(),
        next_at=clock() + SOON,
    )


def channel(notices: NoticeBook, person: Person, clock: Clock, on: On = "both") -> Channel:
    made = Channel(uuid7(), person.id, "mine", "webhook", "sealed", on, clock())
    notices.add(made)
    return made


def ended(ledger: Ledger, notices: NoticeBook, person: Person, clock: Clock, outcome: Outcome, **more: object) -> Run:
    asked = replace(a_run(person, clock()), **more)  # type: ignore[arg-type]
    run = ledger.add_run(asked, asked.task.spec)
    for phase in (Phase.STARTING, Phase.RUNNING):
        ledger.write_task(run.task.id, {"phase": phase})
    ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": outcome})
    seen = ledger.run(run.id)
    assert seen
    ledger.settle(seen, None, None, lambda connection, run: notices.enqueue(connection, run, clock()))
    return seen


def test_a_schedule_comes_back_as_it_was_put_in(schedules: ScheduleBook, ada: Person, clock: Clock) -> None:
    made = schedule(ada, clock)
    schedules.add(made)
    assert schedules.get(made.id) == made
    assert schedules.of_person(ada.id) == [made]
    assert schedules.owner(made) == Person(ada.id, ada.name, frozenset({"lab"}))
    schedules.write(made.id, removed_at=clock(), next_at=None)
    assert schedules.get(made.id) is None


def test_it_is_due_at_its_time_and_moves_on(schedules: ScheduleBook, ada: Person, clock: Clock) -> None:
    made = schedules.add(schedule(ada, clock))
    assert made.next_at
    assert made not in schedules.due(made.next_at - timedelta(microseconds=1))
    assert made in schedules.due(made.next_at)
    later = made.next_at + timedelta(days=1)
    schedules.came(made, later, last_run=None, problem="none")
    schedules.came(made, later + timedelta(days=1))  # by somebody who saw it as it was
    moved = schedules.get(made.id)
    assert moved == replace(made, next_at=later, problem="none")
    schedules.write(made.id, paused_at=clock(), next_at=None)
    schedules.came(moved, later)
    paused = schedules.get(made.id)
    assert paused
    assert paused.next_at is None


def test_nobody_is_waited_for_who_is_gone(ledger: Ledger, schedules: ScheduleBook, ada: Person, clock: Clock) -> None:
    made = schedules.add(replace(schedule(ada, clock), next_at=clock() - timedelta(days=365)))
    assert schedules.next_time() == made.next_at
    ledger.person_gone(ada.name)
    assert schedules.next_time() != made.next_at
    assert made not in schedules.due(clock())
    assert schedules.owner(made) is None


def test_one_key_makes_one_schedule(
    ledger: Ledger, schedules: ScheduleBook, ada: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = schedules.add(schedule(ada, clock), "k")
    assert schedules.add(schedule(ada, clock), "k") == first
    ledger.add_run(a_run(ada, clock()), a_run(ada, clock()).task.spec, "of a run")
    with pytest.raises(KeyUsedOtherwise):
        schedules.add(schedule(ada, clock), "of a run")
    monkeypatch.setattr("drybench.schedules.book.MOST", 1)
    with pytest.raises(TooManySchedules):
        schedules.add(schedule(ada, clock))


def test_who_is_told_is_written_down_with_the_end(
    ledger: Ledger, notices: NoticeBook, ada: Person, clock: Clock
) -> None:
    usual, other = channel(notices, ada, clock), channel(notices, ada, clock, "never")
    run = ended(ledger, notices, ada, clock, Outcome.FAILED)
    assert [one.channel for one in notices.of_run(run.id)] == [usual]
    chosen = ended(ledger, notices, ada, clock, Outcome.DONE, tell=Tell("success", (other.id,)))
    assert [one.channel for one in notices.of_run(chosen.id)] == [other]
    assert list(notices.of_run(ended(ledger, notices, ada, clock, Outcome.STOPPED).id)) == []


def test_a_notice_waits_is_sent_or_given_up(ledger: Ledger, notices: NoticeBook, ada: Person, clock: Clock) -> None:
    made = channel(notices, ada, clock)
    first, second = (ended(ledger, notices, ada, clock, Outcome.DONE) for _ in range(2))
    [waiting] = [one for one in notices.due(clock()) if one.channel.id == made.id]
    assert waiting.run_id == first.id
    notices.not_sent(waiting, "it is away", clock() + SOON)
    assert [one for one in notices.due(clock()) if one.channel.id == made.id] == []
    assert [one.next_at for one in notices.of_run(second.id)] == [clock() + SOON]
    seen = notices.channel(made.id)
    assert seen
    assert seen.last_problem == "it is away"
    [waiting] = [one for one in notices.due(clock() + SOON) if one.channel.id == made.id]
    notices.sent(waiting, clock())
    assert [(one.state, one.tries) for one in notices.of_run(first.id)] == [("sent", 2)]
    [waiting] = [one for one in notices.due(clock() + SOON) if one.channel.id == made.id]
    notices.not_sent(waiting, "it is gone", None)
    assert [(one.state, one.said) for one in notices.of_run(second.id)] == [("failed", "it is gone")]


def test_trouble_of_a_schedule_has_no_run(
    ledger: Ledger, notices: NoticeBook, schedules: ScheduleBook, ada: Person, clock: Clock
) -> None:
    made = channel(notices, ada, clock, "failure")
    of = schedules.add(schedule(ada, clock))
    notices.enqueue_trouble(of, clock())
    [waiting] = [one for one in notices.due(clock()) if one.channel.id == made.id]
    assert (waiting.run_id, waiting.schedule_id) == (None, of.id)
    notices.remove(made.id, clock())
    assert notices.channel(made.id) is None
    assert [one for one in notices.due(clock()) if one.channel.id == made.id] == []
