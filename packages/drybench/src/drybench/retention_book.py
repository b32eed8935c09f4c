"""The pages of the ledger that say how long runs are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select, update

from drybench import ledger_rows as rows
from drybench.ledger import Ledger
from drybench.model import Run
from drybench.phases import Wanted
from drybench.runs.retention import Rule
from drybench.tables import people, runs, sweeps

_NOTHING_TO_COME = and_(
    sweeps.c.removed_at.is_(None),
    or_(sweeps.c.wanted == Wanted.STOP.value, and_(sweeps.c.laid == sweeps.c.planned, sweeps.c.rerun_at.is_(None))),
)


class RetentionBook:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def wish(self, person_id: str) -> Rule | None:
        with self._ledger.reading() as connection:
            row = connection.execute(
                select(people.c.keep_days, people.c.keep_since).where(people.c.id == person_id)
            ).one_or_none()
        return Rule(row.keep_days, row.keep_since) if row and row.keep_days and row.keep_since else None

    def set_wish(self, person_id: str, rule: Rule | None) -> None:
        wish = {"keep_days": rule and rule.days, "keep_since": rule and rule.since}
        with self._ledger.writing() as connection:
            connection.execute(update(people).where(people.c.id == person_id).values(wish))

    def owners(self) -> Sequence[str]:
        """Of runs, also those who are gone."""
        with self._ledger.reading() as connection:
            return [row.id for row in connection.execute(select(people.c.id))]

    def ended(self, person_id: str, before: datetime, limit: int) -> Sequence[Run]:
        """Neither starred nor removed; whose end was settled first comes first."""
        found = rows.select_runs().where(
            runs.c.person_id == person_id,
            runs.c.starred_at.is_(None),
            runs.c.removed_at.is_(None),
            runs.c.settled_at < before,
        )
        with self._ledger.reading() as connection:
            oldest = connection.execute(found.order_by(runs.c.settled_at).limit(limit))
            return [rows.run_of(row) for row in oldest]

    def remove(self, run: Run, now: datetime, starred_too: bool = False) -> bool:
        """Off every list, for good; False where it was starred or began again in this moment."""
        still = [runs.c.id == run.id, runs.c.attempt == run.attempt, runs.c.removed_at.is_(None)]
        if not starred_too:
            still.append(runs.c.starred_at.is_(None))
        with self._ledger.writing() as connection:
            return bool(connection.execute(update(runs).where(*still).values(removed_at=now)).rowcount)

    def removed(self) -> frozenset[str]:
        """The ids of all runs that have been removed, some of which may still have a folder."""
        with self._ledger.reading() as connection:
            gone = connection.execute(select(runs.c.id).where(runs.c.removed_at.is_not(None)))
            return frozenset(row.id for row in gone)

    def remove_sweep(self, id: str, now: datetime, but_for: Collection[str] = ()) -> Sequence[Run] | None:
        """The runs that went with it; a starred one stands by itself then. None: something is open, or in `but_for`."""
        there = rows.select_runs().where(runs.c.sweep_id == id, runs.c.removed_at.is_(None))
        with self._ledger.writing() as connection:
            is_whole = connection.execute(select(sweeps.c.id).where(sweeps.c.id == id, _NOTHING_TO_COME)).one_or_none()
            found = [rows.run_of(row) for row in connection.execute(there)]
            if is_whole is None or any(run.settled_at is None or run.id in but_for for run in found):
                return None
            mine = runs.c.sweep_id == id, runs.c.removed_at.is_(None)
            connection.execute(update(runs).where(*mine, runs.c.starred_at.is_(None)).values(removed_at=now))
            connection.execute(update(runs).where(*mine).values(sweep_id=None, place=None))  # with a star
            connection.execute(update(sweeps).where(sweeps.c.id == id).values(removed_at=now))
        return [run for run in found if run.starred_at is None]

    def empty_sweeps(self) -> Sequence[str]:
        """Those all of whose runs have been removed. One that was cancelled before it had any is not among them."""
        once = exists().where(runs.c.sweep_id == sweeps.c.id)
        still = exists().where(runs.c.sweep_id == sweeps.c.id, runs.c.removed_at.is_(None))
        with self._ledger.reading() as connection:
            return [row.id for row in connection.execute(select(sweeps.c.id).where(_NOTHING_TO_COME, once, ~still))]

    def removed_sweeps(self) -> frozenset[str]:
        with self._ledger.reading() as connection:
            gone = connection.execute(select(sweeps.c.id).where(sweeps.c.removed_at.is_not(None)))
            return frozenset(row.id for row in gone)
