"""A portal without Hub, engine and loop: real ledger, run folders and services, people known by their tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from cryptography.fernet import Fernet, InvalidToken
from fastapi import FastAPI

from drybench import database
from drybench.addresses import Addresses
from drybench.asking import Desk
from drybench.catalogue import Catalogue
from drybench.changes import Change, Changes
from drybench.data_folder import DataFolder
from drybench.engines.base import Capabilities
from drybench.environment_folders import Library
from drybench.errors import SignInBroken, TaskNotWanted
from drybench.files import OwnFiles
from drybench.folders import RunShelf
from drybench.holding import Holding
from drybench.hub.identity import Identified
from drybench.hub_client import HubPerson
from drybench.ids import uuid7
from drybench.images.whose import Whose
from drybench.images.workshop import workshop
from drybench.keeping_runs import KeepingRuns
from drybench.ledger import Ledger, open_ledger
from drybench.model import Person, Run, Session, Size, Task
from drybench.people import permissions
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.handed_in import HandedIn
from drybench.runs.requests import RunRequest
from drybench.runs.retention import Rule
from drybench.runs.run_folder import RunFolders
from drybench.runs.submitting import Rules, Runs
from drybench.runs.sweep_folder import SweepFolders
from drybench.runs.sweep_submitting import Sweeps
from drybench.sessions import SessionRequest, Sessions
from drybench.settings import Settings
from drybench.sharing import rules
from drybench.sharing.asking import Shares
from drybench.sharing.book import ShareBook
from drybench.sharing.guests import Guests
from drybench.sharing.teaching import Teaching
from drybench.sweep_book import SweepBook
from drybench.timekeeping import Timekeeping, timekeeping
from drybench.web.app import create_app
from drybench.web.door import cookie_name
from drybench.web.portal import Portal
from drybench.web.showing import cause_of
from tests.ledger import empty_ledger
from tests.unit.web.containers import Containers, containers

ADA, BOB = "token-of-ada", "token-of-bob"
FROM_SESSION = "token-of-a-session-of-ada"
SERVICE_SCOPES = "token-without-scopes"


def notebook(*sources: str, parameters: str = "", language: str = "python") -> bytes:
    cells = [_cell(parameters, ["parameters"])] if parameters else []
    cells += [_cell(source) for source in sources]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": language}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()


def _cell(source: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    if source.startswith("#md "):
        return {"cell_type": "markdown", "id": uuid7()[-8:], "metadata": {}, "source": source[4:]}
    blank = {"cell_type": "code", "id": uuid7()[-8:], "execution_count": None, "outputs": []}
    return {**blank, "metadata": {"tags": list(tags)}, "source": source}


class Tokens:
    """What JupyterHub would say of a token, and the codes it would give out."""

    def __init__(self, public: str) -> None:
        self._public = public
        self._fernet = Fernet(Fernet.generate_key())
        self.known = {
            ADA: Identified("ada", frozenset({"lab"}), frozenset({permissions.ALL})),
            BOB: Identified("bob", frozenset(), frozenset({permissions.ALL})),
            FROM_SESSION: Identified("ada", frozenset({"lab"}), frozenset({permissions.RUNS})),
            SERVICE_SCOPES: Identified("ada", frozenset(), frozenset({"list:users"})),
        }
        self.codes = {"code-of-ada": ADA}

    async def of_token(self, token: str, fresh: bool = False) -> Identified | None:
        return self.known.get(token)

    async def people(self) -> Sequence[HubPerson]:
        """Carl is known at the Hub and was never here."""
        known = {one.name: HubPerson(one.name, one.groups) for one in self.known.values()}
        return [*known.values(), HubPerson("carl", frozenset({"course"}))]

    def authorize_url(self, state: str) -> str:
        return f"{self._public}/hub/api/oauth2/authorize?{urlencode({'state': state})}"

    async def exchange(self, code: str) -> str:
        if code not in self.codes:
            raise SignInBroken()
        return self.codes[code]

    def seal(self, token: str) -> str:
        return self._fernet.encrypt(token.encode()).decode()

    def unseal(self, cookie: str) -> str | None:
        try:
            return self._fernet.decrypt(cookie.encode()).decode()
        except InvalidToken:
            return None

    def xsrf(self, token: str) -> str:
        return f"xsrf-for-{token}"


class TakesAnything:
    """An engine that is only ever asked whether it would take a task."""

    name = "local"
    can = Capabilities(addresses=True, one_account=True)

    def check(self, task: Task) -> None: ...

    async def logs(self, handle: Mapping[str, Any], since: int = 0) -> AsyncIterator[bytes]:
        yield b""


class Handed:
    """Notes what the Hub's plug-ins say."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    async def hand_over(self, *said: Any) -> None:
        if said[0] == "unwanted":
            raise TaskNotWanted()
        self.said.append(said)

    def task_for_hub(self, id: str) -> dict[str, Any]:
        return {"phase": "running", "wanted": "run", "answers": True}

    def stop_for_hub(self, id: str, now: bool) -> None:
        self.said.append((id, now))

    def person_gone(self, name: str) -> None:
        self.said.append((name,))


@dataclass
class LittleBench:
    data: DataFolder
    portal: Portal
    app: FastAPI
    tokens: Tokens
    handed: Handed
    told: Timekeeping
    containers: Containers | None = None
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.portal.ledger

    @property
    def public(self) -> str:
        return self.portal.addresses.public

    def person(self, name: str = "ada") -> Person:
        return self.ledger.person_seen(name, frozenset())

    def session(self, name: str | None = None, person: str = "ada") -> Session:
        return self.portal.sessions.ask(self.person(person), SessionRequest(name=name))

    def run(self, *sources: str, person: str = "ada", name: str = "notebook", **asked: Any) -> Run:
        request = RunRequest(notebook(*(sources or ("1 + 1",))), f"{name}.ipynb", **asked)
        return self.portal.runs.submit(self.person(person), request)

    def move(self, thing: Session | Run, phase: Phase, outcome: Outcome | None = None, **more: Any) -> None:
        """Write into the ledger what the loop would write, and tell the pages."""
        now = self.ledger.task(thing.task.id)
        assert now is not None
        for step in Phase:
            if now.phase < step <= phase:
                ending = {"outcome": outcome, **more} if step is Phase.ENDED else more if step is phase else {}
                self.ledger.write_task(thing.task.id, {"phase": step, **ending})
        self.portal.changes.tell(Change(thing.task.kind, thing.id, thing.person_id))

    def fail(self, run: Run, reason: Reason, result: Mapping[str, Any] | None = None) -> None:
        if result is not None:
            self.made(run, "result.json", json.dumps(result))
        self.move(run, Phase.ENDED, Outcome.FAILED, reason=reason)

    def made(self, run: Run, name: str, content: str | bytes) -> Path:
        """A file as the run's task would leave it."""
        file = self.portal.run_folders.path(run.id) / str(run.attempt) / "made" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def journal(self, run: Run, *events: Mapping[str, Any]) -> None:
        """Append to what the runner has written down."""
        file = self.portal.run_folders.path(run.id) / str(run.attempt) / "made" / "progress.jsonl"
        with file.open("a") as lines:
            lines.writelines(json.dumps(event) + "\n" for event in events)

    def client(self, token: str | None = ADA, app: FastAPI | None = None) -> httpx.AsyncClient:
        """A browser that is signed in with this token, if any; it knows its origin but not the XSRF token."""
        cookies = {cookie_name(self.portal.addresses): self.tokens.seal(token)} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app or self.app),
            base_url=self.public,
            cookies=cookies,
            headers={"accept": "text/html", "origin": self.public},
        )

    def program(self, token: str = ADA) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=self.public + "/api/v1",
            headers={"authorization": f"token {token}"},
        )


def xsrf(token: str = ADA) -> dict[str, str]:
    return {"x-xsrftoken": f"xsrf-for-{token}"}


def little_bench(
    folder: Path,
    public: str = "http://localhost:8000",
    with_containers: bool = False,
    own_host_names: bool = False,
    **settings: Any,
) -> LittleBench:
    data = DataFolder(folder / "data")
    data.make()
    data.ledger.write_bytes(empty_ledger())
    ledger = open_ledger(database.sqlite_url(data.ledger), now)
    addresses = Addresses(public, "127.0.0.1", urlsplit(public).port or 443, 1, 2, 3, "little", own_host_names)
    in_force = Settings(**{"engines": {"local": {"people_trust_each_other": True}}, **settings})
    folders, changes = RunFolders(data.runs), Changes()
    sizes = [Size("default", "Small", 1, 3 << 29), Size("large", "Large", 4, 8 << 30)]
    pythons, made = {"python": _python(folder)}, containers(folder, data.path) if with_containers else None
    library, on_shelf = (made.library(pythons), made.shelf) if made else (None, None)
    catalogue = Catalogue(pythons, sizes, folder, library, on_shelf)
    whose = Whose(data.own_environments, lambda: "ada")
    desk = Desk(
        ledger, {"local": TakesAnything()}, catalogue, changes, lambda: None, now, uuid7, folder,
        in_force.engines.local.people_trust_each_other, may_use=whose.may_see,
    )  # fmt: skip
    tokens, handed = Tokens(public), Handed()
    teaching = Teaching(in_force.sharing.teachers, lambda: "ada")
    shelf, sweep_folders = RunShelf(data, "drybench-runs"), SweepFolders(data.sweeps)
    runs = Runs(desk, folders, shelf, data.overlays, _rules(in_force))
    told = timekeeping(desk, runs, data, in_force, public, lambda run: cause_of(portal, run))
    sessions = Sessions(desk, addresses, shelf.show)
    portal = Portal(
        settings=in_force,
        addresses=addresses,
        ledger=ledger,
        run_folders=folders,
        catalogue=catalogue,
        sessions=sessions,
        holding=Holding(desk, sessions, folders, shelf, "drybench-runs", data.tasks),
        runs=runs,
        sweeps=Sweeps(desk, SweepBook(ledger), sweep_folders, runs, folders, in_force.runs.sweep_most),
        changes=changes,
        identity=tokens,  # type: ignore[arg-type]
        handover=handed,
        schedules=told.schedules,
        channels=told.channels,
        files=OwnFiles(desk, in_force.folders.shown, data.path),
        handed_in=HandedIn(data.handed_in, uuid7, in_force.runs.notebook_limit),
        workshop=workshop(desk, data, in_force, public, whose, **_making(made)),
        shares=Shares(desk, sessions, ShareBook(ledger), Guests(changes), own_host_names, tokens.people, teaching),
        guest_key=partial(rules.guest_key, "a secret of this bench"),
        keeping=KeepingRuns(desk, folders, shelf, sweep_folders, Rule(0, now())),
    )
    return LittleBench(data, portal, create_app(portal), tokens, handed, told, made)


def now() -> datetime:
    return datetime.now(UTC)


def _making(made: Containers | None) -> dict[str, Any]:
    if made is None:
        return {}
    return {"builds": made.builds, "building": made.building, "shelf": made.shelf, "tending": made.tending}


def _rules(in_force: Settings) -> Rules:
    return Rules(in_force.runs.notebook_limit, hold_most=in_force.runs.hold_most)


def _python(folder: Path) -> Path:
    kernel = folder / "python" / "share/jupyter/kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text('{"argv": ["python"]}')
    return folder / "python"


def without_environments(bench: LittleBench) -> Library:
    """Until what this gives is put back."""
    catalogue = bench.portal.catalogue
    before, catalogue._library = catalogue._library, Library((), {}, lambda *_: "")  # pyright: ignore[reportPrivateUsage]
    catalogue.reread()
    return before
