"""The pages of the ledger that channels and notices are written on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from drybench.errors import TooManyChannels
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.ledger_rows import Found, Query
from drybench.model import Run
from drybench.notices.messages import END, HELD, Channel, Notice, On, is_told
from drybench.phases import Outcome, Wanted
from drybench.schedules.times import Schedule
from drybench.tables import channels, notices, people, runs, sweeps, tasks

CHANNEL = "channel"  # as deeds and changes call it
MOST = 30  # channels of one person
WAITING, SENT, FAILED = "waiting", "sent", "failed"

_kept = channels.c.removed_at.is_(None)
_channel_columns = [field.name for field in fields(Channel)]


class NoticeBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # channels

    def add(self, channel: Channel) -> None:
        mine = select(func.count()).select_from(channels).where(_kept, channels.c.person_id == channel.person_id)
        with self._ledger.writing() as connection:
            if (connection.scalar(mine) or 0) >= MOST:
                raise TooManyChannels(most=MOST)
            connection.execute(insert(channels).values(vars(channel)))

    def channel(self, id: str) -> Channel | None:
        return next(iter(self._channels(channels.c.id == id)), None)

    def of_person(self, person_id: str) -> Sequence[Channel]:
        return self._channels(channels.c.person_id == person_id)

    def write(self, id: str, **changes: Any) -> None:
        with self._ledger.writing() as connection:
            connection.execute(update(channels).where(_kept, channels.c.id == id).values(changes))

    def remove(self, id: str, now: datetime) -> None:
        """What still waits for it will not be sent; nothing is left of its address."""
        waits = and_(notices.c.channel_id == id, notices.c.state == WAITING)
        gone = {"removed_at": now, "sealed": "", "last_problem": ""}
        with self._ledger.writing() as connection:
            connection.execute(update(channels).where(channels.c.id == id).values(gone))
            connection.execute(update(notices).where(waits).values(state=FAILED, said="The channel was removed."))

    # notices

    def enqueue(self, connection: Connection, run: Run, now: datetime) -> None:
        """In the transaction that settles the run's end: so each end is told, and once."""
        outcome = _sweep_outcome(connection, run) if run.sweep_id else run.task.outcome
        if outcome is None:
            return
        know = _told_of_its_kernel(connection, run) if outcome is Outcome.FAILED else ()
        for id in _who_is_told(connection, run, outcome):
            if id not in know:
                _add(connection, run.person_id, id, now, run_id=run.id, attempt=run.attempt)

    def enqueue_held(self, connection: Connection, run: Run, now: datetime) -> None:
        """It failed and its kernel is kept: told now, while there is something to mend, and once in an attempt."""
        if run.sweep_id:
            return
        know = _told_of_its_kernel(connection, run)
        for id in _who_is_told(connection, run, Outcome.FAILED):
            if id not in know:
                _add(connection, run.person_id, id, now, run_id=run.id, attempt=run.attempt, about=HELD)

    def enqueue_trouble(self, schedule: Schedule, now: datetime) -> None:
        """A time that brought no run is a failure that no run can tell of."""
        with self._ledger.writing() as connection:
            for id, on in _channels_of(connection, schedule.person_id):
                if is_told(on, Outcome.FAILED):
                    _add(connection, schedule.person_id, id, now, schedule_id=schedule.id)

    def due(self, now: datetime) -> Sequence[Notice]:
        """The oldest of each channel, so that one that hangs keeps no other waiting long."""
        first = select(func.min(notices.c.id)).where(notices.c.state == WAITING).group_by(notices.c.channel_id)
        return self._notices(notices.c.id.in_(first), notices.c.next_at <= now)

    def next_time(self) -> datetime | None:
        living = people.c.gone_at.is_(None)  # what `due` passes over is nothing to wake up for
        first = select(func.min(notices.c.next_at)).join(people, people.c.id == notices.c.person_id)
        with self._ledger.reading() as connection:
            return connection.scalar(first.where(living, notices.c.state == WAITING))

    def of_run(self, run_id: str) -> Sequence[Notice]:
        return self._notices(notices.c.run_id == run_id)

    def sent(self, notice: Notice, now: datetime) -> None:
        with self._ledger.writing() as connection:
            _write(connection, notice, state=SENT, tries=notice.tries + 1, sent_at=now, said="")
            connection.execute(update(channels).where(channels.c.id == notice.channel.id).values(last_problem=""))

    def not_sent(self, notice: Notice, why: str, again_at: datetime | None) -> None:
        """With a time it is tried again then, and nothing else goes to that channel before."""
        behind = and_(notices.c.channel_id == notice.channel.id, notices.c.state == WAITING)
        with self._ledger.writing() as connection:
            if again_at is None:
                _write(connection, notice, state=FAILED, tries=notice.tries + 1, said=why)
            else:
                _write(connection, notice, tries=notice.tries + 1, said=why)
                connection.execute(update(notices).where(behind, notices.c.next_at < again_at).values(next_at=again_at))
            mine = and_(_kept, channels.c.id == notice.channel.id)
            connection.execute(update(channels).where(mine).values(last_problem=why))

    def sweep_totals(self, sweep_id: str) -> dict[Outcome, int]:
        with self._ledger.reading() as connection:
            return _totals(connection, sweep_id)

    def _channels(self, *which: Any) -> Sequence[Channel]:
        query = select(channels).where(_kept, *which).order_by(channels.c.id)
        with self._ledger.reading() as connection:
            return [_channel_of(row) for row in connection.execute(query)]

    def _notices(self, *which: Any) -> Sequence[Notice]:
        """Those of people who are still there."""
        with self._ledger.reading() as connection:
            return [_notice_of(row) for row in connection.execute(_select().where(*which).order_by(notices.c.id))]


def _select() -> Query:
    of_the_channel = [channels.c[name].label(f"its_{name}") for name in _channel_columns]
    both = select(notices, *of_the_channel).join(channels, channels.c.id == notices.c.channel_id)
    return both.join(people, people.c.id == notices.c.person_id).where(people.c.gone_at.is_(None))


def _channels_of(connection: Connection, person_id: str) -> list[tuple[str, On]]:
    mine = select(channels.c.id, channels.c.on).where(_kept, channels.c.person_id == person_id)
    return [(row.id, row.on) for row in connection.execute(mine)]


def _who_is_told(connection: Connection, run: Run, outcome: Outcome) -> list[str]:
    """As this run says, else as each channel says for all of them."""
    tell, mine = run.tell, _channels_of(connection, run.person_id)
    if tell is None:
        return [id for id, on in mine if is_told(on, outcome)]
    return [id for id, _ in mine if is_told(tell.on, outcome) and (not tell.channels or id in tell.channels)]


def _told_of_its_kernel(connection: Connection, run: Run) -> set[str]:
    """The channels by which it is known already that this attempt failed."""
    mine = and_(notices.c.run_id == run.id, notices.c.attempt == run.attempt, notices.c.about == HELD)
    return {row.channel_id for row in connection.execute(select(notices.c.channel_id).where(mine))}


def _sweep_outcome(connection: Connection, run: Run) -> Outcome | None:
    """One message for a thousand runs: when the last of them has ended, and nobody stopped them."""
    sweep = connection.execute(select(sweeps).where(sweeps.c.id == run.sweep_id)).one_or_none()
    others = and_(runs.c.sweep_id == run.sweep_id, runs.c.id != run.id, runs.c.settled_at.is_(None))
    if sweep is None or sweep.wanted == Wanted.STOP.value or sweep.laid < sweep.planned:
        return None
    if connection.scalar(select(func.count()).select_from(runs).where(others)):
        return None
    totals = _totals(connection, sweep.id)
    return Outcome.FAILED if totals.get(Outcome.FAILED) or totals.get(Outcome.LOST) else Outcome.DONE


def _totals(connection: Connection, sweep_id: str) -> dict[Outcome, int]:
    newest = and_(tasks.c.subject == runs.c.id, tasks.c.attempt == runs.c.attempt)
    ended = select(tasks.c.outcome, func.count()).join(runs, newest).where(runs.c.sweep_id == sweep_id)
    ended = ended.where(tasks.c.outcome.is_not(None)).group_by(tasks.c.outcome)
    return {Outcome(outcome): count for outcome, count in connection.execute(ended)}


def _add(connection: Connection, person_id: str, channel_id: str, now: datetime, **about: Any) -> None:
    """At once, unless the channel has trouble: then behind what waits there."""
    behind = select(func.max(notices.c.next_at)).where(notices.c.channel_id == channel_id, notices.c.state == WAITING)
    next_at = max(now, connection.scalar(behind) or now)
    new = {"state": WAITING, "tries": 0, "next_at": next_at, "said": "", "attempt": 1, "about": END, **about}
    mine = {"id": uuid7(), "person_id": person_id, "channel_id": channel_id, "created_at": now}
    connection.execute(insert(notices).values(**mine, **new))


def _write(connection: Connection, notice: Notice, **changes: Any) -> None:
    """Not one that came to its end meanwhile, such as by the removal of its channel."""
    mine = and_(notices.c.id == notice.id, notices.c.state == WAITING)
    connection.execute(update(notices).where(mine).values(changes))


def _channel_of(row: Found, prefix: str = "") -> Channel:
    return Channel(**{name: getattr(row, prefix + name) for name in _channel_columns})


def _notice_of(row: Found) -> Notice:
    flat = {field.name: getattr(row, field.name) for field in fields(Notice) if field.name != "channel"}
    return Notice(channel=_channel_of(row, "its_"), **flat)
