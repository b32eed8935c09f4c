"""Journals as pages need them: what they say so far, and what is new since, without reading them again for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drybench.runs.remaining import Here, moment
from drybench.runs.run_folder import RunFolders
from drybench.web.so_far import Event, SoFar

PARTS = 128  # of a journal (`run_folder.JOURNAL_PART`) in one go: of a longer one the page asks for the rest by itself
KEPT = 4  # journals whose content is held, each at most `so_far.ALL` large


@dataclass
class _Reading:
    so_far: SoFar = field(default_factory=SoFar)
    offset: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Journals:
    def __init__(self, folders: RunFolders) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._readings: OrderedDict[tuple[str, int], _Reading] = OrderedDict()

    def so_far(self, run_id: str, attempt: int) -> tuple[Sequence[Event], int]:
        """Events that draw what the journal says, and the offset up to which they do."""
        reading = self._reading(run_id, attempt)
        with reading.lock:
            self._read_on(reading, run_id, attempt)
            return list(reading.so_far.events()), reading.offset

    def here(self, run_id: str, attempt: int, now: datetime) -> Here | None:
        """Where it is by its own clock; None before its first cell."""
        reading = self._reading(run_id, attempt)
        with reading.lock:
            self._read_on(reading, run_id, attempt)
            (at, number), began = reading.so_far.cell, moment(reading.so_far.began)
        cell_began = moment(at)
        if began is None or cell_began is None or type(number) is not int:
            return None
        return Here(now.timestamp() - began, number, now.timestamp() - cell_began)

    def _read_on(self, reading: _Reading, run_id: str, attempt: int) -> None:
        for _ in range(PARTS):
            part = self._folders.progress(run_id, attempt, reading.offset)
            if part.next_offset == reading.offset:
                return
            reading.so_far.take(part.events)
            reading.offset = part.next_offset

    def _reading(self, run_id: str, attempt: int) -> _Reading:
        with self._lock:
            reading = self._readings.setdefault((run_id, attempt), _Reading())
            self._readings.move_to_end((run_id, attempt))
            if len(self._readings) > KEPT:
                self._readings.popitem(last=False)
        return reading
