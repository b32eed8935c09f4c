"""An engine in memory, for tests of everything above engines. It passes the same suite as the real ones.

It knows a few words as commands and lets everything else go on until the test says how it ends:

    exit CODE    say TEXT    variable NAME    folder    serve    ready
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from drybench.engines.base import Capabilities, Handle, Room
from drybench.errors import MachineTooSmall, ReadyGone
from drybench.gpus import check as check_gpus
from drybench.model import READY, Gpu, Task
from drybench.phases import Reason, Seen, Sight

TERMINATED = 143


@dataclass
class FakeTask:
    task: Task
    env: Mapping[str, str]
    seen: Seen = Seen.RUNNING
    exit_code: int | None = None
    reason: Reason | None = None
    address: str | None = None
    grace: float | None = None  # set by a stop
    log: bytearray = field(default_factory=bytearray)
    server: asyncio.Server | None = None

    @property
    def sight(self) -> Sight:
        return Sight(self.seen, address=self.address, exit_code=self.exit_code, reason=self.reason)


class FakeMachine:
    """What stays when an engine object goes: the tasks, and how often each was started."""

    def __init__(self) -> None:
        self.tasks: dict[str, FakeTask] = {}
        self.starts: Counter[str] = Counter()
        self.forgotten: list[str] = []
        self.claimed: dict[str, str] = {}  # by which ready task
        self._listeners: list[asyncio.Queue[str]] = []

    def listen(self) -> asyncio.Queue[str]:
        self._listeners.append(asyncio.Queue())
        return self._listeners[-1]

    def tell(self, id: str) -> None:
        for queue in self._listeners:
            queue.put_nowait(id)

    def offer(self, id: str, address: str) -> None:
        self.tasks[id].address = address
        self.tell(id)

    def end(self, id: str, exit_code: int | None = 0, reason: Reason | None = None) -> None:
        """The end of a task; only the first one counts."""
        task = self.tasks[id]
        if task.seen is not Seen.ENDED:
            task.seen, task.exit_code, task.reason, task.address = Seen.ENDED, exit_code, reason, None
            self._close(task)
            self.tell(id)

    def forget(self, id: str) -> None:
        if task := self.tasks.pop(id, None):
            self._close(task)
            self.forgotten.append(id)

    def _close(self, task: FakeTask) -> None:
        if task.server is not None:
            task.server.close()
            task.server = None


class FakeEngine:
    name = "fake"
    can = Capabilities(gpus=True, mounts=True, addresses=True, ready=True)

    def __init__(
        self, machine: FakeMachine | None = None, *, cores: float = 4, memory: int = 8 << 30, gpus: Sequence[Gpu] = ()
    ) -> None:
        self.machine = machine or FakeMachine()
        self._room = Room(cores, memory, tuple(gpus))
        self._news = self.machine.listen()

    def check(self, task: Task) -> None:
        if task.memory > self._room.memory or task.cores > self._room.cores:
            raise MachineTooSmall(asked="more", most="less")
        check_gpus(task, self._room.gpus)

    async def prepare(self, task: Task) -> str:
        return ""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        self.check(task)
        if task.id not in self.machine.tasks:
            self.machine.starts[task.id] += 1
            self.machine.tasks[task.id] = FakeTask(task, dict(env))
            await self._carry_out(task.id)
            self.machine.tell(task.id)
        return {"format": 1, "task": task.id}

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        tasks = self.machine.tasks
        return [
            tasks[handle["task"]].sight if handle.get("task") in tasks else Sight(Seen.UNKNOWN) for handle in handles
        ]

    async def changes(self) -> AsyncIterator[str]:
        while True:
            yield await self._news.get()

    async def stop(self, handle: Handle, grace: float) -> None:
        with suppress(KeyError):
            self.machine.tasks[handle["task"]].grace = grace
            self.machine.end(handle["task"], TERMINATED)

    async def forget(self, handle: Handle) -> None:
        self.machine.forget(handle["task"])

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        ready = self.machine.tasks.get(handle["task"])
        if task.id in self.machine.tasks:
            return {"format": 1, "task": task.id}
        if ready is None or ready.seen is Seen.ENDED or ready.task.kind != READY:
            self.machine.forget(handle["task"])
            raise ReadyGone()
        del self.machine.tasks[handle["task"]]
        self.machine.claimed[task.id] = handle["task"]
        return await self.start(task, env)

    async def logs(self, handle: Handle, since: int = 0) -> AsyncIterator[bytes]:
        if task := self.machine.tasks.get(handle["task"]):
            yield bytes(task.log[since:])

    async def room(self) -> Room:
        return self._room

    async def close(self) -> None:
        """The machine stays as it is."""

    async def _carry_out(self, id: str) -> None:
        given = self.machine.tasks[id]
        match given.task.command:
            case ("exit", code):
                self.machine.end(id, int(code))
            case ("say", text):
                given.log += text.encode() + b"\n"
            case ("variable", name):
                variables = {"CUDA_VISIBLE_DEVICES": ",".join(given.task.gpus), **given.task.env, **given.env}
                given.log += variables[name].encode() + b"\n"
            case ("folder",):
                given.log += str(given.task.workdir).encode() + b"\n"
            case ("serve",):
                given.server = await asyncio.start_server(_answer, "127.0.0.1", 0)
                given.address = f"http://127.0.0.1:{given.server.sockets[0].getsockname()[1]}"
            case _:
                pass


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()
