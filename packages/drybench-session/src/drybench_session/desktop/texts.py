"""Long texts that are copied on a desktop.

Text goes with the stream. But what a program hands over in parts (X's INCR; by Tk from 4,000 bytes on, by most from
256 KiB), TigerVNC's X server lets lie, and says nothing of it: so the page asks for a longer one by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from drybench_session.desktop import xclip
from drybench_session.errors import TextTooLong

SHORT = 4_000  # bytes
LONGEST = 8 << 20  # as in the stream, see screen/conversation.js


async def read(environ: Mapping[str, str]) -> str:
    """Empty where no text was copied."""
    return (await _bytes(environ)).decode(errors="replace")


async def is_long(environ: Mapping[str, str]) -> bool:
    try:
        return len(await _bytes(environ)) > SHORT
    except TextTooLong:
        return True


async def _bytes(environ: Mapping[str, str]) -> bytes:
    try:
        return await xclip.output(environ, "UTF8_STRING", LONGEST)
    except xclip.TooMuch:
        raise TextTooLong from None
