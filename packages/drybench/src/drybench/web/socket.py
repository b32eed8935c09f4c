"""The portal's Unix socket: what the Hub's plug-ins ask, and nobody but our own account may speak."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from uvicorn.protocols.http.h11_impl import H11Protocol

from drybench.web.portal import Here

LONGEST_PATH = 107  # bytes that the kernel takes for a socket's path
WAITING_TO_BE_ACCEPTED = 128


class HandoverAsk(BaseModel):
    """What JupyterHub's spawner hands over: `env` holds tokens, is passed on and never stored."""

    task: str
    person: str
    session: str
    env: dict[str, str] = {}
    command: list[str]


class StopAsk(BaseModel):
    now: bool = False


router = APIRouter(prefix="/hub", include_in_schema=False)


@router.post("/handover")
async def hand_over(portal: Here, ask: HandoverAsk) -> dict[str, str]:
    await portal.handover.hand_over(ask.task, ask.person, ask.session, ask.env, tuple(ask.command))
    return {"task": ask.task}


@router.get("/tasks/{id}")
def task(portal: Here, id: str) -> dict[str, Any]:
    return portal.handover.task_for_hub(id)


@router.post("/tasks/{id}/stop", status_code=202)
async def stop(portal: Here, id: str, ask: StopAsk) -> dict[str, str]:
    await run_in_threadpool(portal.handover.stop_for_hub, id, ask.now)
    return {"task": id}


@router.post("/people/{name}/gone", status_code=204)
def gone(portal: Here, name: str) -> None:
    portal.handover.person_gone(name)


class OurAccountOnly(H11Protocol):
    """uvicorn's protocol for the socket: the kernel says who is at the other end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - a narrower transport
        if _peer_uid(transport.get_extra_info("socket")) == os.getuid():
            super().connection_made(transport)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.connections:
            super().connection_lost(exc)


def bind_private(path: Path) -> socket.socket:
    """A listening socket that is 0600 from its first moment; what a killed portal left behind goes away.

    Long paths are bound by the open folder. The caller holds the portal's lock, so nobody else serves here.
    """
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        listening.bind(_short(path, folder))
    finally:
        os.umask(before)
        os.close(folder)
    listening.listen(WAITING_TO_BE_ACCEPTED)
    listening.setblocking(False)
    return listening


def _short(path: Path, folder: int) -> str:
    return str(path) if len(os.fsencode(path)) <= LONGEST_PATH else f"/proc/self/fd/{folder}/{path.name}"


def _peer_uid(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[1]
