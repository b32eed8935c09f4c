"""A session's server that shows screens, without a Hub or a container: the owner is who has the token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import plain_http
from tests.free_ports import free_port
from tests.waiting import PATIENCE, wait_for

OPENS = "the-owners-own-token"
GUESTS_KEY = "c0ffee" * 10  # what the portal would show
DESKTOP = {"name": "desktop", "title": "Desktop", "command": None}
QUICKLY = """
from drybench_runner.quick_imports import ADDRESSES, without
with without(ADDRESSES):
    from jupyter_server.serverapp import main
main()
"""  # as a session's server is started
XTERM = {"name": "xterm", "title": "A terminal", "command": ["xterm", "-e", "cat"]}


@dataclass
class Desktops:
    home: Path
    task: Path  # DRYBENCH_TASK_DIR
    url: str  # ends with /
    log: Path
    server: subprocess.Popen[bytes] = field(repr=False)

    def page(self, app: str) -> str:
        """As a browser opens it, signed in."""
        return f"{self.url}{app}/?token={OPENS}"

    def stream(self, app: str, **query: str) -> str:
        """The websocket's address, signed in."""
        asked = "&".join(f"{name}={value}" for name, value in {**query, "token": OPENS}.items())
        return f"ws{self.url.removeprefix('http')}drybench/screens/{app}/stream?{asked}"

    def ask(self, method: str, path: str, sent: Any = None, token: str | None = OPENS) -> httpx.Response:
        headers = {"Authorization": f"token {token}"} if token else {}
        return plain_http.ask(method, f"{self.url}{path}", json=sent, headers=headers)

    def says(self, app: str) -> dict[str, Any]:
        return self.ask("GET", f"drybench/screens/{app}").json()

    def start(self, app: str) -> None:
        assert self.ask("POST", f"drybench/screens/{app}", {"action": "start"}).is_success
        wait_for(lambda: self.says(app)["state"] != "starting")

    def processes(self, name: str = "") -> dict[int, str]:
        """What it started, itself too, by number; those whose name begins so."""
        listed = subprocess.run(["ps", "-eo", "pid=,stat=,comm="], capture_output=True, text=True, check=True).stdout
        running = [line.split(None, 2) for line in listed.splitlines()]
        found = {int(pid): is_now for pid, state, is_now in running if state[0] != "Z" and is_now.startswith(name)}
        return {
            pid: is_now for pid, is_now in found.items() if variables(pid).get("DRYBENCH_TASK_DIR") == str(self.task)
        }

    def process(self, name: str) -> int:
        return next(iter(wait_for(lambda: self.processes(name))))


def variables(pid: int) -> dict[str, str]:
    """None where it has ended."""
    try:
        said = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in said.split("\0") if "=" in line)


@contextmanager
def desktops(
    folder: Path, apps: Sequence[Mapping[str, Any]] = (DESKTOP, XTERM), told: Mapping[str, str] | None = None
) -> Iterator[Desktops]:
    """Nothing of it is left afterwards."""
    home, task, log = folder / "home", folder / "task", folder / "log"
    for new in (home, task):
        new.mkdir()
    port = free_port()
    variables = {"DRYBENCH_APPS": json.dumps(apps), "DRYBENCH_TASK_DIR": str(task), "DRYBENCH_GUEST": GUESTS_KEY}
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-c", QUICKLY, *_words(port)],
            cwd=home,
            env={**_alone(home), **variables, **(told or {})},
            stdout=said,
            stderr=said,
        )
    session = Desktops(home, task, f"http://127.0.0.1:{port}/user/ada/", log, server)
    try:
        wait_for(lambda: _answers(session), 3 * PATIENCE)  # it takes in a server's whole code
        yield session
    finally:
        server.terminate()
        try:
            server.wait(PATIENCE)
        finally:
            server.kill()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktops]:
    """One for the tests of a file, for those that leave its screens as they were."""
    with desktops(tmp_path_factory.mktemp("desktops")) as session:
        yield session


def _words(port: int) -> list[str]:
    words = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"]
    words += ["--ServerApp.base_url=/user/ada/", f"--IdentityProvider.token={OPENS}"]
    return [*words, "--ServerApp.jpserver_extensions={'drybench_session': True}"]


def _alone(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "SHELL": os.environ.get("SHELL", "/bin/sh")}


def _answers(session: Desktops) -> bool:
    assert session.server.poll() is None, session.log.read_text()
    try:
        return session.ask("GET", "api/status").is_success
    except httpx.TransportError:
        return False
