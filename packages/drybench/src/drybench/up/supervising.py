"""`drybench up`: keeps three children alive, and ends them when it is ended.

Each child is started again by itself, after a delay that grows. The tasks are nobody's child
here: they go on whatever ends, and are found again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import IO

from drybench.data_folder import DataFolder
from drybench.engines.processes import Identity
from drybench.errors import AlreadyUp, KeepsEnding
from drybench.up import announcing, log_files
from drybench.up.announcing import Say
from drybench.up.child_processes import Child, Children, end, ended
from drybench.within import within

SETTLED = 10  # seconds of life after which a fall counts as the first one again
FIRST_DELAY, LONGEST_DELAY = 0.1, 30
FALLS_BEFORE_READY = 4
SECONDS_BETWEEN_ROTATIONS = 10
A_LOOK = 1.0  # seconds in which whoever only asks who is up, and has the lock for that moment, is done


@contextlib.contextmanager
def only_one(data: DataFolder) -> Generator[None]:
    """One supervisor for a data directory; the lock goes with its process, however that ends."""
    with data.supervisor_lock.open("a+") as lock:
        looked_at_until = time.monotonic() + A_LOOK
        while not _is_ours(lock):
            holder = _named_in(lock)
            if (holder and holder.is_alive) or time.monotonic() > looked_at_until:
                raise AlreadyUp(data=data.path, pid=getattr(holder, "pid", "?"))
            time.sleep(A_LOOK / 100)
        _name(lock)
        yield


def who_is_up(data: DataFolder) -> Identity | None:
    """The supervisor that holds the lock of this data directory."""
    if not data.supervisor_lock.exists():
        return None
    with data.supervisor_lock.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _named_in(lock)
    return None


def end_left_over(data: DataFolder, say: Say) -> bool:
    """End the children of a supervisor that was killed. Called with the lock held."""
    left = Children(data.children).alive()
    for name, identity in left.items():
        say(announcing.left_over(name))
        end(identity, patience=3)
    return bool(left)


async def supervise(
    children: Sequence[Child], book: Children, ready: Awaitable[None], say: Say, on_ready: Callable[[], None]
) -> None:
    """Until it is told to end; then ends the children in the order in which they are given."""
    over = _told_to_end()
    is_ready = asyncio.Event()
    kept = [_Kept(child, book, say, is_ready) for child in children]
    work = [asyncio.create_task(one.keep()) for one in kept]
    work += [asyncio.create_task(_when(ready, is_ready, on_ready)), asyncio.create_task(_keep_small(children))]
    for task in work:
        task.add_done_callback(lambda task: _pass_on(task, over))
    try:
        await over
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for one in kept:
            await one.end()


class _Kept:
    """One child and its keeper."""

    def __init__(self, child: Child, book: Children, say: Say, is_ready: asyncio.Event) -> None:
        self._child = child
        self._book = book
        self._say = say
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    async def keep(self) -> None:
        falls, clock = 0, asyncio.get_running_loop().time
        while True:
            began = clock()
            how = await self._one_life()
            falls = 1 if clock() - began > SETTLED else falls + 1
            if falls >= FALLS_BEFORE_READY and not self._is_ready.is_set():
                raise KeepsEnding(part=self._child.name, words=_last_words(self._child))
            delay = min(FIRST_DELAY * 2 ** (falls - 1), LONGEST_DELAY)
            self._say(announcing.ended(self._child.name, how, delay))
            await asyncio.sleep(delay)

    async def _one_life(self) -> str:
        """How it ended. A full disk is no reason to let the other children go."""
        try:
            self._process = self._book.start(self._child)
        except OSError as error:
            return announcing.not_started(error)
        return announcing.how(await ended(self._process))

    async def end(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                await within(self._child.patience, ended(self._process))
            except TimeoutError:
                self._process.kill()
                await ended(self._process)


def _told_to_end() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: over.done() or over.set_result(None))
    return over


async def _when(ready: Awaitable[None], is_ready: asyncio.Event, on_ready: Callable[[], None]) -> None:
    await ready
    is_ready.set()
    on_ready()


async def _keep_small(children: Sequence[Child]) -> None:
    while True:
        for child in children:
            log_files.rotate(child.log)
        await asyncio.sleep(SECONDS_BETWEEN_ROTATIONS)


def _pass_on(task: asyncio.Task[None], over: asyncio.Future[None]) -> None:
    """What fails in a keeper ends the whole: better no bench than half of one that nobody watches."""
    if not task.cancelled() and (error := task.exception()) and not over.done():
        over.set_exception(error)


def _last_words(child: Child) -> str:
    return " ".join(line.strip() for line in log_files.last_lines(child.log, 3))


def _is_ours(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named_in(lock: IO[str]) -> Identity | None:
    lock.seek(0)
    try:
        return Identity.from_json(json.loads(lock.read()))
    except ValueError:
        return None  # it has the lock, and is about to say who it is


def _name(lock: IO[str]) -> None:
    identity = Identity.of(os.getpid())
    lock.truncate(0)
    lock.write(json.dumps(identity.as_json() if identity else {}))
    lock.flush()
