"""Tries an image: its own smoke tests, as an ordinary account and without a network; and what it lacks to be used."""

# pyright: standard

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from drybench.engines.docker_connection import away
from drybench.environment_files import Recipe, Smoke
from drybench.errors import (
    ImageNotHere,
    ImagePythonTooOld,
    ImageWithoutKernel,
    ImageWithoutPython,
    ImageWithoutSession,
    ImageWithoutShell,
    Refused,
)
from drybench.images.steps import plain
from drybench.model import DESKTOP, App
from drybench.within import within

ACCOUNT = "1000:1000"
CHECK = "org.drybench.check"  # label of its containers
LEAST_PYTHON = (3, 11)
FOR_A_SESSION = ("jupyterhub", "jupyterlab")
FOR_A_DESKTOP = (  # our own, or somebody else's
    {"drybench_session.desktop", "Xtigervnc"},
    {"jupyter_remote_desktop_proxy", "vncserver"},
)
ANSWERS_WITHIN = 60  # seconds
LINES_TOLD = 15
NOT_STARTED = 127  # as shells say it, and Docker's first process
MARK = "drybench-probe "
# For any Python from 2.7 on: it is to say its version, not to fail.
PROBE = f"""
import json, os, sys
def has(name):
    try:
        from importlib.util import find_spec
        return find_spec(name) is not None
    except Exception:
        return False
places = [sys.prefix + "/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter"]
kernels = [k for p in places if os.path.isdir(p + "/kernels") for k in os.listdir(p + "/kernels")]
names = ["ipykernel", "jupyterhub", "jupyterlab", "drybench_runner"]
names += ["drybench_session.desktop", "jupyter_remote_desktop_proxy"]
path = os.environ.get("PATH", "").split(os.pathsep)
found = [n for n in names if has(n)]
found += [n for n in ("Xtigervnc", "vncserver") if any(os.path.exists(p + "/" + n) for p in path)]
print({MARK!r} + json.dumps([list(sys.version_info[:3]), found, sorted(set(kernels))]))
"""
ASK = 'for python in python python3; do command -v $python >/dev/null 2>&1 && exec $python -c "$0"; done; exit 90'


@dataclass(frozen=True)
class Tried:
    smoke: Smoke
    passed: bool
    seconds: float
    said: str  # its last lines


@dataclass(frozen=True)
class Checked:
    name: str
    image: str
    size: int
    kernels: tuple[str, ...]
    tried: tuple[Tried, ...]
    lacks: tuple[Refused, ...]  # to be used for runs, and for sessions

    @property
    def well(self) -> bool:
        return not self.lacks and all(one.passed for one in self.tried)

    @property
    def runs(self) -> bool:
        return all(isinstance(one, ImageWithoutSession) for one in self.lacks)


@dataclass(frozen=True)
class _Python:
    version: tuple[int, ...]
    modules: frozenset[str]
    kernels: tuple[str, ...]


async def check(docker: Docker, recipe: Recipe) -> Checked:
    """errors.ImageNotHere where it is not here."""
    one = recipe.environment
    image = one.digest or one.image or ""
    try:
        size: int = (await docker.images.inspect(image))["Size"]
    except DockerError as error:
        if error.status != 404:
            raise
        raise ImageNotHere(title=one.title, name=one.name, image=one.image) from error
    lacks, kernels = await what_it_lacks(docker, image, one.image or image)
    tried = [await _tried(docker, image, smoke, one.entrypoint) for smoke in recipe.smoke]
    return Checked(one.name, one.image or image, size, tuple(kernels), tuple(tried), tuple(lacks))


async def apps_in(docker: Docker, image: str) -> tuple[App, ...]:
    """Beside JupyterLab."""
    found = await _python_in(docker, image, image)
    has_desktop = isinstance(found, _Python) and any(found.modules >= needed for needed in FOR_A_DESKTOP)
    return (App(DESKTOP, "Desktop"),) if has_desktop else ()


async def what_it_lacks(docker: Docker, image: str, called: str) -> tuple[Sequence[Refused], Sequence[str]]:
    """In plain words; and which kernels it has. `called`: its name for people."""
    found = await _python_in(docker, image, called)
    if isinstance(found, Refused):
        return [found], ()
    native = ("python3",) if "ipykernel" in found.modules else ()
    return _lacks(found, called), sorted({*found.kernels, *native})


async def _python_in(docker: Docker, image: str, called: str) -> _Python | Refused:
    try:
        code, said = await _ran(docker, image, ("/bin/sh", "-c", ASK, PROBE), ANSWERS_WITHIN)
    except DockerError as error:
        if away(error):
            raise
        code, said = NOT_STARTED, error.message
    if code == NOT_STARTED:
        return ImageWithoutShell(image=called, problem=" ".join(said.split()))
    found = next((line for line in said.splitlines() if line.startswith(MARK)), None)
    if code != 0 or found is None:
        return ImageWithoutPython(image=called)
    try:
        return _understood(json.loads(found.removeprefix(MARK)))
    except (ValueError, TypeError, RecursionError):  # whose Python this is, we do not know
        return ImageWithoutPython(image=called)


def _understood(said: Any) -> _Python:
    version, modules, kernels = said
    return _Python(tuple(map(int, version)), frozenset(map(str, modules)), tuple(map(str, kernels)))


def _lacks(python: _Python, called: str) -> list[Refused]:
    version = ".".join(map(str, python.version))
    missing = [name for name in FOR_A_SESSION if name not in python.modules]
    lacks: list[Refused] = []
    if python.version < LEAST_PYTHON:
        lacks.append(ImagePythonTooOld(image=called, version=version))
    if "ipykernel" not in python.modules and not python.kernels:
        lacks.append(ImageWithoutKernel(image=called, version=version))
    if missing:
        lacks.append(ImageWithoutSession(image=called, missing=" and no ".join(missing)))
    return lacks


async def _tried(docker: Docker, image: str, smoke: Smoke, entrypoint: bool) -> Tried:
    began = time.monotonic()
    try:
        code, said = await _ran(docker, image, smoke.command, smoke.timeout, entrypoint)
    except DockerError as error:
        code, said = NOT_STARTED, error.message
    lines = [*said.rstrip().splitlines(), *([f"still at it after {smoke.timeout:g} s"] if code is None else [])]
    last = "\n".join(map(plain, lines[-LINES_TOLD:]))
    return Tried(smoke, code == 0, time.monotonic() - began, last)


async def _ran(
    docker: Docker, image: str, command: Sequence[str], seconds: float, entrypoint: bool = False
) -> tuple[int | None, str]:
    """Its exit code, None where it took too long, and what it said."""
    async with _container(docker, image, command, entrypoint) as container:
        await container.start()
        code = None
        with suppress(TimeoutError):
            code = (await within(seconds, container.wait()))["StatusCode"]
        return code, "".join(await container.log(stdout=True, stderr=True))


@asynccontextmanager
async def _container(
    docker: Docker, image: str, command: Sequence[str], entrypoint: bool
) -> AsyncIterator[DockerContainer]:
    container = await docker.containers.create(_asked(image, command, entrypoint))
    try:
        yield container
    finally:
        with suppress(DockerError):
            await container.delete(force=True, v=True)


def _asked(image: str, command: Sequence[str], entrypoint: bool) -> Mapping[str, Any]:
    words = {"Cmd": list(command)} if entrypoint else {"Entrypoint": list(command[:1]), "Cmd": list(command[1:])}
    return {
        "Image": image,
        "User": ACCOUNT,
        "Labels": {CHECK: "1"},
        **words,
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": 4096,
            "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
            "Init": True,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},  # all of it is read
        },
    }
