"""Journals as pages need them: what they say so far, and what is new since, without reading them again for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from drybench.runs.run_folder import RunFolders
from drybench.web.so_far import Event, SoFar

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
            while True:
                part = self._folders.progress(run_id, attempt, reading.offset)
                if part.next_offset == reading.offset:
                    return list(reading.so_far.events()), reading.offset
                reading.so_far.take(part.events)
                reading.offset = part.next_offset

    def _reading(self, run_id: str, attempt: int) -> _Reading:
        with self._lock:
            reading = self._readings.setdefault((run_id, attempt), _Reading())
            self._readings.move_to_end((run_id, attempt))
            if len(self._readings) > KEPT:
                self._readings.popitem(last=False)
        return reading
