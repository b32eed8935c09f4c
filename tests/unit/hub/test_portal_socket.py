"""The Hub's way to the portal: over a socket of any path, and what counts as silence."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any, ClassVar

import pytest

from drybench.errors import PortalAway, Refused
from drybench.hub.portal_socket import PortalSocket


class Answers(BaseHTTPRequestHandler):
    """The same answer to everything."""

    answer: ClassVar[tuple[int, bytes]]

    def address_string(self) -> str:
        return ""

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """What was sent is read first, or whoever sends it may hear no answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


class Portal(ThreadingUnixStreamServer):
    def says(self, status: int, body: Any = None) -> None:
        Answers.answer = (status, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    return folder / "portal.sock"


@pytest.fixture
def portal(path: Path) -> Iterator[Portal]:
    folder = os.open(path.parent, os.O_PATH)
    server = Portal(f"/proc/self/fd/{folder}/portal.sock", Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    os.close(folder)


@pytest.fixture
async def socket(path: Path) -> AsyncIterator[PortalSocket]:
    socket = PortalSocket(path)
    yield socket
    await socket.close()


async def test_a_look(portal: Portal, socket: PortalSocket) -> None:
    portal.says(
        200, {"phase": "running", "answers": True, "address": "http://127.0.0.1:1", "news": "of a later version"}
    )
    look = await socket.look("task")
    assert (look.phase, look.answers, look.address, look.over) == ("running", True, "http://127.0.0.1:1", False)


async def test_an_unknown_task_is_over(portal: Portal, socket: PortalSocket) -> None:
    portal.says(404, {"sentence": "There is no such session of yours."})
    assert (await socket.look("task")).over
    await socket.stop("task", now=False)


@pytest.mark.parametrize("answer", [(500, b"{}"), (502, b""), (200, b"nonsense"), (200, b"[]"), (200, b"{}")])
async def test_what_is_no_answer_is_silence(portal: Portal, socket: PortalSocket, answer: tuple[int, bytes]) -> None:
    portal.says(*answer)
    with pytest.raises(PortalAway):
        await socket.look("task")


async def test_nobody_there_is_silence(socket: PortalSocket) -> None:
    with pytest.raises(PortalAway):
        await socket.look("task")


async def test_a_refusal_has_the_portals_sentence(portal: Portal, socket: PortalSocket) -> None:
    portal.says(409, {"code": "x", "sentence": "Not wanted any more.", "next_step": "Start it from Home."})
    with pytest.raises(Refused, match=r"Not wanted any more\. Start it from Home\."):
        await socket.hand_over("task", "ada", "lab", {}, ["python"])
