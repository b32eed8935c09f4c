"""Who wants to know that something changed, told within the portal's own process."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Something of this person's is no longer what it was; ask the ledger what it is now."""

    kind: str  # session | run | output (a run's journal has grown) | …
    id: str
    person_id: str


class Changes:
    """Tell all who listen; a listener that does not keep up is told only that it missed some."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._listeners: dict[asyncio.Queue[Change | None], asyncio.AbstractEventLoop] = {}

    def tell(self, change: Change) -> None:
        """From any thread: each queue is filled in its own loop."""
        for queue, loop in tuple(self._listeners.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(_put, queue, change)

    @contextmanager
    def listen(self) -> Generator[asyncio.Queue[Change | None]]:
        """Within the block the queue fills; None in it means: you missed some, ask for all."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(self._most)
        self._listeners[queue] = asyncio.get_running_loop()
        try:
            yield queue
        finally:
            del self._listeners[queue]


def _put(queue: asyncio.Queue[Change | None], change: Change) -> None:
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
    else:
        queue.put_nowait(change)
