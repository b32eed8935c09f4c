"""Who draws in three dimensions: a graphics card by its name, or the processor ("software")."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from drybench_session.desktop import commands
from drybench_session.desktop.opengl_name import NO_OPENGL
from drybench_session.desktop.programs import Program

SOFTWARE, STARTING, UNKNOWN, MISSING = "software", "starting", "unknown", "missing"
_GLXINFO = ("glxinfo", "-B")
_BY_EGL = (sys.executable, "-m", "drybench_session.desktop.opengl_name")  # where glxinfo is not there, or knows nothing
_OF_SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|software rasterizer", re.IGNORECASE)
_RENDERER = re.compile(r"OpenGL renderer string: *(.+)")
_PATIENCE = 30.0  # seconds
_LONGEST = 80


class OpenGL:
    """Asked once, in the background, in the same way that programs are started."""

    def __init__(self) -> None:
        self.name = STARTING
        self._asking: asyncio.Task[None] | None = None

    def ask(self, environ: Mapping[str, str]) -> None:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(environ))

    async def _ask(self, environ: Mapping[str, str]) -> None:
        name = named(await _said(_GLXINFO, environ))
        self.name = named(await _said(_BY_EGL, environ)) if name == UNKNOWN else name


def named(said: str) -> str:
    found = _RENDERER.search(said)
    if not found:
        return MISSING if NO_OPENGL in said else UNKNOWN
    return SOFTWARE if _OF_SOFTWARE.search(found[1]) else found[1].strip()[:_LONGEST]


async def _said(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Nothing where there is no such program, or it gets no answer."""
    with suppress(OSError, TimeoutError):
        program = Program.start(commands.with_gpu(command, environ), environ, Path("/"))
        try:
            async with asyncio.timeout(_PATIENCE):
                await program.ended()
            return program.all_said
        finally:
            program.end()
    return ""
