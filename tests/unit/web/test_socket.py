"""The Unix socket: private from its first moment, at any length of path, and for our own account only."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from drybench.errors import HubAway
from drybench.web import socket as portal_socket
from drybench.web.app import create_app
from drybench.web.socket import OurAccountOnly, bind_private
from tests.unit.web.little_bench import LittleBench, notebook, xsrf
from tests.waiting import eventually

DEEP = "a-data-directory-with-a-long-name/" * 5


@asynccontextmanager
async def served(bench: LittleBench, path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(bench.portal, owner="ada")
    config = uvicorn.Config(app, http=OurAccountOnly, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([bind_private(path)]))
    await eventually(lambda: server.started)
    folder = os.open(path.parent, os.O_PATH)
    transport = httpx.AsyncHTTPTransport(uds=f"/proc/self/fd/{folder}/{path.name}")
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
            yield client
    finally:
        server.should_exit = True
        await serving
        os.close(folder)


@pytest.mark.parametrize("below", ["", DEEP])
async def test_the_owner_and_the_hub_speak_over_it(bench: LittleBench, tmp_path: Path, below: str) -> None:
    path = tmp_path / below / "portal.sock"
    path.parent.mkdir(parents=True, exist_ok=True)
    handover = {"task": "t", "person": "ada", "session": "lab", "env": {"TOKEN": "x"}, "command": ["jupyterhub"]}
    async with served(bench, path) as client:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await client.get("/api/v1/me")).json()["name"] == "ada"
        assert (await client.post("/api/v1/runs", files={"notebook": ("a.ipynb", notebook("1"))})).status_code == 201
        assert (await client.post("/hub/handover", json=handover)).json() == {"task": "t"}
        refused = await client.post("/hub/handover", json={**handover, "task": "unwanted"})
        assert 400 <= refused.status_code < 500
        assert refused.json()["sentence"]
        assert (await client.get("/hub/tasks/t")).json()["phase"] == "running"
        assert (await client.post("/hub/tasks/t/stop", json={"now": True})).status_code == 202
        assert (await client.post("/hub/people/bob/gone")).status_code == 204
        assert (await client.get("/", headers={"accept": "text/html"})).status_code == 404
    assert bench.handed.said == [("t", "ada", "lab", {"TOKEN": "x"}, ("jupyterhub",)), ("t", True), ("bob",)]


async def test_a_page_needs_the_hub_to_stop_a_session_and_the_owner_does_not(
    bench: LittleBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str, fresh: bool) -> None:
        raise HubAway()

    monkeypatch.setattr(bench.tokens, "of_token", away)
    session = bench.session("lab")
    async with bench.client() as browser, served(bench, tmp_path / "portal.sock") as owner:
        refused = await browser.post(f"/sessions/{session.id}/stop", headers=xsrf())
        assert (refused.status_code, "drybench stop" in refused.text) == (503, True)
        assert bench.portal.sessions.get(bench.person(), session.id).task.wanted.value == "run"
        stopped = await owner.post(f"/api/v1/sessions/{session.id}/stop")
        assert (stopped.status_code, stopped.json()["wanted"]) == (202, "stop")


async def test_another_account_gets_no_answer(
    bench: LittleBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal_socket.os, "getuid", lambda: os.geteuid() + 1)
    async with served(bench, tmp_path / "portal.sock") as client:
        with pytest.raises(httpx.TransportError):
            await client.get("/health")
    assert bench.handed.said == []


def test_what_a_killed_portal_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "portal.sock"
    bind_private(path).close()
    with bind_private(path) as listening, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        accepted, _ = _accept(listening)
        with accepted:
            pid, uid, _gid = struct.unpack("3i", accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            assert (pid, uid) == (os.getpid(), os.getuid())


async def test_over_tcp_nobody_reaches_what_is_the_hubs(bench: LittleBench) -> None:
    async with bench.program() as program:
        for path in ("/hub/tasks/t", "/hub/handover"):
            assert (await program.get(f"{bench.public}{path}")).status_code == 404


def _accept(listening: socket.socket) -> tuple[socket.socket, object]:
    listening.setblocking(True)
    return listening.accept()
