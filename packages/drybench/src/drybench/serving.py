"""The portal as a process: it serves the network and the bench's own account, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from drybench import database, settings
from drybench.composing import Looks, put_together
from drybench.data_folder import DataFolder
from drybench.settings import Settings
from drybench.web.app import create_app
from drybench.web.relaying import MOST_IN_A_FRAME
from drybench.web.socket import OurAccountOnly, bind_private
from drybench_runner.quick_imports import ADDRESSES, without

log = structlog.get_logger("portal")

STREAMS_END_WITHIN = 2  # seconds
FIRST_LOOK = 3.0  # seconds
THREADS = 32  # for the ledger and the engines: some may hang on a dead disk, and the loop still turns


def main() -> None:
    parser = argparse.ArgumentParser(prog="drybench portal", description="The portal of a bench.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--settings", type=Path)
    said = parser.parse_args()
    os.umask(0o077)
    _plain_log()
    data = DataFolder(said.data)
    in_force = settings.load(data, said.settings)
    url = in_force.database.url or database.sqlite_url(data.ledger)
    with database.hold(url, data.portal_lock):
        database.prepare(url, data.hub_database, data.backups, _now)
        asyncio.run(_serve(data, in_force, url))


async def _serve(data: DataFolder, in_force: Settings, url: str) -> None:
    works = put_together(data, in_force, url)
    outer, inner = create_app(works.portal), create_app(works.portal, owner=works.owner)
    public = _listen(works.portal.addresses.portal_port)
    private = bind_private(data.socket)
    servers = [_server(outer), _server(inner, http=OurAccountOnly)]
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    end = _ender(servers, (outer, inner))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await look_first(works.first)
    loops = [asyncio.create_task(one.run()) for one in works.loops]
    for loop in loops:  # a portal whose loop is over does nothing more: it ends, and is started again
        loop.add_done_callback(lambda _: end())
    loops.append(asyncio.create_task(asyncio.to_thread(_import_what_is_slow)))
    try:
        await asyncio.gather(servers[0].serve([public]), servers[1].serve([private]))
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        for one in works.to_close:
            await one.close()


async def look_first(lookers: Sequence[Looks]) -> None:
    """What is told from memory is known when the first one asks; but nobody waits for a Docker that hangs."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LOOK):
            await asyncio.gather(*(one.look() for one in lookers))


class _Server(uvicorn.Server):
    """Two of them live in one loop, so the signals are ours (`_ender`)."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _server(app: FastAPI, **options: Any) -> _Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # what a person looks at is nobody's business; deeds are in the ledger
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STREAMS_END_WITHIN,
        lifespan="off",
        ws_max_size=MOST_IN_A_FRAME,
        ws_per_message_deflate=False,  # pictures are compressed already
        **options,
    )
    return _Server(config)


def _ender(servers: list[_Server], apps: tuple[FastAPI, ...]) -> Callable[[], None]:
    def end() -> None:
        for app in apps:
            app.state.ending.set()
        for server in servers:
            server.should_exit = True

    return end


def _import_what_is_slow() -> None:
    """So that the first one who hands in a notebook does not wait for it."""
    with without(ADDRESSES):
        for module in ("papermill.inspection", "papermill.parameterize"):
            importlib.import_module(module)


def _plain_log() -> None:
    """Without the values of variables in tracebacks: there are tokens among them."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    stamp = structlog.processors.TimeStamper("%Y-%m-%d %H:%M:%S", utc=True)
    processors = [structlog.processors.add_log_level, stamp, plain]
    structlog.configure(processors, logger_factory=lambda *_: _Lossy())


class _Lossy(structlog.PrintLogger):
    """A line that the disk has no room for is lost, and whoever had it to say goes on."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warning = error = critical = exception = msg


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
