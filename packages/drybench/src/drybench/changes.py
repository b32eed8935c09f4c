"""Who wants to know that something changed, told within the portal's own process: who shows it, and who acts on it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from drybench.within import within


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


class Bell:
    """Wakes a loop that sleeps until its time has come.

    The loop listens, looks what there is to do, and then sleeps: what rings while it looks is not missed.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_heard(self) -> bool:
        return self._loop is not None

    def ring(self) -> None:
        """From any thread. A loop that has not begun needs it not: it looks before it sleeps."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._rung.set)

    def listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung.clear()

    async def sleep(self, seconds: float | None) -> bool:
        """Whether it rang before the time was over."""
        with suppress(TimeoutError):
            await within(seconds, self._rung.wait())
        return self._rung.is_set()


def _put(queue: asyncio.Queue[Change | None], change: Change) -> None:
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
    else:
        queue.put_nowait(change)
