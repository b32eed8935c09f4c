"""How far the running runs are, read from their journals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from drybench.changes import Change, Changes
from drybench.ledger import Ledger
from drybench.model import RUN, TaskRow
from drybench.phases import Phase
from drybench.runs.run_folder import RunFolders

log = structlog.get_logger("progressing")


@dataclass
class _Place:
    offset: int = 0
    cell: int = 0
    cells: int = 0
    failed: int | None = None


class Progressing:
    def __init__(self, ledger: Ledger, folders: RunFolders, changes: Changes) -> None:
        self._ledger = ledger
        self._folders = folders
        self._changes = changes
        self._places: dict[str, _Place] = {}

    async def read(self, tasks: Sequence[TaskRow]) -> None:
        running = {task.id: task for task in tasks if task.kind == RUN and task.phase >= Phase.STARTING}
        self._places = {id: place for id, place in self._places.items() if id in running}
        for task in running.values():
            try:
                await self._read(task)
            except Exception:
                log.exception("a journal could not be read", run=task.subject)

    async def _read(self, task: TaskRow) -> None:
        place = self._places.setdefault(task.id, _Place())
        before = place.offset
        progress = await asyncio.to_thread(self._folders.progress, task.subject, task.attempt, place.offset)
        place.offset = progress.next_offset
        if place.offset == before:
            return
        for event in progress.events:
            _advance(place, event)
        await asyncio.to_thread(self._ledger.note_progress, task.subject, place.cell, place.cells, place.failed)
        self._changes.tell(Change(RUN, task.subject, task.person_id))


def _advance(place: _Place, event: Mapping[str, Any]) -> None:
    """A task wrote this: numbers are taken, anything else is passed over."""
    kind, numbers = event.get("event"), {name: value for name, value in event.items() if _is_number(value)}
    if kind == "began":
        place.cells = numbers.get("cells", 0)
    elif kind == "cell":
        place.cell, place.cells = numbers.get("n", place.cell), numbers.get("of", place.cells)
    elif kind == "cell_ended" and event.get("status") == "error":
        place.failed = numbers.get("index")


def _is_number(value: object) -> bool:
    """One that a table can hold."""
    return type(value) is int and 0 <= value < 1 << 31
