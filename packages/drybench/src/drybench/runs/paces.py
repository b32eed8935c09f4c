"""How fast the same notebook went before: from the ledger for the whole of it, from its journal cell by cell."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from sqlalchemy import select

from drybench.ledger import Ledger
from drybench.model import Run
from drybench.runs.remaining import Pace, pace
from drybench.runs.run_folder import RunFolders
from drybench.tables import runs

KEPT = 64
MOST_READ = 256 << 20  # bytes of a journal that are gone through for the times of its cells


class Paces:
    def __init__(self, ledger: Ledger, folders: RunFolders) -> None:
        self._ledger = ledger
        self._folders = folders
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Pace | None] = OrderedDict()

    def usual(self, run: Run) -> float | None:
        """Seconds, as its person's last runs of the same notebook took."""
        return self._ledger.usual_duration(run.person_id, run.notebook_hash) if run.notebook_hash else None

    def earlier(self, run: Run) -> Pace | None:
        """Of the last one that got done."""
        last = select(runs.c.id, runs.c.attempt).where(
            runs.c.person_id == run.person_id,
            runs.c.notebook_hash == run.notebook_hash,
            runs.c.duration.is_not(None),
            runs.c.removed_at.is_(None),
        )
        with self._ledger.reading() as connection:
            found = connection.execute(last.order_by(runs.c.id.desc()).limit(1)).first() if run.notebook_hash else None
        return self._of(found.id, found.attempt) if found else None

    def _of(self, run_id: str, attempt: int) -> Pace | None:
        with self._lock:
            if run_id in self._known:
                return self._known[run_id]
        found = pace(self._lines(run_id, attempt))
        with self._lock:
            self._known[run_id] = found
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def _lines(self, run_id: str, attempt: int) -> Iterator[bytes]:
        offset = 0
        while offset < MOST_READ:
            lines, after = self._folders.journal_lines(run_id, attempt, offset)
            if after == offset:
                return
            yield from lines
            offset = after
