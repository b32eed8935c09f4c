"""What a bench has more where it works in containers, put together for the portal and for the keeper's commands.

`drybench up` decides whether there are any: it makes their network, and with it the door by which they reach the bench.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from drybench import certificates, own_machine, own_packages
from drybench.addresses import Addresses
from drybench.catalogue import Catalogue
from drybench.data_folder import DataFolder
from drybench.engines import docker_connection, docker_network
from drybench.engines.base import Engine
from drybench.engines.docker_network import GuardedNetwork
from drybench.engines.loading import load
from drybench.environment_files import Recipe
from drybench.environment_folders import SHIPPED, Library
from drybench.errors import DrybenchError
from drybench.images.building import Building, NetworkOf
from drybench.images.carried import carried
from drybench.images.context import Options
from drybench.images.hashing import Hashing
from drybench.images.known import Connect, Images
from drybench.images.records import Builds
from drybench.own_packages import Say
from drybench.people.hands import Hands, OwnHands
from drybench.people.hands_in_a_container import ContainerHands
from drybench.settings import Settings
from drybench.settings_sections import DockerEngine

LEAST_FOR_A_BUILD = 2 << 30

log = structlog.get_logger("containers")


@dataclass(frozen=True)
class Containers:
    engine: Engine
    network: GuardedNetwork
    images: Images
    connect: Connect


def url_of(said: DockerEngine) -> str | None:
    """Where Docker or Podman is to be asked; None where the keeper wants neither, or there is none."""
    return None if said.use == "never" else said.socket or docker_connection.found()


def containers(data: DataFolder, in_force: Settings, here: Addresses) -> Containers | None:
    """None for a bench that came up without."""
    said = in_force.engines.docker
    url = url_of(said)
    if url is None or not here.tasks_door:
        return None
    connect, network = partial(docker_connection.connect, url), GuardedNetwork(url, here, said)
    engine: Engine = load("docker")(
        data.tasks,
        url=url,
        bench_id=here.bench_id,
        cores=own_machine.cores(said.cores),
        memory=own_machine.memory(said.memory),
        gpus=own_machine.gpus(said.gpus),
        network=docker_network.name(here.bench_id),
        guard=network.ready,
        runner=runner_to_carry(data, lambda line: log.info(line)),
        certificates=certificates.bundle(_file(in_force.images.extra_ca), data.path / "certificates.pem"),
        keep_stopped=said.keep_stopped,
    )
    return Containers(engine, network, Images(connect), connect)


def why_none(in_force: Settings, here: Addresses) -> str:
    """Why this bench came up without any; empty: it has them."""
    said = in_force.engines.docker
    if said.use == "never":
        return "the settings say so"
    url = url_of(said)
    if url is None:
        return "there is neither Docker nor Podman on this machine"
    if not _may_use(url):
        return f"the bench's account may not use {url.removeprefix('unix://')}"
    if not here.tasks_door:
        return "Docker was away, or did not fit, when the bench came up, which said more"
    return ""


def runner_to_carry(data: DataFolder, say: Say) -> Path | None:
    """None where it cannot be fetched: images that have no runner of ours then serve for no run."""
    try:
        return carried(data, say)
    except DrybenchError as problem:
        say(problem.sentence)
        return None


def library(data: DataFolder, in_force: Settings, pythons: Mapping[str, Path]) -> Library:
    """What comes with Drybench, what the keeper has, and what people brought."""
    folders = (SHIPPED, *map(Path, in_force.environments.folders), data.own_environments)
    hashing = Hashing(own_packages.fingerprint(), in_force.images.build_args)
    return Library(folders, pythons, hashing, brought=data.own_environments)


def building(data: DataFolder, in_force: Settings, catalogue: Catalogue, there: Containers, builds: Builds) -> Building:
    network = guarded(there.network)
    return Building(catalogue, there.images, builds, options(in_force), there.connect, data.images, network)


def guarded(network: GuardedNetwork) -> NetworkOf:
    """What people brought runs its steps where their tasks are: it reaches no more than those."""

    async def of(recipe: Recipe) -> str:
        return (await network.ready()).name if recipe.brought else ""

    return of


def options(in_force: Settings) -> Options:
    said = in_force.images
    memory = said.build_memory or max(own_machine.memory(0) // 2 >> 20 << 20, LEAST_FOR_A_BUILD)
    return Options(
        _file(said.extra_ca), _file(said.wheels), said.registry, said.build_args, said.builds_at_once, memory
    )


def hands(there: Containers | None) -> Hands:
    """Whoever is root needs no others."""
    return ContainerHands(there.connect) if there and os.geteuid() != 0 else OwnHands()


def _may_use(url: str) -> bool:
    """Of a socket on this machine that is there; what is elsewhere can only be asked."""
    path = Path(url.removeprefix("unix://"))
    return not url.startswith("unix://") or not path.exists() or os.access(path, os.R_OK | os.W_OK)


def _file(said: str) -> Path | None:
    return Path(said).expanduser() if said else None
