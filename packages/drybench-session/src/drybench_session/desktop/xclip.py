"""xclip, which copies and pastes for us: X gives a clipboard's content to programs on the desktop only."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from drybench_session.errors import ClipboardHangs, NoClipboard

PATIENCE = 20.0  # seconds: a program that holds the clipboard may hang
_CLIPBOARD = ("xclip", "-selection", "clipboard")
_BLOCK = 1 << 18


class TooMuch(Exception):
    """More than was asked for."""


async def output(environ: Mapping[str, str], kind: str, most: int) -> bytes:
    """What is copied, as this kind; nothing where it is of none such, for then xclip fails."""
    process = await _started(environ, "-out", "-target", kind, stdin=DEVNULL, stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _all_of(process, most)
    except TimeoutError:
        raise ClipboardHangs from None
    finally:
        await _ended(process)


async def take(environ: Mapping[str, str], kind: str, content: bytes) -> None:
    """It has it when this ends; that the clipboard is its own, the display learns a little later."""
    process = await _started(environ, "-in", "-target", kind, stdin=PIPE, stdout=DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE):
            await process.communicate(content)
    finally:
        if process.returncode is None:
            await _ended(process)
    if process.returncode:
        raise NoClipboard(problem="the desktop is not there")


async def _all_of(process: Process, most: int) -> bytes:
    assert process.stdout
    blocks: list[bytes] = []
    while block := await process.stdout.read(_BLOCK):
        blocks.append(block)
        most -= len(block)
        if most < 0:
            raise TooMuch
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
