"""Sets the rules of `docker_rules.py`: by the machine's own `iptables`, as root or by way of Docker.

Who may use Docker may do this, so a portal without root does it in a container of one moment. That one
is made from nothing and sees the machine's own programs: no image is trusted with this network, and the
rules go into the same tables that Docker's own rules are in.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiodocker import Docker, DockerError

from drybench.engines import docker_rules
from drybench.engines.docker_connection import away
from drybench.engines.docker_rules import Lines, Network, Reach
from drybench.errors import NotGuarded

Restore = Callable[[str, Lines], Awaitable[str]]  # a program and what it takes → its complaint; empty: it is done

IPV4, IPV6 = "iptables-restore", "ip6tables-restore"
PLACES = "/usr/sbin:/sbin:/usr/bin:/bin"
OPTIONS = ("--noflush", "--wait", "5")  # seconds, while somebody else sets rules
NOTHING = "drybench-nothing:1"
OF_THE_MACHINE = tuple(f"/{name}" for name in ("usr", "bin", "sbin", "lib", "lib64", "etc", "run/xtables.lock"))
NEIGHBOURS = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def restore(docker: Docker, network: Network) -> Restore:
    return by_program if os.geteuid() == 0 else ByContainer(docker, f"{network.name}-firewall")


async def guard(network: Network, reach: Reach, restore: Restore) -> None:
    """The rules are there afterwards, whatever was there before; else NotGuarded."""
    if not _sees_neighbours():
        raise NotGuarded(why=f"what containers send one another passes no firewall ({NEIGHBOURS} is 0)")
    await _set(restore, IPV4, docker_rules.set_again(network, reach), docker_rules.set_first(network, reach))
    if _has_ipv6():
        await _set(restore, IPV6, docker_rules.ipv6_again(network), docker_rules.ipv6_first(network))


async def unguard(network: Network, restore: Restore) -> None:
    """What is not there need not be taken away."""
    await restore(IPV4, docker_rules.take_away(network))
    await restore(IPV6, docker_rules.ipv6_take_away(network))


async def by_program(program: str, lines: Lines) -> str:
    found = shutil.which(program, path=PLACES)
    if found is None:
        return f"{program} is not installed"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(found, *OPTIONS, stdin=pipe, stdout=pipe, stderr=pipe)
    _, said = await process.communicate(_text(lines).encode())
    return said.decode(errors="replace").strip() or f"{program} failed" if process.returncode else ""


class ByContainer:
    """For a portal that is not root. Its container has a name, so that one that was left behind is cleared away."""

    def __init__(self, docker: Docker, name: str) -> None:
        self._docker = docker
        self._name = name

    async def __call__(self, program: str, lines: Lines) -> str:
        try:
            await _make_nothing(self._docker)
            return await self._run(program, lines)
        except DockerError as error:
            if away(error):
                raise
            return error.message

    async def _run(self, program: str, lines: Lines) -> str:
        containers: Any = self._docker.containers
        with suppress(DockerError):
            await containers.container(self._name).delete(force=True)
        container = await containers.create(_one_moment(program, _text(lines)), name=self._name)
        try:
            await container.start()
            ended = await container.wait()
            said = "".join(await container.log(stdout=True, stderr=True))
            return said.strip() or f"{program} failed" if ended["StatusCode"] else ""
        finally:
            await container.delete(force=True)


def _sees_neighbours() -> bool:
    """Where there is no such file, Docker has seen to it otherwise, or makes no such network."""
    return not NEIGHBOURS.exists() or NEIGHBOURS.read_text().strip() != "0"


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists()


async def _set(restore: Restore, program: str, again: Lines, first: Lines) -> None:
    """`again` fails as a whole where nothing leads to the rules yet."""
    if await restore(program, again) and (complaint := await restore(program, first)):
        raise NotGuarded(why=complaint.splitlines()[0])


async def _make_nothing(docker: Docker) -> None:
    """An image without a single file: two empty blocks are a whole archive."""
    try:
        await docker.images.inspect(NOTHING)
    except DockerError as error:
        if error.status != 404:
            raise
        name, _, tag = NOTHING.partition(":")
        source = {"fromSrc": "-", "repo": name, "tag": tag}
        headers = {"Content-Type": "application/x-tar"}
        async with docker._query("images/create", "POST", params=source, data=bytes(1024), headers=headers) as answer:  # pyright: ignore[reportPrivateUsage]
            await answer.read()


def _one_moment(program: str, text: str) -> Mapping[str, Any]:
    command = f'printf "%s" "$RULES" | {program} {" ".join(OPTIONS)}'
    return {
        "Image": NOTHING,
        "Entrypoint": ["/bin/sh", "-c", command],
        "User": "0:0",
        "Env": [f"RULES={text}", f"PATH={PLACES}"],
        "HostConfig": {
            "NetworkMode": "host",
            "UsernsMode": "host",
            "CapDrop": ["ALL"],
            "CapAdd": ["NET_ADMIN", "NET_RAW"],  # the older kind of iptables opens a raw socket
            "SecurityOpt": ["no-new-privileges", "label=disable"],
            "ReadonlyRootfs": True,
            "Mounts": [
                {"Type": "bind", "Source": place, "Target": place, "ReadOnly": place != "/run/xtables.lock"}
                for place in OF_THE_MACHINE
                if Path(place).exists()
            ],
        },
    }


def _text(lines: Lines) -> str:
    return "".join(f"{line}\n" for line in lines)
