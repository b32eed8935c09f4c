"""What a screen of TigerVNC shows, asked for as a viewer in a browser does: a process may live and draw nothing."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

NONE, RAW, UPDATE = 1, 0, 0
BGRX = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


async def picture(read: Callable[[int], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]) -> Image.Image:
    await write(await read(12))
    kinds = await read((await read(1))[0])
    assert NONE in kinds, kinds
    await write(bytes([NONE]))
    assert await read(4) == bytes(4)
    await write(b"\1")
    width, height, name = struct.unpack(">HH16xI", await read(24))
    await read(name)
    await write(struct.pack(">Bxxx", 0) + BGRX + struct.pack(">BxHi", 2, 1, RAW))
    await write(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    return await _update(read, Image.new("RGB", (width, height)))


async def _update(read: Callable[[int], Awaitable[bytes]], screen: Image.Image) -> Image.Image:
    kind, pieces = struct.unpack(">BxH", await read(4))
    assert kind == UPDATE, kind
    for _ in range(pieces):
        left, top, width, height, encoding = struct.unpack(">HHHHi", await read(12))
        assert encoding == RAW, encoding
        piece = await read(width * height * 4)
        screen.paste(Image.frombytes("RGB", (width, height), piece, "raw", "BGRX"), (left, top))
    return screen


class Screen:
    """A screen that nobody looks at but the test."""

    def __init__(self, number: int, socket: Path) -> None:
        self.display, self._socket = f":{number}", socket

    def picture(self) -> Image.Image:
        return asyncio.run(self._picture())

    async def _picture(self) -> Image.Image:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))

        async def write(data: bytes) -> None:
            writer.write(data)

        found = await picture(reader.readexactly, write)
        writer.close()
        return found

    def drawn(self, colours: int, seconds: float = 60) -> Image.Image:
        """Once it shows so many colours."""
        return until(self.picture, lambda found: len(colours_of(found)) >= colours, seconds)


@contextmanager
def screen(size: str = "1280x800"):
    socket = Path(tempfile.mkdtemp()) / "vnc"
    listening, telling = os.pipe()
    command = ["Xtigervnc", "-displayfd", str(telling), "-geometry", size, "-depth", "24", "-SecurityTypes", "None"]
    command += ["-rfbunixpath", str(socket), "-rfbport", "-1", "-localhost"]
    with subprocess.Popen(command, pass_fds=[telling], stderr=subprocess.DEVNULL) as server:
        os.close(telling)
        try:
            number = os.fdopen(listening).readline()
            assert number, "Xtigervnc ended"
            os.environ["DISPLAY"] = f":{int(number)}"
            yield Screen(int(number), socket)
        finally:
            server.terminate()


def until(look: Callable[[], Image.Image], good: Callable[[Image.Image], bool], seconds: float) -> Image.Image:
    deadline = time.monotonic() + seconds
    while not good(found := look()):
        if time.monotonic() > deadline:
            keep(found, "not-drawn")
            raise AssertionError(f"only {len(colours_of(found))} colours after {seconds} s")
        time.sleep(0.2)
    return found


def colours_of(found: Image.Image) -> dict[tuple[int, int, int], int]:
    """Each with how often."""
    counted = found.getcolors(maxcolors=1 << 24) or []
    return {colour: count for count, colour in counted}


def keep(found: Image.Image, name: str) -> None:
    """Where somebody wants to look: DRYBENCH_SMOKE_PICTURES names a folder."""
    if folder := os.environ.get("DRYBENCH_SMOKE_PICTURES"):
        found.save(Path(folder) / f"{name}.png")
