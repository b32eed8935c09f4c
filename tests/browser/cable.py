"""What lies between a browser and a server: it can be cut and mended, and be narrow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TypeVar

BLOCK, PIECE = 1 << 16, 1 << 12  # bytes; of a narrow one


class Cable:
    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._whole = True
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self.carried = 0  # bytes, towards the server
        self.port = 0
        self.rate = 0  # bytes a second towards the browser, of all connections together; 0 is without a limit

    def cut(self) -> None:
        """What was connected breaks off, and nothing connects any more."""
        self._loop.call_soon_threadsafe(self._cut)

    def mend(self) -> None:
        self._whole = True

    def run(self, ready: threading.Event) -> None:
        self._loop.run_until_complete(self._listen())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _cut(self) -> None:
        self._whole = False
        for end in self._ends:
            end.transport.abort()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        there, to = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends |= {writer, to}
        if not self._whole:  # cut meanwhile
            self._cut()
        await asyncio.gather(self._carry(reader, to, True), self._carry(there, writer, False))
        self._ends -= {writer, to}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: bool) -> None:
        with suppress(OSError):
            while block := await reader.read(PIECE if self.rate else BLOCK):
                self.carried += len(block) if counts else 0
                if (rate := self.rate) and not counts:
                    await self._for(len(block) / rate)
                writer.write(block)
                await writer.drain()
        writer.close()

    async def _for(self, seconds: float) -> None:
        """One block after the other has the line."""
        async with self._turn:
            await asyncio.sleep(seconds)


Kind = TypeVar("Kind", bound=Cable)


@contextmanager
def cable(port: int, kind: type[Kind] = Cable) -> Generator[Kind]:
    made, ready = kind(port), threading.Event()
    thread = threading.Thread(target=made.run, args=[ready])
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
