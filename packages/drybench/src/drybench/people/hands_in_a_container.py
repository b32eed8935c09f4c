"""The hands of a portal that is not root, where tasks have accounts of their own: a container that does it and is gone.

It has an empty image and this machine's own tools, read-only, so that no task's image has to be trusted or there.
It has no network, sees one folder, and is the account that owns what is to be had back; root it is only to give a
new folder away, with the one capability that this needs.
"""

# pyright: standard

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError
from aiohttp import ClientError

from drybench.errors import HandsTied
from drybench.people.hands import strangers

IMAGE = "drybench/hands:1"
LABEL = "org.drybench.people.hands"
DOCKERFILE = f'FROM scratch\nLABEL {LABEL}="1"\n'
TOOLS = ("/bin", "/lib", "/lib64", "/usr")
THERE = "/hands"
GIVE_UP = 120  # seconds
MEMORY = 256 << 20
OPEN = "chmod -R u+rwX,g+rwX,-t {there}; chgrp -hR {gid} {there}; true"


class ContainerHands:
    def __init__(self, connect: Callable[[], Docker]) -> None:
        self._connect = connect

    def give(self, folder: Path, uid: int, gid: int) -> None:
        if (uid, gid) != (os.geteuid(), os.getegid()):
            _at_once(self._given(folder, uid, gid))

    def take_back(self, folder: Path) -> None:
        if strangers(folder):
            _at_once(self._taken_back(folder))

    async def _given(self, folder: Path, uid: int, gid: int) -> None:
        async with self._connect() as docker:
            await _do(docker, folder, "0:0", f"exec chown -h {uid:d}:{gid:d} {THERE}", ("CHOWN",))

    async def _taken_back(self, folder: Path) -> None:
        async with self._connect() as docker:
            await take_back(docker, folder)


async def take_back(docker: Docker, folder: Path) -> None:
    """As `ContainerHands` does, for whoever has a Docker and a loop that turns already."""
    for uid in await asyncio.to_thread(strangers, folder):
        await _do(docker, folder, f"{uid}:{os.getegid()}", OPEN.format(gid=os.getegid(), there=THERE))


async def _do(docker: Docker, folder: Path, user: str, script: str, capabilities: tuple[str, ...] = ()) -> None:
    try:
        async with asyncio.timeout(GIVE_UP):
            await _have_image(docker)
            container = await docker.containers.create(_wanted(folder, user, script, capabilities))
            try:
                await _finish(container, folder)
            finally:
                await container.delete(force=True)
    except (DockerError, ClientError, OSError) as problem:
        raise HandsTied(folder=folder, problem=problem or "it took too long") from problem


async def _finish(container: DockerContainer, folder: Path) -> None:
    await container.start()
    ended = await container.wait(timeout=None)  # not its own limit, but ours
    if ended["StatusCode"] != 0:
        said = "".join(await container.log(stdout=True, stderr=True))
        raise HandsTied(folder=folder, problem=said.strip()[-300:] or f"it ended with {ended['StatusCode']}")


async def _have_image(docker: Docker) -> None:
    try:
        await docker.images.inspect(IMAGE)
    except DockerError as problem:
        if problem.status != 404:
            raise
        await docker.images.build(fileobj=_context(), encoding="identity", tag=IMAGE)


def _context() -> io.BytesIO:
    packed, dockerfile = io.BytesIO(), DOCKERFILE.encode()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        tar.addfile(entry, io.BytesIO(dockerfile))
    packed.seek(0)
    return packed


def _wanted(folder: Path, user: str, script: str, capabilities: tuple[str, ...]) -> dict[str, Any]:
    tools = [path for path in TOOLS if Path(path).is_dir()]
    return {
        "Image": IMAGE,
        "Entrypoint": ["/bin/sh", "-c", script],
        "Cmd": [],
        "User": user,
        "Env": ["PATH=/usr/bin:/bin", "LC_ALL=C"],
        "Labels": {LABEL: "1"},
        "NetworkDisabled": True,
        "HostConfig": {
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "CapAdd": list(capabilities),
            "SecurityOpt": ["no-new-privileges", "label=disable"],
            "PidsLimit": 16,
            "Memory": MEMORY,
            "Mounts": [_mount(path, path, read_only=True) for path in tools] + [_mount(str(folder), THERE)],
        },
    }


def _mount(source: str, target: str, read_only: bool = False) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def _at_once(doing: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own, for the caller's may have a loop that turns."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, doing).result()
