"""Removing sweeps: by hand with their runs, or by themselves once none of their runs is left."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from drybench.asking import Desk
from drybench.errors import NoSuchSweep, StillOpen
from drybench.folders import RunShelf
from drybench.model import Person
from drybench.people import permissions
from drybench.retention_book import RetentionBook
from drybench.runs.run_folder import RunFolders
from drybench.runs.sweep_folder import SweepFolders
from drybench.sweep_book import SWEEP, SweepBook

log = structlog.get_logger("keeping")


@dataclass(frozen=True)
class KeepingSweeps:
    """Synchronous. First the ledger, then the folders: what a killed portal left is removed by the next."""

    desk: Desk
    sweeps: SweepBook
    book: RetentionBook
    folders: SweepFolders
    run_folders: RunFolders
    shelf: RunShelf

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        """With its runs, but for those with a star. What is still at work is cancelled first, by whoever wants it."""
        permissions.needs(person)
        permissions.theirs(person, self.sweeps.get(id), NoSuchSweep)
        being_cleared = {task.subject for task in self.desk.ledger.ended_not_forgotten()}
        gone = self.book.remove_sweep(id, self.desk.now(), being_cleared)
        if gone is None:
            raise StillOpen()
        for run in gone:
            self.shelf.remove(run)
            self.run_folders.remove(run.id)
        self.folders.remove(id)
        self.desk.done(person, "removed", SWEEP, id, origin)

    def remove_what_is_empty(self) -> None:
        """A star on one run keeps the whole: its table says what that run was one of."""
        for id in self.book.empty_sweeps():
            if self.book.remove_sweep(id, self.desk.now()) is not None:
                self.folders.remove(id)
                log.info("a sweep without runs removed", sweep=id)

    def remove_what_is_left(self) -> None:
        removed = self.book.removed_sweeps()
        for id in self.folders.with_folder():
            if id in removed:
                self.folders.remove(id)
