"""What a container printed: as Docker has it, and once the container is gone as a file."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiodocker

from drybench.engines.docker_connection import listening

KEPT = "docker.log"  # in the task's folder
_HEADER = struct.Struct(">BxxxL")  # of each piece: which of the two streams, and how long
_BLOCK = 1 << 16


async def of_container(docker: aiodocker.Docker, id: str, since: int = 0) -> AsyncIterator[bytes]:
    """Docker knows no offset, so it tells all, which is bounded; of a long log the oldest part is gone."""
    wanted = {"stdout": True, "stderr": True, "follow": False}
    async with listening(docker, f"containers/{id}/logs", wanted) as pieces:
        while True:
            try:
                _, length = _HEADER.unpack(await pieces.readexactly(_HEADER.size))
                piece = await pieces.readexactly(length)
            except asyncio.IncompleteReadError:
                return
            if len(piece) > since:
                yield piece[since:]
            since = max(0, since - length)


async def keep(docker: aiodocker.Docker, id: str, folder: Path) -> None:
    """Whole or not at all."""
    new = folder / f"{KEPT}.new"
    descriptor = await asyncio.to_thread(os.open, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for piece in of_container(docker, id):
            await asyncio.to_thread(file.write, piece)
    new.rename(folder / KEPT)


async def kept(folder: Path, since: int) -> AsyncIterator[bytes]:
    try:
        file = await asyncio.to_thread((folder / KEPT).open, "rb")
    except OSError:
        return
    with file:
        file.seek(since)
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block
