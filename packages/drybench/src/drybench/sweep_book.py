"""The pages of the ledger that sweeps are written on.

At most some of a sweep's runs are open at a time; the others are its plan and nothing else yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update

from drybench.errors import KeyUsedOtherwise
from drybench.ledger import MOST_ROWS, Ledger, Part
from drybench.ledger_rows import Found, Query
from drybench.phases import Outcome, Phase, Wanted
from drybench.tables import idempotency, people, runs, still_open, sweeps, tasks

SWEEP = "sweep"  # as deeds, keys and changes call it
BEGUN = (Phase.STARTING.value, Phase.RUNNING.value)


@dataclass(frozen=True)
class Sweep:
    """One notebook with many sets of parameters, asked for at once."""

    id: str
    person_id: str
    person: str
    name: str
    environment: str
    size: str
    notebook_name: str
    axes: Sequence[str]  # the parameters that differ
    planned: int  # so many runs
    created_at: datetime
    laid: int = 0  # of them these are in the ledger, the first ones of the plan
    wanted: Wanted = Wanted.RUN
    rerun_at: datetime | None = None  # what had not got done by then is run once more
    hashes: Mapping[str, str] = field(default_factory=dict[str, str])  # of what was handed in


@dataclass(frozen=True)
class Totals:
    done: int = 0
    failed: int = 0
    stopped: int = 0
    lost: int = 0
    running: int = 0
    waiting: int = 0  # laid out or still planned

    @property
    def open(self) -> int:
        return self.running + self.waiting

    @property
    def not_done(self) -> int:
        return self.failed + self.stopped + self.lost


@dataclass(frozen=True)
class Place:
    """One run of a sweep, as its matrix shows it: light, for there may be thousands."""

    place: int
    run: str
    attempt: int
    phase: Phase
    wanted: Wanted
    outcome: Outcome | None
    detail: str
    cell: int
    cells: int
    started_at: datetime | None
    ended_at: datetime | None
    removed: bool = False  # its folder is gone, and with it its page
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


class SweepBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, sweep: Sweep, key: str | None) -> Sweep:
        """The same person and key give the first one back."""
        row = {column.name: getattr(sweep, column.name) for column in sweeps.columns if hasattr(sweep, column.name)}
        asked = {"person_id": sweep.person_id, "key": key, "subject_kind": SWEEP, "subject": sweep.id}
        with self._ledger.writing() as connection:
            same = select(idempotency).where(idempotency.c.person_id == sweep.person_id, idempotency.c.key == key)
            before = connection.execute(same).one_or_none() if key else None
            if before is None:
                connection.execute(insert(sweeps).values({**row, "wanted": sweep.wanted.value}))
                if key:
                    connection.execute(insert(idempotency).values(**asked, created_at=sweep.created_at))
            elif before.subject_kind != SWEEP:
                raise KeyUsedOtherwise()
            id = sweep.id if before is None else before.subject
            return _sweep_of(connection.execute(_select().where(sweeps.c.id == id)).one())

    def get(self, id: str) -> Sweep | None:
        return next(iter(self._all(_select().where(sweeps.c.id == id))), None)

    def of_person(self, person_id: str, cursor: str | None = None, limit: int = 20) -> Part[Sweep]:
        """Newest first."""
        limit = max(1, min(limit, MOST_ROWS))
        mine = _select().where(sweeps.c.person_id == person_id).order_by(sweeps.c.id.desc()).limit(limit + 1)
        found = self._all(mine if cursor is None else mine.where(sweeps.c.id < cursor))
        return Part(found[:limit], found[limit - 1].id if len(found) > limit else None)

    def unfinished(self) -> Sequence[Sweep]:
        """With runs to be laid out, or to be run once more; oldest first."""
        to_lay = and_(sweeps.c.laid < sweeps.c.planned, people.c.gone_at.is_(None))
        wanted = and_(sweeps.c.wanted == Wanted.RUN.value, or_(to_lay, sweeps.c.rerun_at.is_not(None)))
        return self._all(_select().where(wanted).order_by(sweeps.c.id))

    def open_runs(self, id: str) -> int:
        theirs = and_(*_newest(id), still_open)
        with self._ledger.reading() as connection:
            return connection.execute(select(func.count()).select_from(runs.join(tasks, theirs))).scalar_one()

    def note_laid(self, id: str, laid: int) -> None:
        with self._ledger.writing() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == id, sweeps.c.laid < laid).values(laid=laid))

    def stop(self, id: str, by: str) -> None:
        """Nothing more of it is laid out, and what is open is to end."""
        with self._ledger.writing() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == id).values(wanted=Wanted.STOP.value, rerun_at=None))
            connection.execute(update(tasks).where(*_open_of(id)).values(wanted=Wanted.STOP.value, stopped_by=by))

    def left_open(self) -> Sequence[Sweep]:
        """Stopped, and one of its runs was laid out in that very moment."""
        theirs = select(runs.c.sweep_id).join(tasks, tasks.c.subject == runs.c.id).where(runs.c.sweep_id.is_not(None))
        not_stopped = theirs.where(still_open, tasks.c.wanted == Wanted.RUN.value)
        return self._all(_select().where(sweeps.c.wanted == Wanted.STOP.value, sweeps.c.id.in_(not_stopped)))

    def rerun(self, id: str, at: datetime) -> None:
        """What had not got done by then; and what is left of it when it had been stopped."""
        with self._ledger.writing() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == id).values(wanted=Wanted.RUN.value, rerun_at=at))

    def to_rerun(self, id: str, at: datetime, most: int) -> tuple[Sequence[str], bool]:
        """Runs that may be tried again now, and whether that is all. What is still being stopped is waited for."""
        not_done = and_(tasks.c.outcome != Outcome.DONE.value, tasks.c.ended_at <= at)
        kept = and_(*_newest(id), runs.c.removed_at.is_(None))  # what was removed has nothing to be run from
        meant = and_(kept, tasks.c.created_at < at, or_(not_done, tasks.c.wanted == Wanted.STOP.value))
        found = select(runs.c.id, tasks.c.phase).select_from(runs.join(tasks, meant)).order_by(runs.c.place)
        with self._ledger.reading() as connection:
            rows = connection.execute(found.where(tasks.c.outcome.is_distinct_from(Outcome.DONE.value))).all()
        ended = [row.id for row in rows if row.phase == Phase.ENDED.value]
        return ended[:most], len(rows) <= most and len(ended) == len(rows)

    def of_runs(self, ids: Iterable[str]) -> Sequence[Sweep]:
        """Those that these runs belong to."""
        theirs = select(runs.c.sweep_id).where(runs.c.id.in_(list(ids)), runs.c.sweep_id.is_not(None))
        return self._all(_select().where(sweeps.c.id.in_(theirs)))

    def rerun_done(self, id: str, at: datetime) -> None:
        """Unless it was asked for once more."""
        with self._ledger.writing() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == id, sweeps.c.rerun_at == at).values(rerun_at=None))

    def totals(self, found: Sequence[Sweep]) -> Mapping[str, Totals]:
        """Of each of them, in one question."""
        newest = and_(tasks.c.subject == runs.c.id, tasks.c.attempt == runs.c.attempt)
        counted = select(runs.c.sweep_id, tasks.c.phase, tasks.c.outcome, func.count().label("many"))
        of_these = counted.join(tasks, newest).where(runs.c.sweep_id.in_([sweep.id for sweep in found]))
        with self._ledger.reading() as connection:
            rows = connection.execute(of_these.group_by(runs.c.sweep_id, tasks.c.phase, tasks.c.outcome)).all()
        return {sweep.id: _totals(sweep, [row for row in rows if row.sweep_id == sweep.id]) for sweep in found}

    def places(self, id: str) -> Sequence[Place]:
        """All of its runs, by their place."""
        columns = (runs.c.place, runs.c.id, runs.c.attempt, runs.c.cell, runs.c.cells, runs.c["values"])
        of_the_task = (tasks.c.phase, tasks.c.wanted, tasks.c.outcome, tasks.c.detail)
        times = (tasks.c.started_at, tasks.c.ended_at, runs.c.removed_at)
        newest = and_(*_newest(id))
        query = select(*columns, *of_the_task, *times).select_from(runs.join(tasks, newest)).order_by(runs.c.place)
        with self._ledger.reading() as connection:
            return [_place_of(row) for row in connection.execute(query)]

    def _all(self, query: Query) -> Sequence[Sweep]:
        with self._ledger.reading() as connection:
            return [_sweep_of(row) for row in connection.execute(query.where(sweeps.c.removed_at.is_(None)))]


def _select() -> Query:
    return select(sweeps, people.c.name.label("person")).join(people, people.c.id == sweeps.c.person_id)


def _newest(id: str) -> tuple[ColumnElement[bool], ...]:
    """The runs of this sweep with the newest task of each."""
    return runs.c.sweep_id == id, tasks.c.subject == runs.c.id, tasks.c.attempt == runs.c.attempt


def _open_of(id: str) -> tuple[ColumnElement[bool], ...]:
    theirs = tasks.c.subject.in_(select(runs.c.id).where(runs.c.sweep_id == id))
    return theirs, still_open, tasks.c.wanted == Wanted.RUN.value


def _sweep_of(row: Found) -> Sweep:
    said: dict[str, Any] = {name: getattr(row, name) for name in Sweep.__dataclass_fields__}
    said["wanted"] = Wanted(row.wanted)
    return Sweep(**said)


def _place_of(row: Found) -> Place:
    return Place(
        place=row.place,
        run=row.id,
        attempt=row.attempt,
        phase=Phase(row.phase),
        wanted=Wanted(row.wanted),
        outcome=row.outcome and Outcome(row.outcome),
        detail=row.detail,
        cell=row.cell,
        cells=row.cells,
        started_at=row.started_at,
        ended_at=row.ended_at,
        removed=row.removed_at is not None,
        values=row.values or {},
    )


def _totals(sweep: Sweep, rows: Sequence[Any]) -> Totals:
    """What is not laid out yet waits, unless nobody wants it any more."""
    ended = {outcome.value: sum(row.many for row in rows if row.outcome == outcome.value) for outcome in Outcome}
    running = sum(row.many for row in rows if row.phase in BEGUN)
    waiting = sum(row.many for row in rows if row.phase == Phase.WAITING.value)
    left = sweep.planned - sum(row.many for row in rows)
    never = {"stopped": ended["stopped"] + left} if sweep.wanted is Wanted.STOP else {}
    return Totals(**{**ended, **never}, running=running, waiting=waiting + (0 if never else left))
