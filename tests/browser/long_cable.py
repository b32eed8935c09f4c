"""A cable that is long, or that carries nothing for a while: what is on its way comes late, and nobody is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.browser.cable import BLOCK, Cable

MOST_WAITING = 64  # blocks
Late = asyncio.Queue[tuple[float, bytes]]  # when each is to arrive


class LongCable(Cable):
    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.delay = 0.0  # seconds, each way
        self._carries = asyncio.Event()
        self._carries.set()

    def fall_silent(self) -> None:
        """Connections stay open, also new ones, as to a machine whose packets are lost."""
        self._loop.call_soon_threadsafe(self._carries.clear)

    def speak(self) -> None:
        self._loop.call_soon_threadsafe(self._carries.set)

    async def _end(self) -> None:
        self._carries.set()
        await super()._end()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: bool) -> None:
        late: Late = asyncio.Queue(MOST_WAITING)
        arriving = asyncio.ensure_future(self._arrive(late, writer))
        with suppress(OSError):
            while block := await reader.read(BLOCK):
                self.carried += len(block) if counts else 0
                await late.put((self._loop.time() + self.delay, block))
        await late.put((self._loop.time() + self.delay, b""))
        await arriving

    async def _arrive(self, late: Late, writer: asyncio.StreamWriter) -> None:
        """In the order in which it was sent, as TCP has it; also that there is no more."""
        block = b"first"
        while block:
            due, block = await late.get()
            await asyncio.sleep(due - self._loop.time())
            await self._carries.wait()
            with suppress(OSError):
                writer.write(block)
                await writer.drain()
        writer.close()
