"""Programs on a screen: started so that what they say last can be told, and that none outlives the session."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

MARK = "DRYBENCH_SCREEN"  # whose program it is, wherever it has gone in the tree of processes
_KEPT = 16 << 10  # bytes of what a program said
_SHOWN = 5  # lines


class Program:
    """One that was started, and the end of what it and its children said.

    By a descriptor of the process, not asyncio's: that keeps a thread for each, and complains when its loop ends first.
    """

    def __init__(self, process: subprocess.Popen[bytes], said: Said) -> None:
        self._process = process
        self._said = said
        self._over = asyncio.Event()
        self._watched = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(self._watched, self._ended)

    @classmethod
    def start(
        cls, command: Sequence[str], environ: Mapping[str, str], folder: Path, passed: Sequence[int] = ()
    ) -> Program:
        """OSError where there is no such program."""
        said = Said()
        try:
            process = subprocess.Popen(
                command,
                env=environ,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said.writing,
                stderr=said.writing,
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError:
            said.close()
            raise
        finally:
            os.close(said.writing)
        return cls(process, said)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return not self._over.is_set()

    async def ended(self) -> int:
        """As subprocess tells it: negative where a signal ended it."""
        await self._over.wait()
        return self._process.wait()

    @property
    def has_children(self) -> bool:
        """That did not leave its group, whether it lives itself or not."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def said(self) -> str:
        """Its last lines, for a person."""
        return "\n".join(self._said.lines[-_SHOWN:])

    @property
    def all_said(self) -> str:
        return "\n".join(self._said.lines)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """With the children that did not leave its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, how)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watched)
        os.close(self._watched)
        self._process.wait()
        self._over.set()


class Said:
    """What comes out of a pipe, of which only the end is kept."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._kept = bytearray()
        self._is_open = True
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    @property
    def lines(self) -> list[str]:
        """Who has ended may have said something that nobody looked at yet."""
        while self._is_open and self._read():
            pass
        return [line for line in map(str.strip, self._kept.decode(errors="replace").split("\n")) if line]

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)

    def _read(self) -> bool:
        """Whether there was something."""
        try:
            some = os.read(self._reading, _KEPT)
        except BlockingIOError:
            return False
        self._kept += some
        del self._kept[:-_KEPT]
        if not some:
            self.close()
        return bool(some)


def marked(mark: str) -> Iterator[int]:
    """The processes of a screen, also those that went their own way."""
    sought = f"{MARK}={mark}".encode()
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            with suppress(OSError):
                if place.stat().st_uid == os.getuid() and sought in (place / "environ").read_bytes().split(b"\0"):
                    yield int(place.name)
