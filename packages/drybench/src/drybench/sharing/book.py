"""The page of the ledger that shares are written on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from drybench.errors import TooManyShares
from drybench.ledger import Ledger
from drybench.ledger_rows import Found, Query
from drybench.model import Person
from drybench.sharing.rules import GROUP, PERSON, TEACHERS, Share
from drybench.tables import people, shares

MOST = 100  # of one person at once


class ShareBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def put(self, share: Share) -> Share:
        """A new one; shared with the same once more, the first one has what is new, and its address stays."""
        with self._ledger.writing() as connection:
            before = _same(connection, share)
            if before is None:
                _leave_room(connection, share)
                connection.execute(insert(shares).values(_columns(share)))
                return share
            changed = {"control": share.control, "until": share.until}
            connection.execute(update(shares).where(shares.c.id == before).values(changed))
            return replace(share, id=before)

    def get(self, id: str) -> Share | None:
        """Also one that is over; none of somebody who is gone."""
        return next(iter(self._all(shares.c.id == id)), None)

    def of_person(self, person_id: str, now: datetime) -> Sequence[Share]:
        """What they share."""
        return self._all(_open(now), shares.c.person_id == person_id)

    def of_session(self, session_id: str, now: datetime) -> Sequence[Share]:
        return self._all(_open(now), shares.c.session_id == session_id)

    def with_person(self, person: Person, now: datetime) -> Sequence[Share]:
        """What others share with them or with a group of theirs."""
        theirs = and_(shares.c.with_kind == PERSON, shares.c.with_id == person.id)
        groups = and_(shares.c.with_kind == GROUP, shares.c.with_name.in_(sorted(person.groups)))
        return self._all(_open(now), or_(theirs, groups), shares.c.person_id != person.id)

    def with_teachers(self, group: str, now: datetime) -> Sequence[Share]:
        """What those in a group show to who teaches it."""
        return self._all(_open(now), shares.c.with_kind == TEACHERS, shares.c.with_name == group)

    def end(self, id: str, by: str, now: datetime) -> bool:
        """Once; False where it had been ended before."""
        running = update(shares).where(shares.c.id == id, shares.c.ended_at.is_(None))
        with self._ledger.writing() as connection:
            return bool(connection.execute(running.values(ended_at=now, ended_by=by)).rowcount)

    def _all(self, *which: ColumnElement[bool]) -> Sequence[Share]:
        """The newest first."""
        with self._ledger.reading() as connection:
            return [_share_of(row) for row in connection.execute(_select().where(*which).order_by(shares.c.id.desc()))]


def _select() -> Query:
    living = and_(people.c.id == shares.c.person_id, people.c.gone_at.is_(None))
    return select(shares, people.c.name.label("person")).join(people, living)


def _open(now: datetime) -> ColumnElement[bool]:
    return and_(shares.c.ended_at.is_(None), shares.c.until > now)


def _same(connection: Connection, share: Share) -> str | None:
    like = [shares.c[name] == getattr(share, name) for name in ("session_id", "app", "with_kind", "with_name")]
    whom = shares.c.with_id.is_(None) if share.with_id is None else shares.c.with_id == share.with_id
    found = select(shares.c.id).where(_open(share.created_at), whom, *like)
    return connection.scalar(found)


def _leave_room(connection: Connection, share: Share) -> None:
    mine = select(func.count()).select_from(shares).where(shares.c.person_id == share.person_id)
    if (connection.scalar(mine.where(_open(share.created_at))) or 0) >= MOST:
        raise TooManyShares(most=MOST)


def _columns(share: Share) -> dict[str, Any]:
    return {column.name: getattr(share, column.name) for column in shares.columns}


def _share_of(row: Found) -> Share:
    return Share(**{field.name: getattr(row, field.name) for field in fields(Share)})
