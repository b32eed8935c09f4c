"""Pictures on a desktop's clipboard, both ways, as PNG.

Text goes with the stream; X's clipboard gives pictures only to a program on the desktop, which xclip is for us.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from drybench_session.desktop import png
from drybench_session.desktop.selection import NoDisplay, clipboard
from drybench_session.errors import NoClipboard, NotAPicture

PATIENCE = 20.0  # seconds: a program that holds the clipboard may hang
MOST_KINDS = 1 << 16  # bytes of their list
_CLIPBOARD = ("xclip", "-selection", "clipboard")
_KIND = "image/png"
_BLOCK = 1 << 18


async def read(environ: Mapping[str, str]) -> bytes | None:
    """The picture that a program on this display copied; None where it copied something else."""
    if not await is_there(environ):
        return None
    picture = await _output(environ, _KIND, png.LARGEST)
    await asyncio.to_thread(png.check, picture)
    return picture


async def is_there(environ: Mapping[str, str]) -> bool:
    return _KIND.encode() in (await _output(environ, "TARGETS", MOST_KINDS)).split()


async def write(environ: Mapping[str, str], picture: bytes) -> None:
    """Checked first. xclip stays to give it to who pastes, until something else is copied."""
    await asyncio.to_thread(png.check, picture)
    try:
        async with clipboard(environ) as display:
            before = await display.clipboard_owner()
            await _take(environ, picture)
            async with asyncio.timeout(PATIENCE):
                while await display.clipboard_owner() in (before, 0):
                    await display.changed()
    except TimeoutError:
        raise NoClipboard(problem="nothing took the picture") from None
    except NoDisplay:
        raise NoClipboard(problem="the desktop is not there") from None


async def _take(environ: Mapping[str, str], picture: bytes) -> None:
    """It has it when this ends; that the clipboard is its own, the display learns a little later."""
    process = await _started(environ, "-in", "-target", _KIND, stdin=PIPE, stdout=DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE):
            await process.communicate(picture)
    finally:
        if process.returncode is None:
            await _ended(process)
    if process.returncode:
        raise NoClipboard(problem="the desktop is not there")


async def _output(environ: Mapping[str, str], kind: str, most: int) -> bytes:
    """Nothing where the clipboard is empty, for then xclip fails."""
    process = await _started(environ, "-out", "-target", kind, stdin=DEVNULL, stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _all_of(process, most)
    except TimeoutError:
        raise NoClipboard(problem="the program that holds it says nothing") from None
    finally:
        await _ended(process)


async def _all_of(process: Process, most: int) -> bytes:
    assert process.stdout
    blocks: list[bytes] = []
    while block := await process.stdout.read(_BLOCK):
        blocks.append(block)
        most -= len(block)
        if most < 0:
            raise NotAPicture(problem=f"it is larger than {png.LARGEST >> 20} MiB")
    return b"".join(blocks)


async def _started(environ: Mapping[str, str], *arguments: str, stdin: int, stdout: int) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *_CLIPBOARD, *arguments, stdin=stdin, stdout=stdout, stderr=DEVNULL, env=environ, start_new_session=True
        )
    except FileNotFoundError:
        raise NoClipboard(problem="xclip is not installed in this environment") from None


async def _ended(process: Process) -> None:
    """With what it said to the end: in Python 3.11 nothing ends whose output is not read."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()
