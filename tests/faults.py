"""Engines that fail, each in the one way of its name, until `broken` is set to False."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from drybench.engines.base import Handle
from drybench.engines.fake import FakeEngine
from drybench.errors import TaskNotStarted
from drybench.model import Task
from drybench.phases import Seen, Sight


class Faulty(FakeEngine):
    broken = True


class FailsToStart(Faulty):
    """Nothing is started, and it says so."""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        if self.broken:
            raise TaskNotStarted(cause="out of order")
        return await super().start(task, env)


class HangsInStart(Faulty):
    """Nothing is started, and it never says so."""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        if self.broken:
            await asyncio.Event().wait()
        return await super().start(task, env)


class LosesTheReply(Faulty):
    """The task is started, and nobody hears of it."""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        handle = await super().start(task, env)
        if self.broken:
            raise ConnectionResetError("the line broke")
        return handle


class LosesTheClaim(Faulty):
    """The claim is made, and nobody hears of it."""

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        found = await super().claim(handle, task, env)
        if self.broken:
            raise ConnectionResetError("the line broke")
        return found


class HangsInClaim(Faulty):
    """Nothing is claimed, and it never says so."""

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        if self.broken:
            await asyncio.Event().wait()
        return await super().claim(handle, task, env)


class NeverStarts(Faulty):
    """It takes the task, and never has it running."""

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        sights = await super().poll(handles)
        return [Sight(Seen.STARTING) if self.broken and sight.seen is Seen.RUNNING else sight for sight in sights]


class DiesAtOnce(Faulty):
    """The task ends before anybody has looked at it."""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        handle = await super().start(task, env)
        if self.broken:
            self.machine.end(task.id, 1)
        return handle


class ForgetsTheHandle(Faulty):
    """It answers, and knows none of its tasks any more."""

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        return [Sight(Seen.UNKNOWN) for _ in handles] if self.broken else await super().poll(handles)


class Unreachable(Faulty):
    """It cannot be asked how its tasks are."""

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        return [Sight(Seen.UNREACHABLE) for _ in handles] if self.broken else await super().poll(handles)


class FailsWhenAsked(Faulty):
    """It raises instead of saying that it cannot be asked."""

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        if self.broken:
            raise OSError("no way to the engine")
        return await super().poll(handles)


class IgnoresStop(Faulty):
    """A stop is taken, and nothing comes of it."""

    async def stop(self, handle: Handle, grace: float) -> None:
        if not self.broken:
            await super().stop(handle, grace)
