"""Pictures on a desktop's clipboard, both ways, as PNG."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from drybench_session.desktop import png, xclip
from drybench_session.desktop.selection import NoDisplay, clipboard
from drybench_session.errors import NoClipboard, NotAPicture

MOST_KINDS = 1 << 16  # bytes of their list
_KIND = "image/png"


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
            await xclip.take(environ, _KIND, picture)
            async with asyncio.timeout(xclip.PATIENCE):
                while await display.clipboard_owner() in (before, 0):
                    await display.changed()
    except TimeoutError:
        raise NoClipboard(problem="nothing took the picture") from None
    except NoDisplay:
        raise NoClipboard(problem="the desktop is not there") from None


async def _output(environ: Mapping[str, str], kind: str, most: int) -> bytes:
    try:
        return await xclip.output(environ, kind, most)
    except xclip.TooMuch:
        raise NotAPicture(problem=f"it is larger than {most >> 20} MiB") from None
