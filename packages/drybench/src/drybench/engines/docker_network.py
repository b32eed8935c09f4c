"""The network that a bench's containers are on: found or made, and guarded.

Each bench has its own. Its containers reach what the machine reaches, by way of the machine, but not one
another; what else they do not reach, `docker_rules.py` says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import structlog
from aiodocker import Docker, DockerError

from drybench.addresses import Addresses
from drybench.engines import docker_bridge, docker_firewall, docker_rules
from drybench.engines.docker_connection import away, connect, reaching
from drybench.engines.docker_firewall import Restore
from drybench.engines.docker_rules import Network, Reach
from drybench.errors import DrybenchError, NetworkInUse, NetworkNotMade, NotGuarded
from drybench.settings_sections import DockerEngine

log = structlog.get_logger("docker")

BENCH = "org.drybench.bench"
PODMAN = "Podman Engine"
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
FRESH, FRESH_BY_CONTAINER = 10.0, 60.0  # seconds for which rules that were set are taken to be there


async def made(url: str, here: Addresses, said: DockerEngine) -> Network:
    """For `drybench up`, before the proxy starts, which listens on its bridge. NetworkNotMade or DockerAway."""
    with reaching():
        async with connect(url) as docker:
            network = await ensure(docker, here.bench_id, said.subnet, here.tasks_subnet)
    if not await docker_bridge.is_there(network):
        raise NetworkNotMade(why=f"its bridge {network.bridge} is not on this machine, or not for this account")
    return network


async def unmade(url: str, here: Addresses) -> None:
    """For `drybench down`, when no task is left. NetworkInUse or DockerAway."""
    with reaching():
        async with connect(url) as docker:
            try:
                await remove(docker, here.bench_id)
            except DockerError as error:
                if away(error):
                    raise
                raise NetworkInUse(why=error.message) from error


async def ensure(docker: Docker, bench_id: str, subnet: str = "", before: str = "") -> Network:
    """The bench's network, made where it is not there. Docker chooses what is free, unless the keeper has said it.

    `before` is what it had when it was there last: sessions that live and the door have addresses in it.
    """
    complaint = ""
    for wish in dict.fromkeys([subnet] if subnet else [before, ""]):
        if found := await find(docker, bench_id):  # from before, or somebody else was quicker
            return found
        try:
            await docker.networks.create(_plan(bench_id, wish))
        except DockerError as error:
            complaint = error.message
    if found := await find(docker, bench_id):
        return found
    raise NetworkNotMade(why=complaint)


async def find(docker: Docker, bench_id: str) -> Network | None:
    try:
        shown: Any = await (await docker.networks.get(name(bench_id))).show()
    except DockerError as error:
        if error.status == 404:
            return None
        raise
    given = shown["IPAM"]["Config"][0]
    return Network(shown["Name"], _bridge(bench_id), _gateway(given), given["Subnet"])


async def remove(docker: Docker, bench_id: str) -> None:
    """The network with its rules. Docker refuses while something runs on it."""
    if network := await find(docker, bench_id):
        await (await docker.networks.get(network.name)).delete()
        await docker_firewall.unguard(network, docker_firewall.restore(docker, network))


def name(bench_id: str) -> str:
    return f"drybench-{bench_id}"


class GuardedNetwork:
    """For the engine, which starts nothing before `ready` is back, and for the portal, which lets it `run`.

    Rules vanish: somebody flushes the firewall, the network is pruned. So they are set again and again.
    """

    def __init__(self, url: str, here: Addresses, said: DockerEngine) -> None:
        self._url = url
        self._here = here
        self._said = said
        self._fresh = FRESH if os.geteuid() == 0 else FRESH_BY_CONTAINER
        self._one_at_a_time = asyncio.Lock()
        self._ready: tuple[float, Network] | None = None

    async def ready(self) -> Network:
        """There, and guarded a moment ago; else NotGuarded, NetworkNotMade or DockerAway."""
        async with self._one_at_a_time:
            if self._ready and time.monotonic() - self._ready[0] < self._fresh:
                return self._ready[1]
            self._ready = None
            network = await self._found_and_guarded()
            self._ready = (time.monotonic(), network)
            return network

    async def run(self) -> None:
        """Also while nothing is started, for what runs."""
        while True:
            try:
                await self.ready()
            except DrybenchError as error:
                log.warning("the network of tasks is not ready", why=error.sentence)
            await asyncio.sleep(self._fresh)

    async def _found_and_guarded(self) -> Network:
        with reaching():
            async with connect(self._url) as docker:
                network = await ensure(docker, self._here.bench_id, self._said.subnet, self._here.tasks_subnet)
                await docker_bridge.is_there(network)
                names = await name_servers(docker, network)
                await self._guard(network, names, docker_firewall.restore(docker, network))
        return network

    async def _guard(self, network: Network, names: Sequence[str], restore: Restore) -> None:
        door = self._here.tasks_port if self._here.tasks_door else 0
        reach = Reach(door, self._said.may_not_reach, names)
        try:
            await docker_firewall.guard(network, reach, restore)
        except NotGuarded as error:
            if not self._said.without_firewall:
                raise
            log.warning("tasks start without a firewall, as the settings say", why=error.sentence)


async def name_servers(docker: Docker, network: Network) -> tuple[str, ...]:
    """Whom containers ask for names. Podman has one of its own on the bridge; Docker's is inside each container."""
    version: Any = await docker.version()
    own = [network.gateway] if PODMAN in (part["Name"] for part in version.get("Components") or ()) else []
    return tuple(dict.fromkeys((*await asyncio.to_thread(resolvers), *own)))


def resolvers() -> list[str]:
    """Who looks up names for this machine. They change when a laptop moves."""
    return [server for file in RESOLVERS if file.exists() for server in docker_rules.nameservers(file.read_text())]


def _plan(bench_id: str, subnet: str) -> dict[str, Any]:
    return {
        "Name": name(bench_id),
        "Driver": "bridge",
        "CheckDuplicate": True,
        "EnableIPv6": False,
        "Options": {
            "com.docker.network.bridge.name": _bridge(bench_id),
            "com.docker.network.bridge.enable_icc": "false",
        },
        "Labels": {BENCH: bench_id},
        "IPAM": {"Config": [{"Subnet": subnet, "Gateway": _gateway({"Subnet": subnet})}] if subnet else []},
    }


def _bridge(bench_id: str) -> str:
    """An interface's name has 15 characters at most."""
    return f"db-{bench_id[:12]}"


def _gateway(given: dict[str, str]) -> str:
    return given.get("Gateway", "").partition("/")[0] or str(next(IPv4Network(given["Subnet"]).hosts()))
