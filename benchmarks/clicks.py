"""From the click to a JupyterLab that answers, against stock JupyterHub with SimpleLocalProcessSpawner.

Both through traefik, with the same JupyterHub and the same JupyterLab, by plain HTTP: what is
measured is what the two benches do, not the browser.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.a_bench import public_address
from benchmarks.measuring import Row, Work, in_turn
from benchmarks.peers import clean_environment, peer

STOCK = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikFileProviderProxy.traefik_api_url = "http://127.0.0.1:{api_port}"
c.TraefikFileProviderProxy.traefik_api_password = "stock"
c.TraefikFileProviderProxy.traefik_api_username = "stock"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
c.JupyterHub.services = [dict(name="clicker", api_token="{token}")]
c.JupyterHub.load_roles = [dict(name="clicker", services=["clicker"],
    scopes=["admin:users", "admin:servers", "access:servers"])]
"""


def click(data: Path) -> list[Row]:
    with a_stock_hub() as (address, token):
        return [in_turn("click to JupyterLab ready", _ours(data), stock(address, token), "at most 1.0", 5)]


@contextmanager
def a_stock_hub(made: str = "hub", more: str = "") -> Generator[tuple[str, str]]:
    """Its address, and a token that may do what is measured. `made`: its environment; `more`: lines of its settings."""
    token = secrets.token_hex(16)
    port, hub_port, api_port = (free_port() for _ in range(3))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.py"
        config.write_text(STOCK.format(port=port, hub_port=hub_port, api_port=api_port, token=token) + more)
        command = [peer(made) / "bin/jupyterhub", "-f", config]
        hub = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment(peer(made)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: httpx.get(f"{address}/hub/api/").status_code == 200)
            headers = {"Authorization": f"token {token}"}
            httpx.post(f"{address}/hub/api/users/ada", headers=headers).raise_for_status()
            yield address, token
        finally:
            os.kill(hub.pid, signal.SIGTERM)
            hub.wait(60)


def stock(address: str, token: str) -> Work:
    client = httpx.Client(base_url=address, headers={"Authorization": f"token {token}"}, timeout=60)

    def once() -> None:
        client.post("/hub/api/users/ada/server").raise_for_status()
        until(lambda: client.get("/user/ada/lab").status_code == 200)

    def clear() -> None:
        client.delete("/hub/api/users/ada/server")
        until(lambda: not client.get("/hub/api/users/ada").json()["servers"])

    return Work(once, clear)


def _ours(data: Path) -> Work:
    """By the portal's socket, with a session's token of its owner for the page itself."""
    api = httpx.Client(
        transport=httpx.HTTPTransport(uds=str(data / "portal.sock")), base_url="http://bench/api/v1", timeout=60
    )
    address = public_address(data)
    running: dict[str, Any] = {}

    def once() -> None:
        asked = api.post("/sessions", json={"environment": "python"}).raise_for_status().json()
        until(lambda: running.update(api.get(f"/sessions/{asked['id']}").json()) or running["phase"] == "running")
        page = address + "/" + running["url"].split("/", 3)[3] + "lab"
        until(lambda: httpx.get(page).status_code in (200, 302))

    def clear() -> None:
        api.post(f"/sessions/{running['id']}/stop").raise_for_status()
        until(lambda: api.get(f"/sessions/{running['id']}").json()["phase"] == "ended")
        api.delete(f"/sessions/{running['id']}").raise_for_status()

    return Work(once, clear)


def until(condition: Callable[[], object], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.02)
    raise TimeoutError("it did not come true in time")


def free_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]
