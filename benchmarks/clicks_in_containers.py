"""From the click to a JupyterLab in a container, against stock JupyterHub with DockerSpawner.

Both through traefik, with the same JupyterHub and the same image, each with a token that the session has to ask
its Hub about.
"""

from __future__ import annotations

import re
import secrets
import statistics
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.a_bench import public_address
from benchmarks.clicks import a_stock_hub, stock, until
from benchmarks.in_containers import BASE, a_bench_in_containers, docker, images, remove_containers
from benchmarks.measuring import Row, Work, in_turn, median_and_p95
from drybench.data_folder import DataFolder
from drybench.hub.tickets import new_ticket

DOCKER_SPAWNER = """
c.JupyterHub.spawner_class = "docker"
c.JupyterHub.hub_ip = "{gateway}"
c.Spawner.args = []
c.DockerSpawner.image = "{image}"
c.DockerSpawner.cmd = ["jupyterhub-singleuser"]
c.DockerSpawner.network_name = "{network}"
c.DockerSpawner.name_template = "{network}-{{username}}"
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
"""
ONE_STANDS_READY = f"""
[accounts]
of = "shared"
shared_uid = 20000
[engines.docker]
cores = 2
[ready]
most = 0
[ready.pool]
{BASE} = 1
"""
LOOKS_AT_HOME = 1.0  # second from a session that stands ready to the click
PAGE = {"Accept": "text/html"}


def click(times: int = 20) -> list[Row]:
    with a_bench_in_containers() as data, a_docker_hub(images(data)[BASE]) as (address, token):
        owner, what = Owner(data), "click to JupyterLab in a container"
        cold = in_turn(what, owner.clicks(), stock(address, token), "at most 0.8", times, median_and_p95)
        return [cold, *_started_ahead(owner, times)]


def warm_click(times: int = 20) -> list[Row]:
    """On a session that stands ready for whoever comes first."""
    with a_bench_in_containers(ONE_STANDS_READY) as data, a_docker_hub(images(data)[BASE]) as (address, token):
        what, goal = "click to JupyterLab that stands ready for anybody, in a container", "at most 0.3"
        return [in_turn(what, Owner(data).warm_clicks(), stock(address, token), goal, times, median_and_p95)]


def some_clicks() -> list[Row]:
    return [*click(3), *warm_click(3)]


@contextmanager
def a_docker_hub(image: str, settings: str = "") -> Generator[tuple[str, str]]:
    """On a network of its own, at whose gateway its containers find it."""
    network = f"drybench-figures-{secrets.token_hex(4)}"
    docker("network", "create", network)
    try:
        gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network)
        more = DOCKER_SPAWNER.format(gateway=gateway, image=image, network=network)
        with a_stock_hub("docker_hub", more + settings) as hub:
            yield hub
    finally:
        remove_containers(f"name={network}-")
        docker("network", "rm", network)


class Owner:
    """By the portal's socket, with a token of their own for the page itself."""

    def __init__(self, data: Path) -> None:
        socket = httpx.HTTPTransport(uds=str(data / "portal.sock"))
        self._data = data
        self._api = httpx.Client(transport=socket, base_url="http://bench/api/v1", timeout=60)
        self._web = httpx.Client(base_url=public_address(data), timeout=60)
        self._web.headers["Authorization"] = f"token {self._new_token()}"

    def clicks(self) -> Work:
        """With nothing ready."""
        running: dict[str, Any] = {}

        def clear() -> None:
            self.stop(running["id"])
            self._api.delete(f"/sessions/{running['id']}").raise_for_status()

        return Work(lambda: running.update(self.opens(self.asks())), clear)

    def warm_clicks(self) -> Work:
        """Each when another one stands ready, which nobody waits for."""
        click = self.clicks()
        self._until_one_stands_ready()

        def clear() -> None:
            click.clear()
            self._until_one_stands_ready()

        return Work(click.do, clear)

    def asks(self, **more: str) -> str:
        """For a session; its id."""
        asked = self._api.post("/sessions", json={"environment": BASE, **more}).raise_for_status()
        return asked.json()["id"]

    def opens(self, session: str) -> dict[str, Any]:
        until(lambda: self._get(session)["phase"] == "running")
        found = self._get(session)
        self._loads(found)
        return found

    def clicks_again(self, session: str) -> None:
        self._api.post(f"/sessions/{session}/start").raise_for_status()
        self.opens(session)

    def stop(self, session: str) -> None:
        self._api.post(f"/sessions/{session}/stop").raise_for_status()
        until(lambda: self._get(session)["phase"] == "ended")

    def signs_in(self) -> httpx.Client:
        """By a ticket, as far as Home."""
        browser = httpx.Client(base_url=public_address(self._data), follow_redirects=True, timeout=60, headers=PAGE)
        form = {"_xsrf": _found(r'name="_xsrf" value="([^"]+)"', browser.get("/hub/ticket").text)}
        browser.post("/hub/ticket", data={**form, "code": new_ticket(DataFolder(self._data))}).raise_for_status()
        browser.get("/").raise_for_status()
        return browser

    def runs(self, session: str) -> bool:
        return self._get(session)["phase"] == "running"

    def _until_one_stands_ready(self) -> None:
        until(lambda: self._api.get("/machine").json()["ready_sessions"] == 1)

    def _new_token(self) -> str:
        with closing(self.signs_in()) as browser:
            xsrf = _found(r'xsrf_token: "([^"]+)"', browser.get("/hub/token").text)
            name = browser.get("/api/v1/me").json()["name"]
            made = browser.post(f"/hub/api/users/{name}/tokens?_xsrf={xsrf}", json={"note": "figures"})
            return made.raise_for_status().json()["token"]

    def _get(self, session: str) -> dict[str, Any]:
        return self._api.get(f"/sessions/{session}").raise_for_status().json()

    def _loads(self, found: dict[str, Any]) -> None:
        page = "/" + found["url"].split("/", 3)[3] + "lab"
        until(lambda: self._web.get(page).status_code == 200)


def _started_ahead(owner: Owner, times: int) -> list[Row]:
    """Beside the same click on a session that was open already."""
    session = owner.asks()
    owner.opens(session)
    owner.stop(session)
    ahead, open_already = zip(*(_two_clicks(owner, session) for _ in range(times + 1)), strict=True)
    more = statistics.median(a - b for a, b in zip(ahead[1:], open_already[1:], strict=True))
    return [
        Row("the same, started ahead at sign-in", median_and_p95(ahead[1:])),
        Row("… a session that is open already", median_and_p95(open_already[1:])),
        Row("… what the first of these costs more", f"{more:.2f} s", goal="at most 0.3 s"),
    ]


def _two_clicks(owner: Owner, session: str) -> tuple[float, float]:
    owner.signs_in().close()
    until(lambda: owner.runs(session))
    time.sleep(LOOKS_AT_HOME)
    twice = Work(lambda: owner.clicks_again(session))
    seconds = twice.seconds(), twice.seconds()
    owner.stop(session)
    return seconds


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]
