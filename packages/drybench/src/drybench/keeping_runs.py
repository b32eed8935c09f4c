"""Removing runs: by hand, and by themselves when the rules say so. What goes is shown before it goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from drybench.asking import Desk
from drybench.errors import DaysWrong, NoSuchRun, StillOpen
from drybench.folders import RunShelf
from drybench.keeping_sweeps import KeepingSweeps
from drybench.model import RUN, Person, Run
from drybench.people import permissions
from drybench.phases import Phase
from drybench.retention_book import RetentionBook
from drybench.runs.retention import MOST_DAYS, Rule, ended_before, goes_at
from drybench.runs.run_folder import RunFolders
from drybench.runs.sweep_folder import SweepFolders
from drybench.sweep_book import SweepBook

log = structlog.get_logger("keeping")

EVERY = 3600.0  # seconds
AT_ONCE = 200


@dataclass(frozen=True)
class Going:
    run: Run
    at: datetime


class KeepingRuns:
    """Synchronous but for `run`. `rule` is the keeper's, from the settings."""

    def __init__(
        self, desk: Desk, folders: RunFolders, shelf: RunShelf, sweep_folders: SweepFolders, rule: Rule
    ) -> None:
        self._desk = desk
        self._book = RetentionBook(desk.ledger)
        self._folders = folders
        self._shelf = shelf
        self.bench_rule = rule
        self.sweeps = KeepingSweeps(desk, SweepBook(desk.ledger), self._book, sweep_folders, folders, shelf)

    async def run(self) -> None:
        """Until cancelled."""
        sweeps = self.sweeps
        passes = (
            self.remove_what_is_due,
            sweeps.remove_what_is_empty,
            self.remove_what_is_left,
            sweeps.remove_what_is_left,
        )
        while True:
            for pass_ in passes:
                try:
                    await asyncio.to_thread(pass_)
                except Exception:
                    log.exception("old runs could not be removed")
            await asyncio.sleep(EVERY)

    def wish(self, person: Person) -> Rule | None:
        return self._book.wish(person.id)

    def set_wish(self, person: Person, days: int | None, origin: str = "api") -> None:
        """None or 0: nothing of theirs goes by their own wish. The keeper's rule counts all the same."""
        permissions.needs(person)
        if days is not None and not 0 <= days <= MOST_DAYS:
            raise DaysWrong(most=MOST_DAYS)
        before = self._book.wish(person.id)
        if days == (before.days if before else 0):
            return
        self._book.set_wish(person.id, Rule(days, self._desk.now()) if days else None)
        self._desk.done(person, f"keeps runs for {days or 'ever'}", RUN, "all", origin)

    def going(self, person: Person, within: timedelta = timedelta(days=30), limit: int = AT_ONCE) -> Sequence[Going]:
        """What goes next, unless it is starred."""
        permissions.needs(person, permissions.RUNS)
        until, rules = self._desk.now() + within, self._rules(person.id)
        last_end = ended_before(until, rules)
        found = self._book.ended(person.id, last_end, limit) if last_end else ()
        return [Going(run, goes_at(run.task.ended_at or run.created_at, rules) or until) for run in found]

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        """By hand, starred or not. What is still at work is cancelled first, by whoever wants it removed."""
        permissions.needs(person)
        run = permissions.theirs(person, self._desk.ledger.run(id), NoSuchRun)
        if run.task.phase is not Phase.ENDED or run.settled_at is None or self._is_being_cleared(run):
            raise StillOpen()
        if self._book.remove(run, self._desk.now(), starred_too=True):
            self._clear(run)
            self._desk.done(person, "removed", RUN, id, origin)

    def remove_what_is_due(self) -> int:
        removed = 0
        for person_id in self._book.owners():
            last_end = ended_before(self._desk.now(), self._rules(person_id))
            for run in self._book.ended(person_id, last_end, AT_ONCE) if last_end else ():
                if self._book.remove(run, self._desk.now()):
                    self._clear(run)
                    removed += 1
        if removed:
            log.info("old runs removed", runs=removed)
        return removed

    def remove_what_is_left(self) -> None:
        """A portal was killed between the two. A folder that the ledger does not know is nobody's to remove."""
        removed = self._book.removed()
        for id in self._folders.with_folder():
            if id in removed:
                self._folders.remove(id)

    def _is_being_cleared(self, run: Run) -> bool:
        return any(task.subject == run.id for task in self._desk.ledger.ended_not_forgotten())

    def _rules(self, person_id: str) -> list[Rule]:
        wish = self._book.wish(person_id)
        return [self.bench_rule, *([wish] if wish else [])]

    def _clear(self, run: Run) -> None:
        self._shelf.remove(run)
        self._folders.remove(run.id)


def keepers_rule(file: Path, days: int, now: Callable[[], datetime]) -> Rule:
    """Since when the keeper's rule is what it is: a stricter one must be known for a while before it counts."""
    try:
        said = json.loads(file.read_text())
        before = Rule(int(said["days"]), datetime.fromisoformat(said["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        before = None
    if before is not None and before.days == days:
        return before
    rule = Rule(days, now())
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"format": 1, "days": rule.days, "since": rule.since.isoformat()}))
    new.replace(file)
    return rule
