"""Tasks as processes of this machine, under the portal's own account.

There is no daemon to ask: each task has a watcher (`local_watcher.py`), and what it writes into
the task's folder is all that this engine knows. So any number of portals, one after another,
see the same tasks.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from drybench.engines import local_claiming, local_watcher
from drybench.engines.base import THIS_MACHINE, Capabilities, Handle, Room
from drybench.engines.local_environ import environ
from drybench.engines.local_folder import TaskFolder
from drybench.engines.local_overlay import make_overlay
from drybench.engines.local_starters import Starters
from drybench.engines.processes import Identity
from drybench.errors import MachineNotFit, MachineTooSmall, MountNotHere, ReadyGone, TaskNotStarted
from drybench.gpus import check as check_gpus
from drybench.model import READY, Gpu, Task
from drybench.phases import Reason, Seen, Sight
from drybench.quantities import bytes_in_words
from drybench.within import within

START_WITHIN = 10.0  # seconds: a busy machine is no reason to begin anew, which makes it busier
LOOK_FOR_ADDRESS = 0.05
LAST_MOMENTS = 5.0  # for what runs on although its end is in the ledger


class LocalEngine:
    name = "local"

    def __init__(
        self, tasks: Path, *, cores: float, memory: int, gpus: Sequence[Gpu] = (), home: Path | None = None
    ) -> None:
        self.can = Capabilities(gpus=bool(gpus), addresses=True, one_account=True, ready=True, machine=THIS_MACHINE)
        self._tasks = tasks
        self._room = Room(cores, memory, tuple(gpus))
        self._home = home or Path.home()
        self._starters = Starters(START_WITHIN)
        self._ends: dict[str, int] = {}  # a pidfd of each watcher
        self._without_address: set[str] = set()  # or, of ready ones, without their door
        self._news: asyncio.Queue[str] = asyncio.Queue()
        _require_pidfd()

    def check(self, task: Task) -> None:
        if task.memory > self._room.memory:
            raise MachineTooSmall(asked=bytes_in_words(task.memory), most=bytes_in_words(self._room.memory))
        if task.cores > self._room.cores:
            raise MachineTooSmall(asked=f"{task.cores:g} cores", most=f"{self._room.cores:g}")
        check_gpus(task, self._room.gpus)
        for mount in task.mounts:
            if mount.source != mount.target:
                raise MountNotHere(source=mount.source, target=mount.target)

    async def prepare(self, task: Task) -> str:
        return ""

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        self.check(task)
        folder = TaskFolder.of(self._tasks, task.id)
        if folder and folder.link:
            with suppress(ReadyGone):
                return await self.claim({"format": 1, "task": folder.path.name}, task, env)
        watcher = await asyncio.to_thread(self._start, task, env)
        waits = {"ready": True} if task.kind == READY else {}
        if task.needs_address or waits:
            self._without_address.add(task.id)
        return {**self._begun(task, watcher), **waits}

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        looks = await asyncio.to_thread(lambda: [self._look(handle) for handle in handles])
        for handle, (sight, watcher) in zip(handles, looks, strict=True):
            if watcher is not None and sight.seen in (Seen.STARTING, Seen.RUNNING):
                self._attend(handle["task"], watcher)
        return [sight for sight, _ in looks]

    async def changes(self) -> AsyncIterator[str]:
        """Ends come by themselves; an address is looked for while somebody waits for one."""
        while True:
            with suppress(TimeoutError):
                yield await within(LOOK_FOR_ADDRESS if self._without_address else None, self._news.get())
            for id in await asyncio.to_thread(self._new_addresses):
                self._without_address.discard(id)
                yield id

    async def stop(self, handle: Handle, grace: float) -> None:
        await asyncio.to_thread(self._stop, handle, grace)

    async def forget(self, handle: Handle) -> None:
        id = handle.get("task")
        folder = TaskFolder.of(self._tasks, id)
        if folder is None:
            return
        self._without_address.discard(str(id))
        watcher = await asyncio.to_thread(self._stop, handle, 0)
        if watcher is not None:
            await self._until_ended(watcher)
        await asyncio.to_thread(folder.remove)

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        ready = TaskFolder.of(self._tasks, handle.get("task"))
        if ready is None or not await asyncio.to_thread(local_claiming.point_to, self._tasks, task.id, ready):
            return await self.start(task, env)
        if await asyncio.to_thread(local_claiming.give, ready, task, env) is not local_claiming.Claimed.TAKEN:
            await self._clear_unclaimed(handle, ready, task.id)
        watcher = ready.watcher()
        if watcher is None:
            raise TaskNotStarted(cause=f"nobody watches {task.id}")
        return self._begun(task, watcher)

    async def logs(self, handle: Handle, since: int = 0) -> AsyncIterator[bytes]:
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        if folder is None or not await asyncio.to_thread(folder.exists):
            return
        blocks = folder.log(since)
        while block := await asyncio.to_thread(next, blocks, None):
            yield block

    async def room(self) -> Room:
        """What the keeper gave it. What others use at the moment would keep a task waiting for nobody knows what."""
        return self._room

    async def close(self) -> None:
        for id in list(self._ends):
            self._let_go(id)
        await asyncio.to_thread(self._starters.close)

    def _begun(self, task: Task, watcher: Identity) -> Handle:
        self._attend(task.id, watcher)
        self._news.put_nowait(task.id)
        return {"format": 1, "task": task.id, **watcher.as_json()}

    async def _clear_unclaimed(self, handle: Handle, ready: TaskFolder, id: str) -> None:
        """It has ended, or must, before it could take the work after all; then only what it wrote down counts."""
        whose = await asyncio.to_thread(local_claiming.whose, ready, id)
        if whose is local_claiming.Claimed.NOT_TAKEN:
            watcher = await asyncio.to_thread(self._stop, handle, 0)
            if watcher is not None:
                await self._until_ended(watcher)
            whose = await asyncio.to_thread(local_claiming.whose, ready, id)
        if whose is local_claiming.Claimed.TAKEN:
            return
        if whose is local_claiming.Claimed.NOT_TAKEN:
            await asyncio.to_thread(ready.remove)
        (self._tasks / id).unlink()
        raise ReadyGone()

    def _start(self, task: Task, env: Mapping[str, str]) -> Identity:
        folder = TaskFolder.of(self._tasks, task.id)
        if folder is None:
            raise TaskNotStarted(cause=f"{task.id} is no id of a task")
        try:
            folder.make()
            if (known := folder.watcher()) and not known.is_of_this_boot:
                return known
            if known is None and task.python is not None:
                make_overlay(folder.overlay, task.python)
            order = self._order(task, env, folder)
            answer = self._starters.ask(task.python, folder.path, order) if known is None else None
            return _answered(folder, answer) if answer else _launch(folder, order)
        except OSError as problem:
            raise TaskNotStarted(cause=problem.strerror or str(problem)) from problem

    def _order(self, task: Task, env: Mapping[str, str], folder: TaskFolder) -> dict[str, Any]:
        return {
            "format": 1,
            "command": task.command,
            "workdir": str(task.workdir or self._home),
            "memory": task.memory,
            "env": environ(task, env, folder, self._home, self.can.gpus),
        }

    def _look(self, handle: Handle) -> tuple[Sight, Identity | None]:
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        if folder is None:
            return Sight(Seen.UNKNOWN), None
        try:
            return self._look_into(folder, handle)
        except OSError as problem:
            return Sight(Seen.UNREACHABLE, detail=problem.strerror or ""), None
        except TaskNotStarted as problem:  # a watcher in place of one that was killed
            return Sight(Seen.UNREACHABLE, detail=problem.sentence), None

    def _look_into(self, folder: TaskFolder, handle: Handle) -> tuple[Sight, Identity | None]:
        """The end counts once the watcher is gone too: a task may write what it likes into its folder."""
        watcher = (folder.watcher() if folder.exists() else None) or Identity.from_json(handle)
        if watcher is None or not (watcher.is_alive or folder.exists()):
            return Sight(Seen.UNKNOWN), None
        if watcher.is_alive:
            return _alive(folder, waits=bool(handle.get("ready"))), watcher
        if end := folder.end():
            return Sight(Seen.ENDED, exit_code=end.exit_code, reason=end.reason), None
        if not watcher.is_of_this_boot:
            return Sight(Seen.ENDED, reason=Reason.MACHINE_GONE), None
        return Sight(Seen.RUNNING), _launch(folder, None)

    def _stop(self, handle: Handle, grace: float) -> Identity | None:
        """Who will see to it; None when there is nothing to stop any more."""
        folder = TaskFolder.of(self._tasks, handle.get("task"))
        watcher = folder.watcher() if folder and folder.exists() else None
        if folder is None or watcher is None or not watcher.is_of_this_boot:
            return None
        if not watcher.is_alive and folder.end():
            return None
        folder.wish_end(grace)
        if not watcher.is_alive:
            watcher = _launch(folder, None)
        watcher.signal(signal.SIGTERM)
        return watcher

    async def _until_ended(self, watcher: Identity) -> None:
        ended = asyncio.Event()
        descriptor = watcher.open()
        if descriptor is None:
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, ended.set)
        try:
            with suppress(TimeoutError):
                await within(LAST_MOMENTS, ended.wait())
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _attend(self, id: str, watcher: Identity) -> None:
        """Hear of its end at once."""
        if id in self._ends:
            return
        descriptor = watcher.open()
        if descriptor is None:
            self._news.put_nowait(id)
            return
        self._ends[id] = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._ended, id)

    def _ended(self, id: str) -> None:
        self._let_go(id)
        self._news.put_nowait(id)

    def _let_go(self, id: str) -> None:
        self._without_address.discard(id)
        descriptor = self._ends.pop(id)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)

    def _new_addresses(self) -> list[str]:
        return [id for id in list(self._without_address) if _has_address(TaskFolder(self._tasks / id))]


def _launch(folder: TaskFolder, order: Mapping[str, Any] | None) -> Identity:
    """Who watches from now on, or did already: it is the watchers that agree among themselves."""
    command = [sys.executable, "-I", "-S", local_watcher.__file__, str(folder.path)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    ) as child:
        try:
            answer, _ = child.communicate(json.dumps(order).encode(), START_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            raise TaskNotStarted(cause="its watcher does not answer") from None
    return _answered(folder, answer)


def _answered(folder: TaskFolder, answer: bytes) -> Identity:
    with suppress(ValueError, AttributeError):
        if watcher := Identity.from_json(json.loads(answer)):
            return watcher
    raise TaskNotStarted(cause=folder.complaint() or "its watcher gave no answer")


def _alive(folder: TaskFolder, waits: bool) -> Sight:
    memory, cpu = folder.usage()
    port = folder.port()
    is_up = folder.has_door() if waits else folder.has_command()
    return Sight(
        Seen.RUNNING if is_up else Seen.STARTING,
        address=f"http://127.0.0.1:{port}" if port else None,
        memory=memory,
        cpu=cpu,
    )


def _has_address(folder: TaskFolder) -> bool:
    try:
        return folder.port() is not None or folder.has_door()
    except OSError:
        return False


def _require_pidfd() -> None:
    try:
        os.close(local_watcher.open_process(os.getpid()))
    except (OSError, AttributeError):
        raise MachineNotFit(system=f"{platform.system()} {platform.release()}") from None
