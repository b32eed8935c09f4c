"""The door at which a ready task is given its work: once, and by its own account or the portal's only.

In a container the two differ, and the folder is not to be reached by anybody else there is.

In the task's private folder: `door` is a socket that is there as long as work is wanted;
`taken.json` names the task whose work was taken, and lies on the disk before any of it is done.
So whoever comes again, after a crash of either side, learns what became of the first time.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

DOOR, TAKEN = "door", "taken.json"
PORTAL = "DRYBENCH_PORTAL_UID"  # where it is not one's own
WORD = b"taken\n"
MOST = 1 << 20
_IN_TIME = 5.0  # seconds for who has come to say what they want


@dataclass(frozen=True)
class Claim:
    task: str
    command: tuple[str, ...]
    env: Mapping[str, str]


class Door:
    """Open once made; `claim` waits for the work, and closes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setblocking(False)
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._socket.bind(f"/proc/self/fd/{here}/{DOOR}.new")  # a socket's path has an end
        finally:
            os.close(here)
        if _portal() not in (0, os.geteuid()):
            (folder / f"{DOOR}.new").chmod(0o666)
        self._socket.listen()
        (folder / f"{DOOR}.new").rename(folder / DOOR)  # who finds it is heard

    async def claim(self) -> Claim:
        loop = asyncio.get_running_loop()
        while True:
            caller, _ = await loop.sock_accept(self._socket)
            with caller:
                claim = await self._heard(caller)
                if claim is not None:
                    self._take(claim)
                    await _answer(caller)
                    return claim

    def close(self) -> None:
        self._socket.close()

    async def _heard(self, caller: socket.socket) -> Claim | None:
        """None for a stranger, for nonsense, and for somebody who was killed while they spoke."""
        if _account(caller) not in (os.geteuid(), _portal()):
            return None
        try:
            async with asyncio.timeout(_IN_TIME):
                return _understood(await _line(caller))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _take(self, claim: Claim) -> None:
        new = self._folder / f"{TAKEN}.new"
        with new.open("w") as file:
            json.dump({"format": 1, "task": claim.task}, file)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._folder / TAKEN)
        here = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(here)
        os.close(here)
        (self._folder / DOOR).unlink(missing_ok=True)
        self.close()


async def _line(caller: socket.socket) -> bytes:
    caller.setblocking(False)
    line = b""
    while not line.endswith(b"\n"):
        block = await asyncio.get_running_loop().sock_recv(caller, 1 << 16)
        if not block or len(line) > MOST:
            raise ValueError("not a whole line")
        line += block
    return line


async def _answer(caller: socket.socket) -> None:
    try:
        await asyncio.get_running_loop().sock_sendall(caller, WORD)
    except OSError:  # it was killed meanwhile, and will ask again
        return


def _understood(line: bytes) -> Claim:
    said: dict[str, Any] = json.loads(line)
    command, env = cast(list[Any], said["command"]), cast(dict[Any, Any], said["env"])
    texts = [said["task"], *command, *env.keys(), *env.values()]
    if said["format"] != 1 or not all(isinstance(text, str) for text in texts):
        raise ValueError("not a claim")
    return Claim(said["task"], tuple(command), env)


def _portal() -> int:
    uid = os.environ.get(PORTAL, "")
    return int(uid) if uid.isdecimal() else os.geteuid()


def _account(caller: socket.socket) -> int:
    credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[1]
