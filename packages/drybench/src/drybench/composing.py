"""The portal, put together from its parts: here, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from drybench import ids, warming
from drybench.admin import doctor
from drybench.agreeing import Agreeing
from drybench.asking import Desk
from drybench.data_folder import DataFolder
from drybench.endings import Endings
from drybench.files import OwnFiles
from drybench.folders import RunShelf
from drybench.ground import Ground, lay_ground, now
from drybench.handing_over import Handover
from drybench.holding import Holding
from drybench.hub.identity import Identity
from drybench.images.telling import TellingOfBuilds
from drybench.images.tending import Tending
from drybench.images.workshop import Workshop, workshop
from drybench.keepers_pool import KeepersPool
from drybench.keeping_runs import KeepingRuns, keepers_rule
from drybench.notices.wishing import Wishing
from drybench.people.accounts import Accounts
from drybench.people.folders import PersonFolders
from drybench.progressing import Progressing
from drybench.ready_tasks import ReadyTasks
from drybench.reconciler import Reconciler
from drybench.runs.handed_in import HandedIn
from drybench.runs.submitting import Rules, Runs
from drybench.runs.sweep_folder import SweepFolders
from drybench.runs.sweep_submitting import Sweeps
from drybench.secret_files import secret
from drybench.sessions import Sessions
from drybench.sessions_ahead import SessionsAhead
from drybench.settings import Settings
from drybench.settling import Settling
from drybench.sharing import rules
from drybench.sharing.asking import Shares
from drybench.sharing.book import ShareBook
from drybench.sharing.guests import Guests
from drybench.sharing.teaching import Teaching
from drybench.starting import Starting
from drybench.sweep_book import SweepBook
from drybench.sweeping import Sweeping
from drybench.timekeeping import Timekeeping, timekeeping
from drybench.web.portal import Portal
from drybench.web.showing import cause_of


class Loop(Protocol):
    async def run(self) -> None:
        """Until cancelled."""
        ...


class Looks(Protocol):
    async def look(self) -> None: ...


class Closes(Protocol):
    async def close(self) -> None: ...


@dataclass(frozen=True)
class Works:
    """The portal with all that moves behind its pages."""

    portal: Portal
    reconciler: Reconciler
    endings: Endings
    first: Sequence[Looks]  # once, before anybody is served
    loops: Sequence[Loop]
    to_close: Sequence[Closes]
    owner: str


def put_together(data: DataFolder, in_force: Settings, url: str) -> Works:
    ground = lay_ground(data, in_force, url)
    motion = _motion(ground)
    desk = _desk(ground, motion)
    running = _running(ground, desk)
    told = timekeeping(desk, running.runs, data, in_force, ground.public, lambda run: cause_of(portal, run))
    motion.progressing.when_held(told.run_held)
    sessions = Sessions(desk, ground.addresses, running.shelf.show)
    ahead = SessionsAhead(desk, ground.engines, sessions, ground.hub, _minutes_ahead(in_force))
    portal = _portal(ground, motion, desk, running, told, sessions, ahead)
    loops = (
        motion.reconciler,
        Sweeping(running.book, running.sweeps, ground.changes),
        motion.progressing,
        Settling(desk, ground.folders, ground.changes, told.run_ended),
        running.keeping,
        ahead,
        Agreeing(ground.ledger, ground.hub),
        *told.loops,
        *((ground.there.network, ground.there.images) if ground.there else ()),
        TellingOfBuilds(ground.builds, ground.changes),
        Wishing(portal.workshop.wishes, told.channels, ground.keeper, ground.public, now),
    )
    first = (ground.there.images,) if ground.there else ()
    to_close = (*ground.engines.values(), *((ground.building,) if ground.building else ()))
    return Works(portal, motion.reconciler, motion.endings, first, loops, to_close, ground.owner())


@dataclass(frozen=True)
class Motion:
    """What moves tasks on, from asked for to over."""

    starting: Starting
    endings: Endings
    progressing: Progressing
    reconciler: Reconciler


@dataclass(frozen=True)
class Running:
    """Runs and sweeps: asked for, and kept."""

    shelf: RunShelf
    runs: Runs
    book: SweepBook
    sweeps: Sweeps
    keeping: KeepingRuns


def _motion(ground: Ground) -> Motion:
    ledger, engines, hub, changes = ground.ledger, ground.engines, ground.hub, ground.changes
    starting = Starting(ledger, engines, hub, changes, _awake)
    endings = Endings(ledger, engines, hub, ground.folders, _awake)
    progressing = Progressing(ledger, ground.folders, changes)
    wanted = ground.in_force.ready
    limits = warming.Limits(wanted.most, wanted.minutes)
    anybodys = KeepersPool(wanted.pool, ground.catalogue, engines, _person_folders(ground).of_anybody).wanted
    ready = ReadyTasks(ledger, engines, starting, ground.catalogue, limits, wanted.preload, now, anybodys)
    reconciler = Reconciler(ledger, engines, starting, endings, progressing, changes, now, ready)
    starting.when_done(reconciler.wake)
    endings.when_cleared(reconciler.wake)
    return Motion(starting, endings, progressing, reconciler)


def _desk(ground: Ground, motion: Motion) -> Desk:
    return Desk(
        ground.ledger,
        ground.engines,
        ground.catalogue,
        ground.changes,
        motion.reconciler.wake,
        now,
        ids.uuid7,
        ground.home,
        ground.in_force.engines.local.people_trust_each_other,
        _person_folders(ground).surroundings,
        ground.whose.may_see,
    )


def _running(ground: Ground, desk: Desk) -> Running:
    data, said = ground.data, ground.in_force
    shelf = RunShelf(data, said.folders.runs_link, said.accounts.of == "shared")
    runs = Runs(desk, ground.folders, shelf, data.overlays, _rules(said))
    book, sweep_folders = SweepBook(ground.ledger), SweepFolders(data.sweeps)
    sweeps = Sweeps(desk, book, sweep_folders, runs, ground.folders, said.runs.sweep_most)
    rule = keepers_rule(data.retention, said.runs.keep_days, now)
    return Running(shelf, runs, book, sweeps, KeepingRuns(desk, ground.folders, shelf, sweep_folders, rule))


def _portal(
    ground: Ground,
    motion: Motion,
    desk: Desk,
    running: Running,
    told: Timekeeping,
    sessions: Sessions,
    ahead: SessionsAhead,
) -> Portal:
    data, said, addresses = ground.data, ground.in_force, ground.addresses
    wake = motion.reconciler.wake
    guest_key = partial(rules.guest_key, secret(data, "guest_key"))
    return Portal(
        settings=said,
        addresses=addresses,
        ledger=ground.ledger,
        run_folders=ground.folders,
        catalogue=ground.catalogue,
        sessions=sessions,
        runs=running.runs,
        sweeps=running.sweeps,
        changes=ground.changes,
        identity=Identity(addresses, secret(data, "portal_token"), secret(data, "cookie_key").encode()),
        handover=Handover(ground.ledger, motion.starting, ground.engines, addresses, wake, guest_key),
        keeping=running.keeping,
        holding=Holding(desk, sessions, ground.folders, running.shelf, said.folders.runs_link, data.tasks),
        schedules=told.schedules,
        channels=told.channels,
        files=OwnFiles(desk, said.folders.shown, data.path),
        handed_in=HandedIn(data.handed_in, ids.uuid7, said.runs.notebook_limit),
        workshop=_workshop(ground, desk),
        shares=_shares(ground, desk, sessions),
        guest_key=guest_key,
        gpus=ground.gpus,
        examine=doctor.for_the_keeper(data, said, ground.owner),
        signed_in=ahead.signed_in,
    )


def _shares(ground: Ground, desk: Desk, sessions: Sessions) -> Shares:
    book, guests = ShareBook(ground.ledger), Guests(ground.changes)
    teaching = Teaching(ground.in_force.sharing.teachers, ground.owner)
    return Shares(desk, sessions, book, guests, ground.addresses.own_host_names, ground.hub.people, teaching)


def _workshop(ground: Ground, desk: Desk) -> Workshop:
    tending = ground.there and Tending(desk, ground.builds, ground.there.connect)
    return workshop(
        desk,
        ground.data,
        ground.in_force,
        ground.public,
        ground.whose,
        ground.builds,
        ground.building,
        ground.images,
        tending,
    )


def _person_folders(ground: Ground) -> PersonFolders:
    said = ground.in_force
    one_person = not (ground.addresses.own_host_names or said.bench.people_share_one_host_name)
    accounts = Accounts(said.accounts, ground.ledger, one_person)
    return PersonFolders(ground.data, said.folders, accounts, ground.hands, ground.home)


def _rules(in_force: Settings) -> Rules:
    said = in_force.runs
    return Rules(said.notebook_limit, said.timeout or None, said.requirements_from_anywhere, said.hold_most)


def _minutes_ahead(in_force: Settings) -> float | None:
    return in_force.ready.session_minutes if in_force.ready.sessions else None


def _awake() -> datetime:
    """Time that stands still while the machine sleeps, and that nobody can set: to measure how long something takes."""
    return datetime.fromtimestamp(time.monotonic(), UTC)
