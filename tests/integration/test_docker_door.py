"""The one way from a container to the bench, with a real traefik, a real Hub and a real session in a container."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drybench.addresses import Addresses, with_tasks_door
from drybench.data_folder import DataFolder
from drybench.engines import docker_firewall, docker_network
from drybench.engines.docker_connection import connect
from drybench.engines.docker_network import GuardedNetwork
from drybench.engines.docker_rules import Network
from drybench.handing_over import by_the_door
from drybench.settings_sections import DockerEngine
from tests import docker as real
from tests.bench import A_WHOLE_BENCH
from tests.integration.containers import Task, container
from tests.integration.hub_bench import SHARED, HubBench, hub_bench, sign_in
from tests.python_environment import CHECKOUT
from tests.waiting import wait_for

pytestmark = [pytest.mark.needs("docker", "iptables"), pytest.mark.timeout(900)]
LINES = f'listen = "0.0.0.0"\naddress = "http://bench.test"\n{SHARED}'
PLAIN = DockerEngine()


@pytest.fixture(scope="module")
def bench(docker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    folder = tmp_path_factory.mktemp("bench")
    try:
        with hub_bench(folder, LINES, partial(with_door, docker_url)) as bench:
            yield bench
    finally:
        asyncio.run(remove(docker_url, Addresses.load(DataFolder(folder).bench).bench_id))


def with_door(url: str, data: DataFolder, chosen: Addresses) -> Addresses:
    network = asyncio.run(docker_network.made(url, chosen, PLAIN))
    return with_tasks_door(chosen, network.gateway, network.subnet, data)


async def remove(url: str, bench_id: str) -> None:
    async with connect(url) as docker:
        await docker_network.remove(docker, bench_id)


@pytest.fixture
def network(bench: HubBench, docker_url: str) -> Network:
    return asyncio.run(GuardedNetwork(docker_url, bench.addresses, PLAIN).ready())


@pytest.fixture(scope="module")
def task(bench: HubBench, docker_url: str, python_image: str) -> Iterator[Task]:
    network = asyncio.run(docker_network.made(docker_url, bench.addresses, PLAIN))
    with container(python_image, "--network", network.name) as name:
        yield Task(name, network)


@pytest.mark.parametrize("path", ["/hub/api", "/hub/api/", "/api/v1/me", "/api/v1/runs"])
@pytest.mark.usefixtures("network")
def test_the_door_serves_the_two_apis(bench: HubBench, task: Task, path: str) -> None:
    assert task.code(*door(bench), path) == "200"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/runs",
            "/static/",
            "/health",
            "/oauth_callback",
            "/api",
            "/api/",
            "/api/overview",
            "/api/v12",
            "/live",
        ),
        *("/hub", "/hub/", "/hub/login", "/hub/home", "/hub/ticket", "/hub/apis", "/hub/api-docs", "/user/ada/one/"),
        *("/hub/api/../login", "/hub/api/%2e%2e/login", "/api/v1/../../runs", "/api/v1/%2E%2E/%2E%2E/", "//runs"),
        *("/dashboard/", "/metrics", "/ping", "/HUB/API/"),
    ],
)
@pytest.mark.usefixtures("network")
def test_the_door_serves_nothing_else(bench: HubBench, task: Task, path: str) -> None:
    assert task.code(*door(bench), path) == "404"


def test_no_other_port_of_the_bench_is_reached(bench: HubBench, task: Task, network: Network) -> None:
    here = bench.addresses
    for port in (here.port, here.hub_port, here.portal_port, here.proxy_api_port):
        assert [host for host in ("127.0.0.1", network.gateway) if task.reaches(host, port)] == []


def test_the_public_entry_is_no_second_door_even_without_rules(bench: HubBench, task: Task, network: Network) -> None:
    asyncio.run(docker_firewall.unguard(network, docker_firewall.by_program))
    for path in ("/", "/hub/api/", "/api/v1/me", "/hub/login"):
        assert task.code(network.gateway, bench.addresses.port, path) == "403"
    assert bench.get("/api/v1/me").status_code == 200


def test_a_session_in_a_container(
    bench: HubBench, network: Network, python_image: str, python_environment: Path, tmp_path: Path
) -> None:
    """Its server asks the Hub by the door; its person signs in by the public address, as everywhere."""
    browser, _ = sign_in(bench, "ada")
    asked = handed_over(bench, "ada", "one")
    env = by_the_door(asked.env, bench.addresses)
    assert not [value for value in env.values() if "127.0.0.1" in value]
    (tmp_path / "variables").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    options = (
        "--network",
        network.name,
        "--env-file",
        str(tmp_path / "variables"),
        *mounted(python_environment, tmp_path),
    )
    with (
        browser,
        container(python_image, *options, command=command(asked, python_environment), user="0:0") as it,
    ):
        session = Task(it, network)
        asked.address = f"http://{session.address}:{port_of(tmp_path, it)}"
        asked.phase, asked.answers, asked.handed_over = "running", True, True
        wait_for(lambda: bench.is_ready("ada", "one"), A_WHOLE_BENCH)
        assert browser.get("/user/ada/one/lab").status_code == 200
        assert browser.get("/user/ada/one/api/me").json()["identity"]["username"] == "ada"
        assert said_inside(session, "$JUPYTERHUB_API_URL/user")["name"] == "ada"
        assert said_inside(session, "$DRYBENCH_URL/api/v1/me")["portal"] == "/api/v1/me"
        stranger, _ = sign_in(bench, "bob")
        with stranger:
            assert stranger.get("/user/ada/one/lab").status_code == 403


def door(bench: HubBench) -> tuple[str, int]:
    there = urlsplit(bench.addresses.tasks_door)
    return str(there.hostname), int(there.port or 0)


def handed_over(bench: HubBench, person: str, session: str) -> Any:
    bench.portal.starts_at_once = False
    task = bench.task(session, person, session)
    bench.ask_hub("start_server", person, session, session)
    wait_for(lambda: task.handovers)
    return task


def mounted(python: Path, own: Path) -> tuple[str, ...]:
    """This machine's Python, which knows its places, and a folder of the task's own."""
    places = (sys.base_prefix, python.resolve(), CHECKOUT / "packages")
    read = [f"type=bind,source={place},target={place},readonly" for place in places]
    mounts = [*read, f"type=bind,source={own},target=/drybench/task"]
    variables = ("DRYBENCH_TASK_DIR=/drybench/task", "HOME=/tmp")
    return tuple(word for mount in mounts for word in ("--mount", mount)) + tuple(
        word for variable in variables for word in ("--env", variable)
    )


def command(asked: Any, python: Path) -> tuple[str, ...]:
    assert asked.command[0] == "python"
    return (str(python.resolve() / "bin" / "python"), *asked.command[1:])


def port_of(own: Path, name: str) -> int:
    wrote = own / "address.json"
    wait_for(lambda: wrote.exists() or not real.inspected(name)["State"]["Running"], A_WHOLE_BENCH)
    assert wrote.exists(), real.docker("logs", name)
    return json.loads(wrote.read_text())["port"]


def said_inside(session: Task, address: str) -> Any:
    ask = f'curl -s --max-time 60 -H "Authorization: token $JUPYTERHUB_API_TOKEN" {address}'
    return json.loads(real.docker("exec", session.name, "sh", "-c", ask))
