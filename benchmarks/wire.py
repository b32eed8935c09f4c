"""What lies between a browser and a bench: as long as one wants, and it counts what it carries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

BLOCK, HOLDS = 1 << 16, 32


class Wire:
    def __init__(self, port: int) -> None:
        self._there = port
        self._loop = asyncio.new_event_loop()
        self._carrying = set[asyncio.Task[None]]()
        self.port = 0
        self.delay = 0.0  # seconds, each way
        self.carried = 0  # bytes, towards the browser

    def run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._carrying:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._carrying, return_exceptions=True))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._there)
        for one in (self._carry(reader, to, False), self._carry(there, writer, True)):
            task = asyncio.create_task(one)
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: bool) -> None:
        """No more than a wire holds: who sends waits for who does not read."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HOLDS)
        taking = asyncio.create_task(self._take_in(reader, under_way, counts))
        try:
            with suppress(OSError):
                await self._give_out(under_way, writer)
        finally:
            taking.cancel()
            writer.close()

    async def _take_in(
        self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]], counts: bool
    ) -> None:
        block = b"-"
        while block:
            try:
                block = await reader.read(BLOCK)
            except OSError:
                block = b""
            self.carried += len(block) if counts else 0
            await under_way.put((self._loop.time() + self.delay, block))

    async def _give_out(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        due, block = await under_way.get()
        while block:
            await asyncio.sleep(max(0, due - self._loop.time()))
            writer.write(block)
            await writer.drain()
            due, block = await under_way.get()


@contextmanager
def wire(port: int) -> Generator[Wire]:
    made, ready = Wire(port), threading.Event()
    thread = threading.Thread(target=made.run, args=[ready])
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        made.stop()
        thread.join()
