"""JupyterLab's server as the Python environment has it, without a Hub: in a session or outside one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests import plain_http
from tests.free_ports import free_port
from tests.waiting import PATIENCE, wait_for

OPENS = "the-owners-own-token"


class Lab:
    """JupyterLab's server, without a Hub; its home is its files."""

    def __init__(self, home: Path, url: str, log: Path) -> None:
        self.home = home
        self.url = url
        self.log = log

    def write(self, name: str, content: bytes) -> None:
        file = self.home / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)

    def ask(self, method: str, path: str, sent: Any = None, token: str | None = OPENS) -> httpx.Response:
        headers = {"Authorization": f"token {token}"} if token else {}
        return plain_http.ask(method, f"{self.url}{path}", json=sent, headers=headers)

    def page_says(self) -> Mapping[str, Any]:
        page = self.ask("GET", "lab").text
        found = re.search(r'id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL)
        assert found
        return json.loads(found[1])


@contextmanager
def jupyterlab(python: Path, folder: Path, told: Mapping[str, str]) -> Iterator[Lab]:
    home, log = folder / "home", folder / "log"
    home.mkdir()
    port = free_port()
    words = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", "--ServerApp.base_url=/user/ada/"]
    environ = {**alone(python, home), **told}
    command = [str(python / "bin/jupyter"), "lab", *words, f"--IdentityProvider.token={OPENS}"]
    with log.open("wb") as said:
        server = subprocess.Popen(command, cwd=home, env=environ, stdout=said, stderr=said)
    lab = Lab(home, f"http://127.0.0.1:{port}/user/ada/", log)
    try:
        wait_for(lambda: _answers(lab), 3 * PATIENCE)  # it takes in a server's whole code
        yield lab
    finally:
        server.kill()  # asked kindly it waits for what JupyterLab looks for in the network
        server.wait(PATIENCE)


def alone(python: Path, home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": f"{python}/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def _answers(lab: Lab) -> bool:
    try:
        return lab.ask("GET", "api/status").is_success
    except httpx.TransportError:
        return False
