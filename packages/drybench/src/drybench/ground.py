"""What the portal stands on: its data, its ledger, and where work can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from drybench import containers, ids, own_machine, python_environment
from drybench.addresses import Addresses
from drybench.catalogue import Catalogue, Desktops
from drybench.changes import Changes
from drybench.containers import Containers
from drybench.data_folder import DataFolder
from drybench.engines.base import Engine
from drybench.engines.loading import load
from drybench.environment_folders import SHIPPED
from drybench.folders import home_of_the_account
from drybench.hub_client import HubClient
from drybench.images.building import Building
from drybench.images.records import Builds
from drybench.images.whose import Whose
from drybench.images.workshop import NoShelf, Shelf
from drybench.ledger import Ledger, open_ledger
from drybench.model import Gpu, Link, Person, Size
from drybench.people.hands import Hands
from drybench.runs.run_folder import RunFolders
from drybench.secret_files import secret
from drybench.settings import Settings


@dataclass(frozen=True)
class Ground:
    data: DataFolder
    in_force: Settings
    addresses: Addresses
    home: Path
    there: Containers | None
    hands: Hands
    ledger: Ledger
    changes: Changes
    folders: RunFolders
    hub: HubClient
    engines: Mapping[str, Engine]
    images: Shelf
    builds: Builds
    catalogue: Catalogue

    @property
    def public(self) -> str:
        return self.addresses.public

    @cached_property
    def building(self) -> Building | None:
        there = self.there
        return there and containers.building(self.data, self.in_force, self.catalogue, there, self.builds)

    @cached_property
    def whose(self) -> Whose:
        of_the_bench = (SHIPPED, *map(Path, self.in_force.environments.folders))
        return Whose(self.data.own_environments, self.owner, of_the_bench)

    @property
    def gpus(self) -> Sequence[Gpu]:
        """All that can be had here, whichever engine gives them."""
        said = self.in_force.engines
        chosen = {"local": said.local.gpus, "docker": said.docker.gpus}
        found = [gpu for name in self.engines.keys() & chosen for gpu in own_machine.gpus(chosen[name])]
        return list({gpu.id: gpu for gpu in found}.values())

    def owner(self) -> str:
        """Who the command line on the socket speaks for: the one person this bench is for, if somebody came first."""
        first = self.data.only_person
        return first.read_text() if first.exists() else self.in_force.owner

    def keeper(self) -> Person | None:
        """Nobody before the first sign-in."""
        return next((one for one in self.ledger.people() if one.name == self.owner()), None)


def lay_ground(data: DataFolder, in_force: Settings, url: str) -> Ground:
    addresses = Addresses.load(data.bench)
    home = home_of_the_account(in_force.folders.home)
    there = containers.containers(data, in_force, addresses)
    hands = containers.hands(there)
    images = there.images if there else NoShelf(containers.why_none(in_force, addresses))
    library = containers.library(data, in_force, {"python": python_environment.current(data)})
    return Ground(
        data,
        in_force,
        addresses,
        home,
        there,
        hands,
        ledger=open_ledger(url, now),
        changes=Changes(),
        folders=RunFolders(data.runs, hands),
        hub=HubClient(addresses, secret(data, "portal_token")),
        engines=_engines(data, in_force, home, there),
        images=images,
        builds=Builds(data.images, now, ids.uuid7),
        catalogue=Catalogue({}, _sizes(in_force), home, library, images, _desktops(in_force)),
    )


def now() -> datetime:
    return datetime.now(UTC)


def _engines(data: DataFolder, in_force: Settings, home: Path, there: Containers | None) -> Mapping[str, Engine]:
    local = in_force.engines.local
    cores, memory = own_machine.cores(local.cores), own_machine.memory(local.memory)
    gpus = own_machine.gpus(local.gpus)
    own: Engine = load("local")(data.tasks, cores=cores, memory=memory, gpus=gpus, home=home)
    return {"local": own} | ({"docker": there.engine} if there else {})


def _desktops(in_force: Settings) -> Desktops:
    said = in_force.desktop
    links = tuple(Link(one.title, one.url) for one in said.links)
    return Desktops(Path(said.background) if said.background else None, links, own_machine.shows)


def _sizes(in_force: Settings) -> list[Size]:
    return [Size(name, size.title or name, size.cores, size.memory, size.gpus) for name, size in in_force.sizes.items()]
