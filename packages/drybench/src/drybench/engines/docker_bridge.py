"""The bridge of the containers' network, on which the proxy listens before the first container starts.

Docker makes it with the network. Podman makes it with the first container and may take it away with the
last; one that is there already it takes for its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from ipaddress import IPv4Network
from pathlib import Path

from drybench.engines.docker_firewall import PLACES
from drybench.engines.docker_rules import Network

INTERFACES = Path("/sys/class/net")


async def is_there(network: Network) -> bool:
    """Also where it had to be made, which only root can do."""
    if not _exists(network) and os.geteuid() == 0:
        await _make(network)
    return _exists(network)


def _exists(network: Network) -> bool:
    return (INTERFACES / network.bridge).exists()


async def _make(network: Network) -> None:
    """A step may fail because Podman itself has just done it."""
    address = f"{network.gateway}/{IPv4Network(network.subnet).prefixlen}"
    await _ip("link", "add", network.bridge, "type", "bridge")
    await _ip("address", "add", address, "dev", network.bridge)
    await _ip("link", "set", network.bridge, "up")


async def _ip(*words: str) -> None:
    program = shutil.which("ip", path=PLACES)
    if program is not None:
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(program, *words, stdout=quiet, stderr=quiet)
        await process.wait()
