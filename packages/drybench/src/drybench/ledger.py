"""The book of people, sessions, runs, tasks and deeds. Only the portal writes it.

Ids are uuid7, so their order is the order in which things were asked for; lists page by it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, Text, and_, insert, select, update

from drybench import ledger_rows as rows
from drybench.database import connect
from drybench.errors import HasEnded, JustDeleted, KeyUsedOtherwise, NameInUse, NotFound, OnlyForward, StillOpen
from drybench.ids import uuid7
from drybench.model import RUN, SESSION, Deed, Person, Run, Session, Task, TaskRow
from drybench.phases import Outcome, Phase, Standing, Wanted
from drybench.tables import deeds, idempotency, people, runs, sessions, still_open, tasks, to_forget

MOST_ROWS = 500  # in one part of a list
SEEN_EVERY = timedelta(minutes=1)  # a person's every click is no reason to write
WRITABLE = frozenset(rows.TASK_COLUMNS) - {"id", "person_id", "kind", "subject", "attempt", "created_at", "stopped_by"}

GONE_FOR = timedelta(minutes=1)  # after that the same name is somebody new

NO_PROGRESS = {
    "cell": 0,
    "cells": 0,
    "failed_cell": None,
    "held_until": None,
    "values": None,
    "duration": None,
    "settled_at": None,
}

Row = TypeVar("Row")
Also = Callable[[Connection, Run], None]  # what is written in the same transaction


@dataclass(frozen=True)
class Part(Generic[Row]):
    """One part of a long list; `next` is the cursor of the part after it, None at the end."""

    rows: Sequence[Row]
    next: str | None


class Ledger:
    """Every method is one short transaction and may be called from any thread."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writing=True)
        self._turn = threading.Lock()  # writers wait here in their order: SQLite alone lets one starve
        self._now = now
        self._open: tuple[int, Sequence[TaskRow]] = (-1, ())
        self.version = 0  # as long as it is the same, what was read before is still true

    def close(self) -> None:
        self._engine.dispose()

    # people

    def person_seen(self, name: str, groups: frozenset[str] | None = None) -> Person:
        """The living person of that name, made when there is none; its groups brought up to date if they are known."""
        living = select(people).where(people.c.name == name, people.c.gone_at.is_(None))
        with self._engine.begin() as connection:
            row = connection.execute(living).one_or_none()
        if row and groups in (None, rows.person_of(row).groups) and self._now() - row.seen_at < SEEN_EVERY:
            return rows.person_of(row)
        with self.writing() as connection:
            row = connection.execute(living).one_or_none()
            seen = {"name": name, "seen_at": self._now()} | ({} if groups is None else {"groups": sorted(groups)})
            if row is None:
                self._refuse_who_just_went(connection, name)
                connection.execute(insert(people).values({"id": uuid7(), "groups": [], **seen}))
            else:
                connection.execute(update(people).where(people.c.id == row.id).values(seen))
            return rows.person_of(connection.execute(living).one())

    def _refuse_who_just_went(self, connection: Connection, name: str) -> None:
        """A token may count for some seconds after its person: it must not make somebody who owns what comes next."""
        just_now = people.c.gone_at > self._now() - GONE_FOR
        if connection.execute(select(people.c.id).where(people.c.name == name, just_now)).first():
            raise JustDeleted(name=name)

    def person_gone(self, name: str) -> None:
        """The name was deleted at the Hub: what it owned stays, whoever comes next is somebody new."""
        living = update(people).where(people.c.name == name, people.c.gone_at.is_(None))
        with self.writing() as connection:
            connection.execute(living.values(gone_at=self._now()))

    def people(self) -> Sequence[Person]:
        """Everybody who is not gone."""
        return self._all(select(people).where(people.c.gone_at.is_(None)).order_by(people.c.name), rows.person_of)

    # sessions and runs

    def add_session(self, session: Session, task: Task, key: str | None = None) -> Session:
        """A new session with its first task in WAITING. The same person and key give the first one back."""
        with self.writing() as connection:
            id = asked_before(connection, session.person_id, key, SESSION)
            if id is None:
                _check_name_is_free(connection, session)
                id = self._add(connection, sessions, session, task, key)
            return rows.session_of(connection.execute(_one_session(id)).one())

    def add_run(self, run: Run, task: Task, key: str | None = None) -> Run:
        """A new run with its first task in WAITING. The same person and key give the first one back."""
        with self.writing() as connection:
            id = asked_before(connection, run.person_id, key, RUN)
            if id is None:
                id = self._add(connection, runs, run, task, key)
            return rows.run_of(connection.execute(_one_run(id)).one())

    def add_attempt(self, subject: Session | Run, task: Task, ahead: bool = False) -> TaskRow:
        """The next attempt of a session or run whose task has ENDED (else errors.Conflict).

        A session's may be for another app than the one before; `ahead`: before its person asks for it.
        """
        table, news = runs, NO_PROGRESS
        if isinstance(subject, Session):
            table, news = sessions, {"app": subject.app, "ahead_since": self._now() if ahead else None}
        with self.writing() as connection:
            last = _newest_task(connection, subject.id)
            if last.phase is not Phase.ENDED:
                raise StillOpen()
            fresh = _fresh(task, last, last.attempt + 1, self._now())
            connection.execute(insert(tasks).values(rows.columns_of_task(fresh)))
            kept = update(table).where(table.c.id == subject.id, table.c.removed_at.is_(None))
            if not connection.execute(kept.values(attempt=fresh.attempt, **news)).rowcount:
                raise NotFound(what="session or run")  # removed in this very moment: its folder goes
            return fresh

    def session(self, id: str) -> Session | None:
        return self._one(_one_session(id).where(sessions.c.removed_at.is_(None)), rows.session_of)

    def session_named(self, person_id: str, name: str) -> Session | None:
        wanted = rows.select_sessions().where(sessions.c.person_id == person_id, sessions.c.name == name)
        return self._one(wanted.where(sessions.c.removed_at.is_(None)), rows.session_of)

    def sessions(self, person_id: str | None = None) -> Sequence[Session]:
        """Not removed, newest first; None for everybody's."""
        kept = rows.select_sessions().where(sessions.c.removed_at.is_(None)).order_by(sessions.c.id.desc())
        return self._all(kept if person_id is None else kept.where(sessions.c.person_id == person_id), rows.session_of)

    def sessions_ahead(self) -> Sequence[Session]:
        """Those that nobody has asked for yet."""
        waits = sessions.c.ahead_since.is_not(None) & sessions.c.removed_at.is_(None)
        return self._all(rows.select_sessions().where(waits), rows.session_of)

    def take_session(self, id: str) -> bool:
        """Its person has asked for it now; False where it was theirs already."""
        ahead = update(sessions).where(sessions.c.id == id, sessions.c.ahead_since.is_not(None))
        with self.writing() as connection:
            return bool(connection.execute(ahead.values(ahead_since=None)).rowcount)

    def remove_session(self, id: str) -> None:
        """Forget a session whose task has ENDED; its name is free again."""
        kept = update(sessions).where(sessions.c.id == id, sessions.c.removed_at.is_(None))
        with self.writing() as connection:
            if _newest_task(connection, id).phase is not Phase.ENDED:
                raise StillOpen()
            connection.execute(kept.values(removed_at=self._now()))

    def run(self, id: str) -> Run | None:
        return self._one(_one_run(id), rows.run_of)

    def runs(
        self,
        person_id: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        search: str = "",
        standing: Standing | None = None,
        *,
        tag: str = "",
        starred: bool = False,
        loose: bool = False,
        schedule_id: str | None = None,
    ) -> Part[Run]:
        """Newest first; `search` is a part of the name, `loose` leaves out the runs of sweeps."""
        found = rows.select_runs().where(runs.c.removed_at.is_(None))
        if tag:
            found = found.where(runs.c.tags.cast(Text).contains(json.dumps(tag), autoescape=True))
        if starred:
            found = found.where(runs.c.starred_at.is_not(None))
        if loose:
            found = found.where(runs.c.sweep_id.is_(None))
        if schedule_id is not None:
            found = found.where(runs.c.schedule_id == schedule_id)
        of_tasks = standing is not None  # whose index knows it; all a run's tasks are of its person
        if person_id is not None:
            found = found.where((tasks if of_tasks else runs).c.person_id == person_id)
        if search:
            found = found.where(runs.c.name.icontains(search, autoescape=True))
        if standing is not None:
            found = found.where(_stands(standing))
        return self._part(found, tasks.c.subject if of_tasks else runs.c.id, cursor, limit, rows.run_of)

    def note_progress(
        self,
        run_id: str,
        cell: int,
        cells: int,
        failed_cell: int | None = None,
        held_until: datetime | None = None,
        when_held: Also | None = None,
    ) -> None:
        """`when_held` writes with it what follows from a kernel's being kept."""
        progress = {"cell": cell, "cells": cells, "failed_cell": failed_cell, "held_until": held_until}
        with self.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(progress))
            row = connection.execute(_one_run(run_id)).one_or_none() if when_held and held_until else None
            if when_held and row:
                when_held(connection, rows.run_of(row))

    def set_star(self, run_id: str, starred: bool) -> None:
        """What is starred is never removed by itself."""
        with self.writing() as connection:
            starred_at = self._now() if starred else None
            connection.execute(update(runs).where(runs.c.id == run_id).values(starred_at=starred_at))

    def unsettled_runs(self, limit: int = MOST_ROWS) -> Sequence[Run]:
        """They have ENDED, and what follows from it is still to be done; oldest first."""
        ended = rows.select_runs().where(runs.c.settled_at.is_(None), tasks.c.phase == Phase.ENDED.value)
        return self._all(ended.order_by(runs.c.id).limit(limit), rows.run_of)

    def settle(
        self,
        run: Run,
        values: Mapping[str, Any] | None,
        duration: float | None,
        also: Also,
    ) -> None:
        """Once and for good, together with what `also` writes; nothing where another attempt has begun meanwhile."""
        open_still = update(runs).where(runs.c.id == run.id, runs.c.attempt == run.attempt, runs.c.settled_at.is_(None))
        with self.writing() as connection:
            news = {"values": values, "duration": duration, "settled_at": self._now()}
            if connection.execute(open_still.values(news)).rowcount:
                also(connection, run)

    def usual_duration(self, person_id: str, notebook_hash: str) -> float | None:
        """Of the last runs of the same notebook that got done: the middle one, in seconds."""
        same = select(runs.c.duration).where(
            runs.c.person_id == person_id, runs.c.notebook_hash == notebook_hash, runs.c.duration.is_not(None)
        )
        found = sorted(self._all(same.order_by(runs.c.id.desc()).limit(9), lambda row: float(row.duration)))
        return found[len(found) // 2] if found else None

    # tasks

    def task(self, id: str) -> TaskRow | None:
        return self._one(rows.select_tasks().where(tasks.c.id == id), rows.task_of)

    def open_tasks(self) -> Sequence[TaskRow]:
        """All that have not ENDED, oldest first. Read once for each state of the ledger: the loop asks all the time."""
        version = self.version  # before it is read: what is written meanwhile is read the next time
        if self._open[0] != version:
            found = rows.select_tasks().where(still_open).order_by(tasks.c.id)
            self._open = (version, self._all(found, rows.task_of))
        return self._open[1]

    def write_task(self, id: str, changes: Mapping[str, Any]) -> TaskRow:
        """Change some columns of a task, in one transaction that keeps the laws.

        The phase never falls, a stop is never taken back and an ENDED task never changes:
        then errors.Conflict. Sets started_at on the way to RUNNING and ended_at on the way to ENDED.
        """
        if not changes.keys() <= WRITABLE:
            raise ValueError(f"not to be written: {sorted(changes.keys() - WRITABLE)}")
        with self.writing() as connection:
            row = _locked_task(connection, id)
            _keep_the_laws(row, changes)
            return _changed(connection, row, {**changes, **_times(row, changes, self._now())})

    def claim_ready(self, id: str, ready: str) -> TaskRow:
        """A run that waits takes a task that stands ready; both are so from one moment on (else errors.Conflict).

        The ready one's row is over: it is forgotten with the task that took it.
        """
        with self.writing() as connection:
            row, taken = _locked_task(connection, id), _locked_task(connection, ready)
            for task, phase in ((row, Phase.WAITING), (taken, Phase.RUNNING)):
                if task.phase is not phase or task.wanted is not Wanted.RUN:
                    raise HasEnded()
            over = {"phase": Phase.ENDED, "outcome": Outcome.DONE, "ended_at": self._now()}
            _changed(connection, taken, over)
            connection.execute(update(tasks).where(tasks.c.id == ready).values(forgotten_at=self._now()))
            return _changed(connection, row, {"phase": Phase.STARTING, "claimed": ready})

    def want_stop(self, id: str, by: str) -> TaskRow:
        """wanted=stop, once and for good; on an ENDED task nothing changes."""
        with self.writing() as connection:
            row = _locked_task(connection, id)
            if row.phase is Phase.ENDED or row.wanted is Wanted.STOP:
                return row
            return _changed(connection, row, {"wanted": Wanted.STOP, "stopped_by": by})

    def ended_not_forgotten(self) -> Sequence[TaskRow]:
        """ENDED tasks whose engine has not yet been told to forget them."""
        return self._all(rows.select_tasks().where(to_forget).order_by(tasks.c.id), rows.task_of)

    def forgotten(self, id: str) -> None:
        """The engine has removed what was left of it."""
        ended = update(tasks).where(tasks.c.id == id, tasks.c.phase == Phase.ENDED.value)
        with self.writing() as connection:
            connection.execute(ended.values(forgotten_at=self._now()))

    # deeds

    def write_deed(self, deed: Deed) -> None:
        with self.writing() as connection:
            connection.execute(insert(deeds).values(asdict(deed)))

    def deeds(self, person_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Part[Deed]:
        """Newest first."""
        found = select(deeds) if person_id is None else select(deeds).where(deeds.c.person_id == person_id)
        return self._part(found, deeds.c.id, cursor, limit, rows.deed_of)

    # transactions

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """For the books of other modules."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Whole or not at all, one at a time."""
        with self._turn:
            with self._writer.begin() as connection:
                yield connection
            self.version += 1

    def _all(self, query: rows.Query, as_value: Callable[[rows.Found], Row]) -> list[Row]:
        with self._engine.begin() as connection:
            return [as_value(row) for row in connection.execute(query)]

    def _one(self, query: rows.Query, as_value: Callable[[rows.Found], Row]) -> Row | None:
        return next(iter(self._all(query, as_value)), None)

    def _part(
        self, query: rows.Query, by: Column[str], cursor: str | None, limit: int, as_value: Callable[[rows.Found], Row]
    ) -> Part[Row]:
        """One more than asked for is read, to know whether there is a next part."""
        limit = max(1, min(limit, MOST_ROWS))
        older = query if cursor is None else query.where(by < cursor)
        found = self._all(older.order_by(by.desc()).limit(limit + 1), lambda row: (row.id, as_value(row)))
        shown = found[:limit]
        return Part([value for _, value in shown], shown[-1][0] if len(found) > limit else None)

    def _add(self, connection: Connection, table: Table, subject: Session | Run, task: Task, key: str | None) -> str:
        connection.execute(insert(table).values({**rows.columns_of(subject, table), "attempt": 1}))
        fresh = _fresh(task, subject.task, 1, subject.created_at)
        connection.execute(insert(tasks).values(rows.columns_of_task(fresh)))
        if key is not None:
            asked = {"person_id": subject.person_id, "key": key, "subject_kind": task.kind, "subject": subject.id}
            connection.execute(insert(idempotency).values(**asked, created_at=self._now()))
        return subject.id


def open_ledger(url: str, now: Callable[[], datetime]) -> Ledger:
    """The ledger in this database, which must be up to date already (`database.prepare`)."""
    return Ledger(connect(url), now)


def _one_session(id: str) -> rows.Query:
    return rows.select_sessions().where(sessions.c.id == id)


def _one_run(id: str) -> rows.Query:
    return rows.select_runs().where(runs.c.id == id, runs.c.removed_at.is_(None))


def _stands(standing: Standing) -> ColumnElement[bool]:
    if standing is Standing.WAITING:
        return and_(tasks.c.outcome.is_(None), tasks.c.phase == Phase.WAITING.value)
    if standing is Standing.RUNNING:
        return and_(tasks.c.outcome.is_(None), tasks.c.phase > Phase.WAITING.value)
    return tasks.c.outcome == standing.value


def asked_before(connection: Connection, person_id: str, key: str | None, kind: str) -> str | None:
    if key is None:
        return None
    same = select(idempotency).where(idempotency.c.person_id == person_id, idempotency.c.key == key)
    row = connection.execute(same).one_or_none()
    if row and row.subject_kind != kind:
        raise KeyUsedOtherwise()
    return None if row is None else str(row.subject)


def _check_name_is_free(connection: Connection, session: Session) -> None:
    kept = select(sessions.c.id).where(sessions.c.removed_at.is_(None), sessions.c.person_id == session.person_id)
    if connection.execute(kept.where(sessions.c.name == session.name)).first():
        raise NameInUse(name=session.name)


def _fresh(task: Task, like: TaskRow, attempt: int, created_at: datetime) -> TaskRow:
    """A row in WAITING: whose it is and where it shall run is as in another one, all else is new."""
    return TaskRow(
        id=task.id,
        person_id=like.person_id,
        person=like.person,
        kind=task.kind,
        subject=like.subject,
        attempt=attempt,
        engine=like.engine,
        spec=task,
        phase=Phase.WAITING,
        wanted=Wanted.RUN,
        created_at=created_at,
        cores=task.cores,
        memory=task.memory,
        gpus=task.gpus,
        priority=like.priority,
    )


def _newest_task(connection: Connection, subject: str) -> TaskRow:
    newest = rows.select_tasks().where(tasks.c.subject == subject).order_by(tasks.c.attempt.desc()).limit(1)
    row = connection.execute(newest.with_for_update(of=tasks)).one_or_none()
    if row is None:
        raise NotFound(what="session or run")
    return rows.task_of(row)


def _locked_task(connection: Connection, id: str) -> TaskRow:
    row = connection.execute(rows.select_tasks().where(tasks.c.id == id).with_for_update(of=tasks)).one_or_none()
    if row is None:
        raise NotFound(what="task")
    return rows.task_of(row)


def _changed(connection: Connection, row: TaskRow, changes: Mapping[str, Any]) -> TaskRow:
    if changes:
        connection.execute(update(tasks).where(tasks.c.id == row.id).values(rows.as_columns(changes)))
    return rows.task_of(connection.execute(rows.select_tasks().where(tasks.c.id == row.id)).one())


def _keep_the_laws(row: TaskRow, changes: Mapping[str, Any]) -> None:
    if row.phase is Phase.ENDED:
        raise HasEnded()
    phase = Phase(changes.get("phase", row.phase))
    if phase < row.phase:
        raise OnlyForward(now=row.phase.word, asked=phase.word)
    if row.wanted is Wanted.STOP and changes.get("wanted", Wanted.STOP) is not Wanted.STOP:
        raise OnlyForward(now="to stop", asked="run")


def _times(row: TaskRow, changes: Mapping[str, Any], now: datetime) -> dict[str, datetime]:
    phase = changes.get("phase", row.phase)
    times: dict[str, datetime] = {}
    if phase is Phase.RUNNING and row.started_at is None and "started_at" not in changes:
        times["started_at"] = now
    if phase is Phase.ENDED and "ended_at" not in changes:
        times["ended_at"] = now
    return times
