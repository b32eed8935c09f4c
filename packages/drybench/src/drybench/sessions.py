"""Ask for a session, stop it, start it again: what page, API and command line call."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from drybench import gpus, planning
from drybench.addresses import Addresses
from drybench.asking import Desk
from drybench.errors import NameInUse, NoSuchApp, NoSuchSession, SessionNameWrong, StillOpen, StillStopping
from drybench.model import (
    LAB,
    SESSION,
    App,
    Environment,
    KeptKernel,
    Mount,
    Person,
    Session,
    Size,
    Surroundings,
    Task,
)
from drybench.people import permissions
from drybench.phases import Outcome, Phase, Wanted

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True)
class SessionRequest:
    environment: str = "python"
    app: str = LAB
    name: str | None = None  # the environment's name when not given, so a second click finds the first one's session
    size: str | None = None
    gpus: tuple[int, ...] = ()  # beside the size's: the least memory of each, in bytes
    held: KeptKernel | None = None  # which it is opened on


class Sessions:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, addresses: Addresses, show_runs: Callable[[Surroundings, str], tuple[Mount, ...]]
    ) -> None:
        self._desk = desk
        self._addresses = addresses
        self._show_runs = show_runs

    def ask(self, person: Person, request: SessionRequest, key: str | None = None, origin: str = "api") -> Session:
        """A new session, or the one of that name started again when it has ended."""
        permissions.needs(person)
        environment = self._desk.environment(person, request.environment, startable=True)
        _check_app(environment, request.app)
        name = _checked(request.name or _name_of(environment))
        known = self.named(person, name)
        if known is not None:
            return self.start(person, known.id, origin, request.gpus, request.app)
        size = self._desk.catalogue.size(request.size, environment).with_gpus(request.gpus)
        id = self._desk.new_id()
        task = self._plan(person, environment, size, request.app, request.held)
        row = self._desk.first_task(person, task, environment.engine, subject=id)
        asked = Session(id, person.id, person.name, name, environment.name, request.app, size.name, row.created_at, row)
        try:
            session = self._desk.ledger.add_session(asked, task, key)
        except NameInUse:  # two clicks at once
            return permissions.theirs(person, self.named(person, name), NoSuchSession)
        self._desk.done(person, "asked for", SESSION, session.id, origin)
        return session

    def start(
        self, person: Person, id: str, origin: str = "api", more_gpus: tuple[int, ...] = (), app: str = ""
    ) -> Session:
        """Again, when it has ended, and with the GPUs and for the app that it had unless others are named; one that
        lives is simply given back."""
        permissions.needs(person)
        session = self.get(person, id)
        if session.task.phase is not Phase.ENDED and session.task.wanted is Wanted.STOP:
            raise StillStopping(name=session.name)
        if session.task.phase is not Phase.ENDED:
            return self._taken(person, session, origin)
        environment = self._desk.environment(person, session.environment, startable=True)
        more_gpus = more_gpus or gpus.added(session.task.spec)
        app = app if app in {one.name for one in environment.apps} else session.app
        size = self._desk.catalogue.size(session.size, environment).with_gpus(more_gpus)
        with suppress(StillOpen):  # two clicks at once
            self._desk.ledger.add_attempt(replace(session, app=app), self._plan(person, environment, size, app))
            self._desk.done(person, "asked for again", SESSION, id, origin)
        return self.get(person, id)

    def start_ahead(self, person: Person) -> Session | None:
        """The one that `last` gives, before they ask for it; None where they were quicker."""
        last = self.last(person)
        if last is None:
            return None
        environment = self._desk.environment(person, last.environment)
        size = self._desk.catalogue.size(last.size, environment)
        with suppress(StillOpen):
            self._desk.ledger.add_attempt(last, self._plan(person, environment, size, last.app), ahead=True)
            self._desk.wake()
            return self.get(person, last.id)
        return None

    def last(self, person: Person) -> Session | None:
        """The one that they used last, where it may be started without them: none of theirs is there, it came to no
        bad end, holds no GPU and was not opened on the kept kernel of a run.
        """
        mine = self.mine(person)
        last = max(mine, key=lambda one: one.task.created_at, default=None)
        if last is None or any(one.task.phase is not Phase.ENDED for one in mine):
            return None
        spec, ended_well = last.task.spec, last.task.outcome in (Outcome.DONE, Outcome.STOPPED)
        return last if ended_well and not spec.gpu_count and planning.HELD not in spec.env else None

    def stop(self, person: Person, id: str, origin: str = "api") -> Session:
        """wanted=stop; stopping twice is the same as once. Also how one cancels a place in the line."""
        permissions.needs(person)
        session = self.get(person, id)
        if session.task.phase is not Phase.ENDED:
            self._desk.ledger.want_stop(session.task.id, by=person.name)
            self._desk.done(person, "stopped", SESSION, id, origin)
        return self.get(person, id)

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        """Take an ended session off the list."""
        permissions.needs(person)
        self.get(person, id)
        self._desk.ledger.remove_session(id)
        self._desk.done(person, "removed", SESSION, id, origin)

    def get(self, person: Person, id: str) -> Session:
        return permissions.theirs(person, self._desk.ledger.session(id), NoSuchSession)

    def named(self, person: Person, name: str) -> Session | None:
        return self._desk.ledger.session_named(person.id, name)

    def mine(self, person: Person) -> Sequence[Session]:
        return self._desk.ledger.sessions(person.id)

    def ahead(self, session: Session) -> int:
        """How many stand before it in the line."""
        return self._desk.ahead(session.task)

    def url(self, session: Session) -> str:
        """Where its app is reached through the proxy, on its person's own host name if there is one."""
        return self.root(session) + ("" if session.app == LAB else f"{session.app}/")

    def apps(self, session: Session) -> Sequence[tuple[App, str]]:
        """What it was started with, each with its address, the one that it was asked for first."""
        apps = sorted(planning.apps_of(session.task.spec), key=lambda app: app.name != session.app)
        return [(app, self.url(replace(session, app=app.name))) for app in apps]

    def root(self, session: Session) -> str:
        """Where all its apps are reached; by itself it is JupyterLab."""
        return self._addresses.session(session.person, session.name)

    def _taken(self, person: Person, session: Session, origin: str) -> Session:
        """One that was started ahead is theirs from the first time that they ask for it."""
        if session.ahead_since and self._desk.ledger.take_session(session.id):
            self._desk.done(person, "asked for", SESSION, session.id, origin)
        return self.get(person, session.id)

    def _plan(
        self, person: Person, environment: Environment, size: Size, app: str, held: KeptKernel | None = None
    ) -> Task:
        around = self._desk.around(person, environment)
        seen = replace(around, mounts=(*around.mounts, *self._show_runs(around, person.id)))
        task = planning.plan_session(self._desk.new_id(), person, environment, size, seen, held, app)
        self._desk.check(person, task, environment.engine)
        return task


def _name_of(environment: Environment) -> str:
    return re.sub(r"[^a-z0-9]+", "-", environment.name.lower()).strip("-")[:30].strip("-") or "session"


def _check_app(environment: Environment, app: str) -> None:
    if app not in {one.name for one in environment.apps}:
        there = ", ".join(one.name for one in environment.apps)
        raise NoSuchApp(name=app[:60], environment=environment.name, there=there)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise SessionNameWrong(name=name[:40])
    return name
