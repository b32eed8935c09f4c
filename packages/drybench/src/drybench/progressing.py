"""How far the running runs are, read from their journals, and word to their pages when there is more to show."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import structlog

from drybench.changes import Change, Changes
from drybench.ledger import Also, Ledger
from drybench.model import RUN, TaskRow
from drybench.phases import Phase
from drybench.runs.run_folder import RunFolders

log = structlog.get_logger("progressing")

OUTPUT = "output"  # the kind of a change: a run's journal has grown, while the run is what it was
OFTEN = 0.2  # seconds between two looks at how long the journals are
PATIENCE = 0.2  # seconds for one journal in one pass, so that a run that prints a lot holds up no other
PASSED_OVER = (b'{"event":"output"', b'{"event":"update"')  # most of a journal, and nothing of it counts here


@dataclass
class _Place:
    offset: int = 0
    cell: int = 0
    cells: int = 0
    failed: int | None = None
    held_until: datetime | None = None

    @property
    def counts(self) -> tuple[int, int, int | None, datetime | None]:
        return self.cell, self.cells, self.failed, self.held_until


class Progressing:
    """`read` is a part of the loop's pass and writes to the ledger; `run` only looks at lengths, and often."""

    def __init__(self, ledger: Ledger, folders: RunFolders, changes: Changes) -> None:
        self._ledger = ledger
        self._folders = folders
        self._changes = changes
        self._running: dict[str, TaskRow] = {}
        self._some_run = asyncio.Event()
        self._places: dict[str, _Place] = {}
        self._lengths: dict[str, int] = {}
        self._when_held: Also | None = None

    def when_held(self, also: Also) -> None:
        """To be written together with the news that a failed run's kernel is kept; it may come again and again."""
        self._when_held = also

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some_run.wait()
            for task in await asyncio.to_thread(self._grown):
                self._changes.tell(Change(OUTPUT, task.subject, task.person_id))
            await asyncio.sleep(OFTEN)

    async def read(self, tasks: Sequence[TaskRow]) -> None:
        self._running = {task.id: task for task in tasks if task.kind == RUN and task.phase >= Phase.STARTING}
        (self._some_run.set if self._running else self._some_run.clear)()
        self._places = {id: place for id, place in self._places.items() if id in self._running}
        self._lengths = {id: length for id, length in self._lengths.items() if id in self._running}
        for task in self._running.values():
            try:
                if await asyncio.to_thread(self._read, task):
                    self._changes.tell(Change(RUN, task.subject, task.person_id))
            except Exception:
                log.exception("a journal could not be read", run=task.subject)

    def _grown(self) -> list[TaskRow]:
        return [task for task in tuple(self._running.values()) if self._has_grown(task)]

    def _has_grown(self, task: TaskRow) -> bool:
        try:
            length = self._folders.journal_length(task.subject, task.attempt)
        except OSError:  # its machine's trouble, which the loop's own pass tells of
            return False
        before, self._lengths[task.id] = self._lengths.get(task.id, 0), length
        return length != before

    def _read(self, task: TaskRow) -> bool:
        """Whether it is further than the ledger knew."""
        place, until = self._places.setdefault(task.id, _Place()), time.monotonic() + PATIENCE
        before = place.counts
        while time.monotonic() < until:
            lines, offset = self._folders.journal_lines(task.subject, task.attempt, place.offset)
            if offset == place.offset:
                break
            place.offset = offset
            for line in lines:
                if not line.startswith(PASSED_OVER):
                    _advance(place, _event(line))
        if place.counts != before:
            self._ledger.note_progress(task.subject, *place.counts, self._when_held)
        return place.counts != before


def _advance(place: _Place, event: Mapping[str, Any]) -> None:
    """A task wrote this: numbers are taken, anything else is passed over."""
    kind, numbers = event.get("event"), {name: value for name, value in event.items() if _is_number(value)}
    if kind == "began":
        place.cells = numbers.get("cells", 0)
    elif kind == "cell":
        place.cell, place.cells = numbers.get("n", place.cell), numbers.get("of", place.cells)
    elif kind == "cell_ended" and event.get("status") == "error":
        place.failed = numbers.get("index")
    elif kind == "held":
        place.held_until = _moment(event.get("until"))
    elif kind in ("released", "ended"):
        place.held_until = None
    elif kind == "went_on":
        place.failed, place.cells = None, numbers.get("of", place.cells)


def _moment(told: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(told)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _event(line: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, Any]", event) if isinstance(event, dict) else {}


def _is_number(value: object) -> bool:
    """One that a table can hold."""
    return type(value) is int and 0 <= value < 1 << 31
