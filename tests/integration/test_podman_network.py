"""The network of containers as Podman makes it: the same things are reached, and the same are not."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drybench import ports
from drybench.addresses import Addresses, with_tasks_door
from drybench.data_folder import DataFolder
from drybench.engines import docker_network
from drybench.engines.docker_connection import connect
from drybench.engines.docker_network import GuardedNetwork
from drybench.engines.docker_rules import Network
from drybench.settings_sections import DockerEngine
from tests.integration import outside
from tests.integration.containers import Task, container
from tests.integration.outside import ANSWER, HERE, METADATA, PORT, THERE, code, running
from tests.waiting import wait_for

pytestmark = pytest.mark.needs("podman", "iptables")
PLAIN = DockerEngine()


@pytest.fixture
def bench_id(podman_url: str) -> Iterator[str]:
    id = secrets.token_hex(8)
    yield id
    asyncio.run(remove(podman_url, id))


async def remove(url: str, id: str) -> None:
    async with connect(url) as podman:
        await docker_network.remove(podman, id)


def test_what_a_container_of_podman_reaches(
    podman_url: str, python_image_in_podman: str, bench_id: str, tmp_path: Path
) -> None:
    image, socket = python_image_in_podman, Path(podman_url.removeprefix("unix://"))
    chosen = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, bench_id)
    network = asyncio.run(docker_network.made(podman_url, chosen, PLAIN))
    here = with_tasks_door(chosen, network.gateway, network.subnet, DataFolder(tmp_path))
    with ExitStack() as stack:
        stack.enter_context(outside.outside())
        other = ports.on("0.0.0.0", 0, taken=here.tasks_port)
        for address, port in ((network.gateway, here.tasks_port), ("::", other)):  # before the first container
            stack.enter_context(running(ANSWER, address, str(port)))

        def started(*command: str) -> Task:
            name = container(image, "--network", network.name, command=command or ("sleep", "600"), socket=socket)
            return Task(stack.enter_context(name), network, socket)

        task, neighbour = started(), started("python3", "-c", ANSWER, "0.0.0.0", str(PORT))
        wait_for(lambda: code(neighbour.address, PORT) == "200")
        by_ipv6 = wait_for(lambda: link_local(network))
        wait_for(lambda: task.code(by_ipv6, other) == task.code(HERE, other) == task.code(METADATA, 80) == "200")
        asyncio.run(GuardedNetwork(podman_url, here, PLAIN).ready())
        wait_for(lambda: task.code(THERE, PORT) == task.code(network.gateway, here.tasks_port) == "200")
        forbidden = ((neighbour.address, PORT), (METADATA, 80), (HERE, other), (by_ipv6, other))
        assert [host for host, port in forbidden if task.reaches(host, port)] == []


def link_local(network: Network) -> str:
    """The bridge, as its containers can call it without an address of their own; empty until it has one."""
    command = ["ip", "-j", "-6", "address", "show", "dev", network.bridge]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return next((f"[{one['local']}%25eth0]" for one in shown[0]["addr_info"]), "")
