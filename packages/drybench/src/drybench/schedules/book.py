"""The page of the ledger that schedules are written on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, select, update

from drybench.errors import TooManySchedules
from drybench.ledger import Ledger, asked_before
from drybench.ledger_rows import Found, Query, person_of
from drybench.model import Person
from drybench.schedules.times import Schedule, When
from drybench.tables import idempotency, people, schedules

SCHEDULE = "schedule"  # as deeds and changes call it
MOST = 200  # of one person

_kept = schedules.c.removed_at.is_(None)


class ScheduleBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, schedule: Schedule, key: str | None = None) -> Schedule:
        """The same person and key give the first one back."""
        mine = select(func.count()).select_from(schedules).where(_kept, schedules.c.person_id == schedule.person_id)
        with self._ledger.writing() as connection:
            before = asked_before(connection, schedule.person_id, key, SCHEDULE)
            if before is not None:
                return _schedule_of(connection.execute(_select().where(schedules.c.id == before)).one())
            if (connection.scalar(mine) or 0) >= MOST:
                raise TooManySchedules(most=MOST)
            connection.execute(insert(schedules).values(_columns(schedule)))
            if key is not None:
                asked = {"person_id": schedule.person_id, "key": key, "subject_kind": SCHEDULE, "subject": schedule.id}
                connection.execute(insert(idempotency).values(**asked, created_at=schedule.created_at))
        return schedule

    def get(self, id: str) -> Schedule | None:
        return next(iter(self._all(_select().where(_kept, schedules.c.id == id))), None)

    def of_person(self, person_id: str) -> Sequence[Schedule]:
        """Newest first."""
        return self._all(_select().where(_kept, schedules.c.person_id == person_id).order_by(schedules.c.id.desc()))

    def due(self, now: datetime) -> Sequence[Schedule]:
        """Those of people who are still there, the one that has waited longest first."""
        return self._all(_coming().where(schedules.c.next_at <= now).order_by(schedules.c.next_at))

    def next_time(self) -> datetime | None:
        """When the next one comes."""
        first = _coming().order_by(schedules.c.next_at).limit(1)
        return next((one.next_at for one in self._all(first)), None)

    def owner(self, schedule: Schedule) -> Person | None:
        """As the ledger knows them now; None who is gone."""
        living = select(people).where(people.c.id == schedule.person_id, people.c.gone_at.is_(None))
        with self._ledger.reading() as connection:
            row = connection.execute(living).one_or_none()
            return None if row is None else person_of(row)

    def came(self, schedule: Schedule, next_at: datetime | None, **changes: Any) -> None:
        """Its time is over. Somebody may have paused it meanwhile: then it stays paused."""
        mine = schedules.c.id == schedule.id
        with self._ledger.writing() as connection:
            if changes:
                connection.execute(update(schedules).where(mine).values(changes))
            not_moved = and_(mine, schedules.c.next_at == schedule.next_at)
            connection.execute(update(schedules).where(not_moved).values(next_at=next_at))

    def write(self, id: str, **changes: Any) -> None:
        with self._ledger.writing() as connection:
            connection.execute(update(schedules).where(_kept, schedules.c.id == id).values(changes))

    def _all(self, query: Query) -> Sequence[Schedule]:
        with self._ledger.reading() as connection:
            return [_schedule_of(row) for row in connection.execute(query)]


def _select() -> Query:
    return select(schedules, people.c.name.label("person")).join(people, people.c.id == schedules.c.person_id)


def _coming() -> Query:
    return _select().where(_kept, people.c.gone_at.is_(None), schedules.c.next_at.is_not(None))


def _columns(schedule: Schedule) -> dict[str, Any]:
    flat = {**vars(schedule), **vars(schedule.when)}
    return {column.name: flat.get(column.name) for column in schedules.columns}


def _schedule_of(row: Found) -> Schedule:
    flat = {field.name: getattr(row, field.name) for field in fields(Schedule) if field.name != "when"}
    return Schedule(when=When(row.zone, row.cron, row.at), **flat)
