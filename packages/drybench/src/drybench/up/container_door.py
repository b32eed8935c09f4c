"""Whether this bench works in containers too: where Docker answers and may be used, they get a network and a door."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from drybench import addresses, containers, python_environment
from drybench.addresses import Addresses
from drybench.catalogue import Catalogue, NoImages, Offer
from drybench.data_folder import DataFolder
from drybench.engines import docker_network
from drybench.errors import DockerAway, DrybenchError
from drybench.settings import Settings
from drybench.up.announcing import Say

ON_THE_MACHINE = "Sessions and runs work on this machine itself."


def with_containers(here: Addresses, in_force: Settings, data: DataFolder, say: Say) -> Addresses:
    """The addresses with the door, or as they were. Raises only where the keeper will have containers always."""
    said = in_force.engines.docker
    url = containers.url_of(said)
    try:
        if url is None and said.use == "always":
            raise DockerAway()
        if url is None:
            return here
        network = asyncio.run(docker_network.made(url, here, said))
        return addresses.with_tasks_door(here, network.gateway, network.subnet, data)
    except DrybenchError as problem:
        if said.use == "always":
            raise
        say(f"No containers this time: {problem.sentence} {ON_THE_MACHINE}")
        return here


def without_containers(here: Addresses, in_force: Settings, say: Say) -> None:
    """Their network goes, until the bench comes up again, with the same addresses where nobody has taken them."""
    url = containers.url_of(in_force.engines.docker)
    if url is None or not here.tasks_door:
        return
    try:
        asyncio.run(docker_network.unmade(url, here))
    except DrybenchError as problem:
        say(f"The network of its containers stays: {problem.sentence}")


def offered(here: Addresses, in_force: Settings, data: DataFolder) -> Sequence[Offer]:
    """What there is to choose from, with the images that are here now."""
    there = containers.containers(data, in_force, here)
    if there:
        asyncio.run(there.images.look())
    library = containers.library(data, in_force, {"python": python_environment.current(data)})
    images = there.images if there else NoImages(containers.why_none(in_force, here))
    return Catalogue({}, (), data.path, library, images).offered()
