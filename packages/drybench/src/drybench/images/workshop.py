"""Images and all that is done with them, as pages and API take it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from drybench.asking import Desk
from drybench.catalogue import ImageShelf, NoImages
from drybench.data_folder import DataFolder
from drybench.errors import NoContainersHere, NoSuchBuild, NoSuchWish
from drybench.images.bringing import OwnEnvironments
from drybench.images.known import Present
from drybench.images.own import Rules
from drybench.images.pruning import Leftover, Leftovers
from drybench.images.records import Build, Builds
from drybench.images.repositories import fetch
from drybench.images.tending import Trial
from drybench.images.whose import Whose
from drybench.images.wishes import Wishes
from drybench.model import Person
from drybench.notices.destinations import Destinations
from drybench.people import permissions
from drybench.settings import Settings


class Shelf(ImageShelf, Protocol):
    """What is known of the images that are here."""

    def image(self, reference: str) -> Present | None: ...

    def present(self) -> Sequence[Present]: ...


class Makes(Protocol):
    """How an image is made."""

    def begin(self, name: str, fresh: bool = False, pull: bool = False) -> Build: ...

    async def cancel(self, id: str) -> None: ...


class Tends(Protocol):
    """How images are tried, and how old ones go."""

    def trial(self, name: str) -> Trial | None: ...

    def begin(self, name: str) -> Trial: ...

    async def leftovers(self) -> Leftovers: ...

    async def prune(self) -> tuple[Leftovers, Sequence[Leftover]]: ...


@dataclass(frozen=True)
class Workshop:
    own: OwnEnvironments
    wishes: Wishes
    builds: Builds
    building: Makes
    shelf: Shelf
    tending: Tends

    async def try_image(self, person: Person, name: str) -> Trial:
        offer = await asyncio.to_thread(self.own.offer, person, name)
        if not self.own.may_build(person, name):
            self.own.must_keep(person, "try images")
        return self.tending.begin(offer.environment.name)

    async def leftovers(self, person: Person) -> Leftovers:
        self.own.must_keep(person, "see what can go")
        return await self.tending.leftovers()

    async def prune(self, person: Person) -> tuple[Leftovers, Sequence[Leftover]]:
        self.own.must_keep(person, "remove images")
        return await self.tending.prune()

    async def make(self, person: Person, name: str, fresh: bool = False) -> Build:
        """Begin to build it, or to get it from where it is shared."""
        offer = await asyncio.to_thread(self.own.must_build, person, name)
        return self.building.begin(name, fresh, offer.remedy == "pull")

    async def cancel(self, person: Person, id: str) -> None:
        found = await asyncio.to_thread(self.build, person, id)
        await asyncio.to_thread(self.own.must_build, person, found.environment)
        await self.building.cancel(id)

    def build(self, person: Person, id: str) -> Build:
        """Of an environment that this person may see."""
        found = self.builds.find(id)
        if not self.own.may_see(person, found.environment):
            raise NoSuchBuild()
        return found

    def must_answer(self, person: Person, id: str) -> None:
        """To anybody but the keeper others' wishes do not exist."""
        permissions.needs(person)
        if not self.own.keeps(person):
            raise NoSuchWish()
        self.wishes.get(id)


class NoShelf(NoImages):
    """Of a bench without containers."""

    def image(self, reference: str) -> Present | None:
        return None

    def present(self) -> Sequence[Present]:
        return ()


class NoBuilding:
    """There is nobody who could."""

    def begin(self, name: str, fresh: bool = False, pull: bool = False) -> Build:
        raise NoContainersHere(title=name, why="there is no engine for containers")

    async def cancel(self, id: str) -> None:
        raise NoSuchBuild()


class NoTending:
    """There is nothing to tend."""

    def trial(self, name: str) -> Trial | None:
        return None

    def begin(self, name: str) -> Trial:
        raise NoContainersHere(title=name, why="there is no engine for containers")

    async def leftovers(self) -> Leftovers:
        return Leftovers((), 0)

    async def prune(self) -> tuple[Leftovers, Sequence[Leftover]]:
        return Leftovers((), 0), ()


def workshop(
    desk: Desk,
    data: DataFolder,
    in_force: Settings,
    public: str,
    whose: Whose,
    builds: Builds | None = None,
    building: Makes | None = None,
    shelf: Shelf | None = None,
    tending: Tends | None = None,
) -> Workshop:
    """`public` is the bench's own address: nothing is fetched from there."""
    said = in_force.images
    here = Destinations(tuple(one.lower() for one in said.may_reach), public.partition("://")[2].partition(":")[0])
    fetched = partial(fetch, check=here.checked, schemes=tuple(said.repositories))
    rules = Rules(said.allow_by_name, in_force.runs.requirements_from_anywhere)
    return Workshop(
        OwnEnvironments(desk, data.own_environments, whose, rules, fetched, said.people_build),
        Wishes(data.environments / "wishes", desk.now, desk.new_id),
        builds or Builds(data.images, desk.now, desk.new_id),
        building or NoBuilding(),
        shelf or NoShelf(),
        tending or NoTending(),
    )
