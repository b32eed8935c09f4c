"""The network that a bench's containers are on: found or made, and guarded.

Each bench has its own. Its containers reach what the machine reaches, by way of the machine, but not one
another; what else they do not reach, `docker_rules.py` says.
"""

from __future__ import annotations

import asyncio
import os
import time
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import structlog
from aiodocker import Docker, DockerError

from drybench.engines import docker_firewall, docker_rules
from drybench.engines.docker_connection import reaching
from drybench.engines.docker_rules import Network, Reach
from drybench.errors import DrybenchError, NetworkNotMade, NotGuarded

log = structlog.get_logger("docker")

BENCH = "org.drybench.bench"
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
FRESH, FRESH_BY_CONTAINER = 10.0, 60.0  # seconds for which rules that were set are taken to be there


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
        await docker_firewall.unguard(network, docker_firewall.restore(docker))


def name(bench_id: str) -> str:
    return f"drybench-{bench_id}"


class GuardedNetwork:
    """For the engine, which starts nothing before `ready` is back, and for the portal, which lets it `run`.

    Rules vanish: somebody flushes the firewall, the network is pruned. So they are set again and again.
    """

    def __init__(
        self,
        docker: Docker,
        bench_id: str,
        reach: Reach,
        subnet: str = "",
        before: str = "",
        without_firewall: bool = False,
    ) -> None:
        self._docker = docker
        self._bench = bench_id
        self._reach = reach
        self._subnet, self._before = subnet, before
        self._without_firewall = without_firewall
        self._restore = docker_firewall.restore(docker)
        self._fresh = FRESH if os.geteuid() == 0 else FRESH_BY_CONTAINER
        self._one_at_a_time = asyncio.Lock()
        self._ready: tuple[float, Network] | None = None

    async def ready(self) -> Network:
        """There, and guarded a moment ago; else NotGuarded, NetworkNotMade or DockerAway."""
        async with self._one_at_a_time:
            if self._ready and time.monotonic() - self._ready[0] < self._fresh:
                return self._ready[1]
            self._ready = None
            with reaching():
                network = await ensure(self._docker, self._bench, self._subnet, self._before)
                await self._guard(network)
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

    async def _guard(self, network: Network) -> None:
        try:
            await docker_firewall.guard(network, self._reach, self._restore)
        except NotGuarded as error:
            if not self._without_firewall:
                raise
            log.warning("tasks start without a firewall, as the settings say", why=error.sentence)


def resolvers() -> tuple[str, ...]:
    """Who looks up names for this machine, and so for its containers."""
    return tuple(
        dict.fromkeys(
            server for file in RESOLVERS if file.exists() for server in docker_rules.nameservers(file.read_text())
        )
    )


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
