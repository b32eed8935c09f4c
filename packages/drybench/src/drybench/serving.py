"""The portal as a process: here everything is put together, and nowhere else."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog
import uvicorn
from fastapi import FastAPI

from drybench import containers, database, ids, own_machine, python_environment, settings, warming
from drybench.accounts import Accounts
from drybench.addresses import Addresses
from drybench.admin import doctor
from drybench.agreeing import Agreeing
from drybench.asking import Desk
from drybench.catalogue import Catalogue
from drybench.changes import Changes
from drybench.containers import Containers
from drybench.data_folder import DataFolder
from drybench.endings import Endings
from drybench.engines.base import Engine
from drybench.engines.loading import load
from drybench.environment_folders import SHIPPED
from drybench.files import OwnFiles
from drybench.folders import RunShelf, home_of_the_account
from drybench.handing_over import Handover
from drybench.hands import Hands
from drybench.holding import Holding
from drybench.hub.identity import Identity
from drybench.hub_client import HubClient
from drybench.images.records import Builds
from drybench.images.telling import TellingOfBuilds
from drybench.images.tending import Tending
from drybench.images.whose import Whose
from drybench.images.workshop import NoShelf, workshop
from drybench.keeping_runs import KeepingRuns, keepers_rule
from drybench.ledger import Ledger, open_ledger
from drybench.model import Gpu, Person, Size
from drybench.notices.wishing import Wishing
from drybench.person_folders import PersonFolders
from drybench.progressing import Progressing
from drybench.ready_tasks import ReadyTasks
from drybench.reconciler import Reconciler
from drybench.runs.handed_in import HandedIn
from drybench.runs.retention import Rule
from drybench.runs.run_folder import RunFolders
from drybench.runs.submitting import Rules, Runs
from drybench.runs.sweep_folder import SweepFolders
from drybench.runs.sweep_submitting import Sweeps
from drybench.secret_files import secret
from drybench.sessions import Sessions
from drybench.sessions_ahead import SessionsAhead
from drybench.settings import Settings
from drybench.settling import Settling
from drybench.starting import Starting
from drybench.sweep_book import SweepBook
from drybench.sweeping import Sweeping
from drybench.timekeeping import timekeeping
from drybench.web.app import create_app
from drybench.web.portal import Portal
from drybench.web.showing import cause_of
from drybench.web.socket import OurAccountOnly, bind_private

log = structlog.get_logger("portal")

STREAMS_END_WITHIN = 2  # seconds
THREADS = 32  # for the ledger and the engines: some may hang on a dead disk, and the loop still turns


class Loop(Protocol):
    async def run(self) -> None:
        """Until cancelled."""
        ...


class Closes(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True)
class Works:
    """The portal with all that moves behind its pages."""

    portal: Portal
    reconciler: Reconciler
    endings: Endings
    loops: Sequence[Loop]
    to_close: Sequence[Closes]
    owner: str


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


def put_together(data: DataFolder, in_force: Settings, url: str) -> Works:
    addresses = Addresses.load(data.bench)
    home = home_of_the_account(in_force.folders.home)
    there = containers.containers(data, in_force, addresses)
    hands, builds = containers.hands(there), Builds(data.images, _now, ids.uuid7)
    ledger, changes, folders = open_ledger(url, _now), Changes(), RunFolders(data.runs, hands)
    hub, engines = HubClient(addresses, secret(data, "portal_token")), _engines(data, in_force, home, there)
    starting = Starting(ledger, engines, hub, changes, _awake)
    endings = Endings(ledger, engines, hub, folders, _awake)
    progressing = Progressing(ledger, folders, changes)
    library = containers.library(data, in_force, {"python": python_environment.current(data)})
    images = there.images if there else NoShelf(containers.why_none(in_force, addresses))
    catalogue = Catalogue({}, _sizes(in_force), home, library, images)
    building = there and containers.building(data, in_force, catalogue, there, builds)
    limits = warming.Limits(in_force.ready.most, in_force.ready.minutes)
    ready = ReadyTasks(ledger, engines, starting, catalogue, limits, in_force.ready.preload, _now)
    reconciler = Reconciler(ledger, engines, starting, endings, progressing, changes, _now, ready)
    starting.when_done(reconciler.wake)
    endings.when_cleared(reconciler.wake)
    trusting = in_force.engines.local.people_trust_each_other
    theirs = _person_folders(data, in_force, addresses, ledger, home, hands).surroundings
    of_the_bench = (SHIPPED, *map(Path, in_force.environments.folders))
    whose = Whose(data.own_environments, lambda: _owner(data, in_force), of_the_bench)
    desk = Desk(
        ledger, engines, catalogue, changes, reconciler.wake, _now, ids.uuid7, home, trusting, theirs, whose.may_see
    )
    shelf = RunShelf(data, in_force.folders.runs_link, in_force.accounts.of == "shared")
    runs, sweep_book = Runs(desk, folders, shelf, data.overlays, _rules(in_force)), SweepBook(ledger)
    told = timekeeping(desk, runs, data, in_force, addresses.public, lambda run: cause_of(portal, run))
    progressing.when_held(told.run_held)
    settling = Settling(desk, folders, changes, told.run_ended)
    sweep_folders = SweepFolders(data.sweeps)
    sweeps = Sweeps(desk, sweep_book, sweep_folders, runs, folders, in_force.runs.sweep_most)
    sessions = Sessions(desk, addresses, shelf.show)
    minutes = in_force.ready.session_minutes if in_force.ready.sessions else None
    ahead = SessionsAhead(desk, engines, sessions, hub, minutes)
    portal = Portal(
        settings=in_force,
        addresses=addresses,
        ledger=ledger,
        run_folders=folders,
        catalogue=catalogue,
        sessions=sessions,
        runs=runs,
        sweeps=sweeps,
        changes=changes,
        identity=Identity(addresses, secret(data, "portal_token"), secret(data, "cookie_key").encode()),
        handover=Handover(ledger, starting, engines, addresses, reconciler.wake),
        keeping=KeepingRuns(desk, folders, shelf, sweep_folders, _retention(data, in_force)),
        holding=Holding(desk, sessions, folders, shelf, in_force.folders.runs_link, data.tasks),
        schedules=told.schedules,
        channels=told.channels,
        files=OwnFiles(desk, in_force.folders.shown, data.path),
        handed_in=HandedIn(data.handed_in, ids.uuid7, in_force.runs.notebook_limit),
        workshop=workshop(
            desk,
            data,
            in_force,
            addresses.public,
            whose,
            builds,
            building,
            images,
            there and Tending(desk, builds, there.connect),
        ),
        gpus=_gpus(in_force, engines),
        examine=doctor.for_the_keeper(data, in_force, lambda: _owner(data, in_force)),
        signed_in=ahead.signed_in,
    )
    sweeping = Sweeping(sweep_book, sweeps, changes)
    loops = (reconciler, sweeping, progressing, settling, portal.keeping, ahead)
    loops += (Agreeing(ledger, hub), *told.loops)
    loops += (there.network, there.images) if there else ()
    wishing = Wishing(portal.workshop.wishes, told.channels, _keeper(data, in_force, ledger), addresses.public, _now)
    loops += (TellingOfBuilds(builds, changes), wishing)
    to_close = (*engines.values(), *([building] if building else ()))
    return Works(portal, reconciler, endings, loops, to_close, _owner(data, in_force))


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


def _engines(data: DataFolder, in_force: Settings, home: Path, there: Containers | None) -> Mapping[str, Engine]:
    local = in_force.engines.local
    cores, memory = own_machine.cores(local.cores), own_machine.memory(local.memory)
    gpus = own_machine.gpus(local.gpus)
    own: Engine = load("local")(data.tasks, cores=cores, memory=memory, gpus=gpus, home=home)
    return {"local": own} | ({"docker": there.engine} if there else {})


def _person_folders(
    data: DataFolder, in_force: Settings, here: Addresses, ledger: Ledger, home: Path, hands: Hands
) -> PersonFolders:
    one_person = not (here.own_host_names or in_force.bench.people_share_one_host_name)
    return PersonFolders(data, in_force.folders, Accounts(in_force.accounts, ledger, one_person), hands, home)


def _gpus(in_force: Settings, engines: Mapping[str, Engine]) -> Sequence[Gpu]:
    """All that can be had here, whichever engine gives them."""
    chosen = {"local": in_force.engines.local.gpus, "docker": in_force.engines.docker.gpus}
    found = [gpu for name in engines.keys() & chosen for gpu in own_machine.gpus(chosen[name])]
    return list({gpu.id: gpu for gpu in found}.values())


def _owner(data: DataFolder, in_force: Settings) -> str:
    """Who the command line on the socket speaks for: the one person this bench is for, if somebody came first."""
    return data.only_person.read_text() if data.only_person.exists() else in_force.owner


def _keeper(data: DataFolder, in_force: Settings, ledger: Ledger) -> Callable[[], Person | None]:
    """Nobody before the first sign-in."""
    return lambda: next((one for one in ledger.people() if one.name == _owner(data, in_force)), None)


def _retention(data: DataFolder, in_force: Settings) -> Rule:
    return keepers_rule(data.retention, in_force.runs.keep_days, _now)


def _rules(in_force: Settings) -> Rules:
    said = in_force.runs
    return Rules(said.notebook_limit, said.timeout or None, said.requirements_from_anywhere, said.hold_most)


def _sizes(in_force: Settings) -> list[Size]:
    return [Size(name, size.title or name, size.cores, size.memory, size.gpus) for name, size in in_force.sizes.items()]


def _now() -> datetime:
    return datetime.now(UTC)


def _awake() -> datetime:
    """Time that stands still while the machine sleeps, and that nobody can set: to measure how long something takes."""
    return datetime.fromtimestamp(time.monotonic(), UTC)


if __name__ == "__main__":
    main()
