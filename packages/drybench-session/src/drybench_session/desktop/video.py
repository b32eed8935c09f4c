"""BASE_URL/drybench/screens/APP/video: a screen's picture as video, for its owner, where pixelflux is installed.

One capture for one viewer, each at the pace of their own line. Keys and mouse go by the stream.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from drybench_session.desktop.video_capture import CODECS, HEADER, LONGEST_LINE
from drybench_session.errors import SessionError
from drybench_session.owners import only_the_owner

NO_VIDEO = 4006
LARGEST = 64 << 20  # bytes of one picture


def is_here() -> bool:
    return find_spec("pixelflux") is not None


class VideoStream(WebSocketMixin, WebSocketHandler, JupyterHandler):  # pyright: ignore[reportIncompatibleMethodOverride] - as Jupyter's
    """`environ` gives the variables of an app's display; None where there is none now."""

    def initialize(self, environ: Callable[[str], Mapping[str, str] | None], owner: str) -> None:
        self.environ = environ
        self.owner = owner
        self.capturing: asyncio.Task[None] | None = None
        self.process: Process | None = None

    async def get(self, app: str) -> None:
        self._check_owner()
        if self.get_query_argument("codec", CODECS[0]) not in CODECS:
            raise HTTPError(404)
        await super().get(app)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "binary" if "binary" in subprotocols else None

    def open(self, app: str) -> None:
        self.set_nodelay(True)
        display = self.environ(app)
        if display is None or not is_here():
            return self.close(NO_VIDEO, "no video here")
        self.capturing = asyncio.create_task(self._capture(display, self.get_query_argument("codec", CODECS[0])))
        return None

    def on_message(self, message: str | bytes) -> None:
        """How many pictures they have seen, which the capture itself checks."""
        if self.process and self.process.stdin and isinstance(message, str) and len(message) < LONGEST_LINE:
            self.process.stdin.write(message.replace("\n", " ").encode() + b"\n")

    def on_close(self) -> None:
        if self.capturing:
            self.capturing.cancel()

    def _check_owner(self) -> None:
        if not self.current_user:
            raise HTTPError(403)
        try:
            only_the_owner(self.current_user, self.owner)
        except SessionError as error:
            raise HTTPError(error.status, error.sentence) from None

    async def _capture(self, display: Mapping[str, str], codec: str) -> None:
        command = (sys.executable, "-m", "drybench_session.desktop.video_capture", codec)
        needed = {name: display[name] for name in ("DISPLAY", "XAUTHORITY", "DRYBENCH_SCREEN") if name in display}
        environ = {"PATH": os.environ.get("PATH", os.defpath), **needed}
        self.process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environ)
        try:
            await self._pass_on(self.process)
        finally:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.communicate()  # to its end: in Python 3.11 nothing ends whose output is not read
        self.close(NO_VIDEO, "the video ended")

    async def _pass_on(self, process: Process) -> None:
        """As they come; a browser that has not taken the last one gets none, and then a whole one."""
        assert process.stdout
        with suppress(asyncio.IncompleteReadError, WebSocketClosedError):
            while True:
                header = await process.stdout.readexactly(HEADER.size)
                length = HEADER.unpack(header)[0]
                if length > LARGEST:
                    return
                sent: Any = self.write_message(header + await process.stdout.readexactly(length), binary=True)
                await sent
