"""A session of somebody's, in place of a real one: a WebSocket server that is its owner's code, and a guest."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from drybench.model import Session
from drybench.phases import Phase
from drybench.sharing.asking import Seen, ShareRequest
from drybench.web.door import cookie_name
from drybench.web.relaying import MOST_IN_A_FRAME
from tests.unit.web.little_bench import BOB, LittleBench, little_bench
from tests.waiting import PATIENCE, eventually

APPS = json.dumps(
    [{"name": "lab", "title": "Lab", "command": None}, {"name": "desktop", "title": "Desktop", "command": None}]
)
VERSION, SECURITY, ALONE, SHARED = b"RFB 003.008\n", b"\1", b"\0", b"\1"
GREETING = VERSION + SECURITY + SHARED
KEY = bytes([4, 1, 0, 0, 0, 0, 0, 0x61])
POINTER = bytes([5, 1, 0, 1, 0, 1])
LOOK = bytes([3, 1, 0, 0, 0, 0, 0, 10, 0, 10])
Answers = Callable[[ServerConnection, Request], Response | None]
Speaks = Callable[[ServerConnection], Awaitable[None]]


@dataclass
class FakeSession:
    """Notes who came with which headers, and what they sent."""

    port: int = 0
    came: list[Request] = field(default_factory=list[Request])
    got: bytearray = field(default_factory=bytearray)
    open: list[ServerConnection] = field(default_factory=list[ServerConnection])
    refuses: Answers = lambda connection, request: None
    speaks: Speaks | None = None

    async def says(self, message: str | bytes) -> None:
        for connection in self.open:
            await connection.send(message)

    async def meets(self, connection: ServerConnection) -> None:
        self.open.append(connection)
        if self.speaks:
            await self.speaks(connection)
        async for message in connection:
            assert isinstance(message, bytes)
            self.got += message

    def asked(self, connection: ServerConnection, request: Request) -> Response | None:
        self.came.append(request)
        return self.refuses(connection, request)


@dataclass
class SharedBench:
    bench: LittleBench
    session: Session
    fake: FakeSession

    @property
    def owner(self) -> Any:
        return self.bench.person()

    async def share(self, **asked: Any) -> Seen:
        request = ShareRequest(**({"person": "bob"} | asked))
        return await self.bench.portal.shares.share(self.owner, self.session.id, request)

    def guest(self, share: Seen, token: str | None = BOB, **headers: str | None) -> connect:
        """A browser's WebSocket on a page of the bench's own."""
        public = self.bench.public
        name = cookie_name(self.bench.portal.addresses)
        said: dict[str, str | None] = {
            "origin": public,
            "cookie": f"{name}={self.bench.tokens.seal(token)}" if token else None,
            **headers,
        }
        return connect(
            f"{public.replace('http', 'ws')}/shared/{share.share.id}/stream",
            additional_headers={name: value for name, value in said.items() if value is not None},
            compression=None,
            proxy=None,
            close_timeout=1,
        )


@asynccontextmanager
async def shared_bench(folder: Path) -> AsyncGenerator[SharedBench]:
    fake = FakeSession()
    async with (
        _served(folder) as bench,
        serve(fake.meets, "127.0.0.1", 0, process_request=fake.asked, compression=None, max_size=None) as server,
    ):
        fake.port = next(iter(server.sockets)).getsockname()[1]
        yield SharedBench(bench, running(bench, fake.port), fake)


def running(bench: LittleBench, port: int) -> Session:
    """Ada's, as the loop would have written it down."""
    session = bench.session("lab")
    spec = {**session.task.spec.env, "DRYBENCH_APPS": APPS}
    bench.ledger.write_task(session.task.id, {"spec": _with(session, spec)})
    bench.move(session, Phase.RUNNING, address=f"http://127.0.0.1:{port}", answers=True)
    found = bench.ledger.session(session.id)
    assert found
    return found


def _with(session: Session, env: dict[str, str]) -> Any:
    return replace(session.task.spec, env=env)


@asynccontextmanager
async def _served(folder: Path) -> AsyncGenerator[LittleBench]:
    listening = socket.create_server(("127.0.0.1", 0))
    public = f"http://localhost:{listening.getsockname()[1]}"
    bench = little_bench(folder, public, own_host_names=True)
    config = uvicorn.Config(
        bench.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, ws_max_size=MOST_IN_A_FRAME,
        ws_per_message_deflate=False,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        await eventually(lambda: server.started)
        yield bench
    finally:
        bench.app.state.ending.set()
        server.should_exit = True
        await task
        bench.ledger.close()


class _Server(uvicorn.Server):
    """Its signals are pytest's."""

    def install_signal_handlers(self) -> None: ...


def redirect(to: str) -> Response:
    return Response(302, "Found", Headers({"Location": to, "Content-Length": "0"}))


def html(body: bytes = b"<script>alert(1)</script>") -> Response:
    return Response(
        200, "OK", Headers({"Content-Type": "text/html", "Set-Cookie": "a=b", "Content-Length": str(len(body))}), body
    )


async def closed_with(guest: ClientConnection) -> int | None:
    """Whatever comes before."""
    await asyncio.wait_for(guest.wait_closed(), PATIENCE)
    return guest.close_code
