"""What the desktop puts into "To my computer" is offered as a download, once nobody writes it any more."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import signal
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drybench_session.desktop.names import safe_name
from drybench_session.desktop.places import TO_MY_COMPUTER, folder_in
from drybench_session.errors import FileGone, NotAFolder

RESTS = 2.0  # seconds since the last change
EVERY = 1.0  # seconds from look to look, while somebody is there to be told
MOST = 200  # offers
LOOKED_AT = 2000  # names
_UNFINISHED = (".part", ".tmp", ".crdownload", ".swp", ".lock", "~")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_F_SETSIG = 10  # not in every build of Python


@dataclass(frozen=True)
class Offer:
    id: str
    name: str
    size: int

    def as_json(self) -> dict[str, object]:
        return {"id": self.id, "name": self.name, "size": self.size}


class Offers:
    """An id stands for this very content of a file: what is written again is another offer."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._home = home
        self._clock = clock
        self._before: frozenset[str] = frozenset()

    def look(self) -> list[Offer]:
        """What rests now, and did when we looked before. It may block on the disk."""
        try:
            with folder_in(self._home, [TO_MY_COMPUTER]) as folder:
                found = [(offer, self._rests(folder, name, seen)) for name, seen, offer in _plain_files(folder)]
        except (FileNotFoundError, NotAFolder):
            found = []
        before, self._before = self._before, frozenset(offer.id for offer, _ in found)
        return [offer for offer, rests in found if rests and offer.id in before]

    async def watch(self, say: Callable[[dict[str, object]], Awaitable[None]]) -> None:
        """Tells of each file once, until cancelled: for as long as somebody looks at the desktop."""
        told: set[str] = set()
        while True:
            with suppress(OSError):  # a home that is away for a moment
                offers = await asyncio.to_thread(self.look)
                for offer in offers:
                    if offer.id not in told:
                        await say({"event": "file", **offer.as_json()})
                told = {offer.id for offer in offers}
            await asyncio.sleep(EVERY)

    def open(self, id: str) -> tuple[Offer, BinaryIO]:
        with suppress(FileNotFoundError, NotAFolder), folder_in(self._home, [TO_MY_COMPUTER]) as folder:
            for name, _, offer in _plain_files(folder):
                if offer.id == id:
                    return self._opened(folder, name, id)
        raise FileGone

    def _opened(self, folder: int, name: str, id: str) -> tuple[Offer, BinaryIO]:
        """What is opened is looked at again: it may be another by now."""
        with suppress(OSError):
            file = os.fdopen(os.open(name, _READ, dir_fd=folder), "rb")
            seen = os.fstat(file.fileno())
            offer = _offer(name, seen)
            if stat.S_ISREG(seen.st_mode) and offer.id == id:
                return offer, file
            file.close()
        raise FileGone

    def _rests(self, folder: int, name: str, seen: os.stat_result) -> bool:
        return not 0 <= self._clock() - seen.st_mtime < RESTS and not _is_being_written(folder, name)


def _plain_files(folder: int) -> Iterator[tuple[str, os.stat_result, Offer]]:
    """Neither links nor folders, nor what programs write before they rename it."""
    offered = 0
    with os.scandir(folder) as entries:
        for _, entry in zip(range(LOOKED_AT), entries, strict=False):
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            with suppress(OSError):  # gone meanwhile
                seen = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(seen.st_mode) and (offered := offered + 1) <= MOST:
                    yield entry.name, seen, _offer(entry.name, seen)


def _offer(name: str, seen: os.stat_result) -> Offer:
    what = f"{seen.st_ino}/{seen.st_size}/{seen.st_mtime_ns}/{name}".encode(errors="surrogateescape")
    return Offer(hashlib.sha256(what).hexdigest()[:32], safe_name(name), seen.st_size)


def _is_being_written(folder: int, name: str) -> bool:
    """A lease to read is given only while no process has the file open to write.

    Not every file system gives one; there the time since the last change must do. The signal that tells of a writer
    who comes while we hold it would end this process, so it is one that does nothing.
    """
    try:
        file = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return True  # gone, or not for us to read
    try:
        fcntl.fcntl(file, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False
