"""A session as its owner has it, with a kernel that remembers; and what ledger, Hub and machine say of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import websocket

from drybench import database
from drybench.engines.processes import Identity
from drybench.hub_client import HubClient, HubServer
from drybench.ledger import Ledger, open_ledger
from drybench.model import Session
from drybench.phases import Phase, Wanted
from drybench.secret_files import secret
from drybench_client import Bench as Client
from tests.bench import Bench
from tests.waiting import PATIENCE, wait_for


@dataclass(frozen=True)
class Somebody:
    """With a browser and a terminal; and the ledger is read here even while the portal is away."""

    bench: Bench
    browser: httpx.Client
    hand: Client
    ledger: Ledger

    def session(self, name: str, size: str | None = None, environment: str = "python") -> LivingSession:
        return LivingSession(self, self.hand.start_session(name=name, size=size, environment=environment)["id"])

    def at_hub(self) -> Mapping[str, HubServer]:
        return {server.session: server for server in asyncio.run(_servers(self.bench))}


@contextmanager
def the_owner(bench: Bench) -> Iterator[Somebody]:
    with bench.signed_in() as browser, bench.owner() as hand, closing(_ledger_of(bench)) as ledger:
        yield Somebody(bench, browser, hand, ledger)


@contextmanager
def somebody(bench: Bench, name: str) -> Iterator[Somebody]:
    """Who signs in by a name, where the bench's authenticator is the one that believes everybody."""
    with bench.browser() as browser:
        page = browser.get("/hub/login", headers={"Accept": "text/html"})
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert xsrf, page.text
        form = {"username": name, "password": "", "_xsrf": xsrf[1]}
        browser.post("/hub/login", data=form, headers={"Accept": "text/html"}).raise_for_status()
        token = hub_api(browser, "POST", f"/users/{name}/tokens", json={"note": "a test's"}).json()["token"]
        with Client(bench.url, token) as hand, closing(_ledger_of(bench)) as ledger:
            yield Somebody(bench, browser, hand, ledger)


def hub_api(browser: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """As a page of the Hub asks it."""
    xsrf = re.search(r'xsrf_token: "([^"]+)"', browser.get("/hub/token", headers={"Accept": "text/html"}).text)
    assert xsrf
    return browser.request(method, f"/hub/api{path}?_xsrf={xsrf[1]}", **more).raise_for_status()


def _ledger_of(bench: Bench) -> Ledger:
    return open_ledger(database.sqlite_url(bench.data.ledger), lambda: datetime.now(UTC))


class LivingSession:
    def __init__(self, owner: Somebody, id: str) -> None:
        self._owner = owner
        self._id = id
        self.task = self.now.task.id
        self._kernel = ""

    @property
    def now(self) -> Session:
        """As the ledger has it."""
        session = self._owner.ledger.session(self._id)
        assert session
        return session

    @property
    def name(self) -> str:
        return self.now.name

    @property
    def path(self) -> str:
        return f"/user/{self.now.person}/{self.name}"

    @property
    def folder(self) -> Path:
        """Its task's, on the local engine."""
        return self._owner.bench.data.tasks / self.task

    @property
    def server(self) -> Identity:
        """Its own program: a process of this machine."""
        identity = Identity.from_json(json.loads((self.folder / "command.json").read_text()))
        assert identity
        return identity

    def seen_by(self, owner: Somebody) -> LivingSession:
        """The same one, with the same kernel, in another browser."""
        seen = LivingSession(owner, self._id)
        seen._kernel = self._kernel
        return seen

    def is_phase(self, phase: Phase) -> bool:
        return self.now.task.phase is phase

    def ask_to_stop(self) -> None:
        self._owner.hand.stop_session(self._id)

    def start_again(self) -> None:
        self._owner.hand.start_session(name=self.name)
        self.task = self.now.task.id

    def answers(self) -> bool:
        """At its address, after the sign-in that a browser goes through by itself."""
        try:
            page = self._owner.browser.get(f"{self.path}/lab", headers={"Accept": "text/html"})
            return page.url.path == f"{self.path}/lab" and self._ask("GET", "/api/status").is_success
        except httpx.HTTPError:
            return False

    def must_be_the_one(self) -> None:
        """It answers; and never was there another task, another program, or one that nobody owns."""
        wait_for(self.answers, PATIENCE)
        wait_for(self._is_ready_at_hub, PATIENCE)
        now = self.now.task
        assert (now.id, now.attempt, now.phase, now.wanted) == (self.task, 1, Phase.RUNNING, Wanted.RUN)
        wait_for(lambda: len(programs(self.task)) == 1)  # what it starts is called like it for a moment

    def kernels(self) -> Mapping[str, str]:
        """What the launcher offers: names and titles."""
        found = self._ask("GET", "/api/kernelspecs").raise_for_status().json()["kernelspecs"]
        return {name: one["spec"]["display_name"] for name, one in found.items()}

    def start_kernel(self, name: str = "python3") -> None:
        self._kernel = self._ask("POST", "/api/kernels", json={"name": name}).raise_for_status().json()["id"]

    def connection(self) -> closing[websocket.WebSocket]:
        """To the kernel's channels, through the proxy."""
        port = self._owner.bench.addresses.port
        signed_in = self._owner.browser.build_request("GET", f"{self.path}/api").headers["Cookie"]
        channels = websocket.create_connection(
            f"ws://127.0.0.1:{port}{self.path}/api/kernels/{self._kernel}/channels",
            host=f"localhost:{port}",
            origin=self._owner.bench.url,
            cookie=signed_in,
            http_no_proxy=["*"],
            timeout=PATIENCE,
        )
        return closing(channels)

    def says(self, source: str) -> str:
        """By a new connection."""
        with self.connection() as channels:
            return printed(channels, source)

    def _is_ready_at_hub(self) -> bool:
        at_hub = self._owner.at_hub().get(self.name)
        return at_hub is not None and at_hub.ready and at_hub.task == self.task

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The Jupyter API, as a page of JupyterLab asks it."""
        xsrf = self._owner.browser.cookies.get("_xsrf", "", path=f"{self.path}/")
        return self._owner.browser.request(method, f"{self.path}{path}", headers={"X-XSRFToken": xsrf or ""}, **more)


def printed(channels: websocket.WebSocket, source: str) -> str:
    """What the kernel prints when it executes this."""
    asked, text = uuid4().hex, ""
    channels.send(json.dumps(_execution(asked, source)))
    while True:
        message = json.loads(channels.recv())
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
        elif message["content"].get("execution_state") == "idle":
            return text


def _execution(id: str, source: str) -> dict[str, Any]:
    content = {"code": source, "silent": False, "store_history": False, "allow_stdin": False}
    header = {"msg_id": id, "msg_type": "execute_request", "session": id, "username": "", "version": "5.3"}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}


async def _servers(bench: Bench) -> list[HubServer]:
    hub = HubClient(bench.addresses, secret(bench.data, "portal_token"))
    try:
        return list(await hub.servers())
    finally:
        await hub.close()


def programs(task: str) -> list[int]:
    """The single-user servers of this task."""
    return [pid for pid in _pids() if f"DRYBENCH_TASK={task}" in _words(pid, "environ") and _is_a_session(pid)]


def _is_a_session(pid: int) -> bool:
    return {"drybench_runner", "session"} <= set(_words(pid, "cmdline"))


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _words(pid: int, file: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # gone meanwhile, or a stranger's
        return []
