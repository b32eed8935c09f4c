"""`drybench images …`: the keeper's hand on what environments are made from. No bench needs to be up for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from drybench.whose import USUAL, Whose

if TYPE_CHECKING:
    from aiodocker import Docker

    from drybench.catalogue import Catalogue, Offer
    from drybench.environment_files import Recipe
    from drybench.images.building import Building
    from drybench.images.checking import Checked
    from drybench.images.known import Connect, Images
    from drybench.images.pruning import Leftovers
    from drybench.images.records import Builds
    from drybench.model import Task

app = App(name="images", help="Build, try and remove the images of environments.")


@app.command(name="list")
def list_(*, whose: Whose = USUAL) -> int:
    """All environments, and whether they can be used; the exit code is 0 when none is broken."""
    return asyncio.run(_list(whose))


@app.command
def build(*names: str, fresh: bool = False, whose: Whose = USUAL) -> None:
    """Build images, and first those that they are built on. Ctrl-C cancels.

    Parameters
    ----------
    names
        Of environments. Without one all that come with a Dockerfile.
    fresh
        Do every step of these anew, also those that Docker remembers.
    """
    asyncio.run(_build(whose, names, fresh))


@app.command
def pull(name: str, *, whose: Whose = USUAL) -> None:
    """Get the image of an environment from where it is shared, instead of building it.

    Parameters
    ----------
    name
        Of the environment.
    """
    asyncio.run(_pull(whose, name))


@app.command
def check(*names: str, whose: Whose = USUAL) -> int:
    """Try images: their own smoke tests, and what they lack to be used; the exit code is 0 when all is well.

    Parameters
    ----------
    names
        Of environments. Without one all whose images are here.
    """
    return asyncio.run(_check(whose, names))


@app.command
def prune(*, yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False, whose: Whose = USUAL) -> None:
    """Say which images nothing uses any more and how much room they take, and remove them.

    Parameters
    ----------
    yes
        Do not ask first.
    """
    asyncio.run(_prune(whose, yes))


@dataclass(frozen=True)
class _Workplace:
    catalogue: Catalogue
    images: Images
    builds: Builds
    building: Building
    connect: Connect
    tasks: Sequence[Task]


async def _list(whose: Whose) -> int:
    work = await _workplace(whose)
    offers = work.catalogue.offered()
    for offer in offers:
        print(_line(offer, work.images), flush=True)
        if offer.why_not:
            print(f"{'':18}{offer.why_not.sentence}")
    return 1 if work.catalogue.broken() else 0


async def _build(whose: Whose, names: Sequence[str], fresh: bool) -> None:
    work = await _workplace(whose)
    recipes = work.catalogue.recipes()
    for name in names or [name for name in _parents_first(work.catalogue) if recipes[name].dockerfile]:
        await _follow(work, name, fresh=fresh)


async def _pull(whose: Whose, name: str) -> None:
    await _follow(await _workplace(whose), name, pull=True)


async def _follow(work: _Workplace, name: str, fresh: bool = False, pull: bool = False) -> None:
    async with aclosing(work.building.build(name, fresh, pull)) as lines:
        async for line in lines:
            print(line, flush=True)


async def _check(whose: Whose, names: Sequence[str]) -> int:
    from drybench.images.checking import check as check_image

    work, well = await _workplace(whose), True
    for name in names or [one.name for one in work.catalogue.environments() if one.image]:
        offer = work.catalogue.offer(name)
        if offer.why_not:
            raise offer.why_not
        async with _docker(work) as docker:
            recipe = work.catalogue.recipe(name)
            checked = await check_image(docker, _as_it_is(recipe, offer))
        _print_checked(checked)
        well = well and (checked.well or (not recipe.dockerfile and checked.runs))
    return 0 if well else 1


async def _prune(whose: Whose, yes: bool) -> None:
    from drybench.images.pruning import freed, remove, unused

    work = await _workplace(whose)
    async with _docker(work) as docker:
        found = await unused(docker, work.catalogue, work.tasks, work.builds.all())
        _print_leftovers(found)
        if not found.images or not (yes or _agreed()):
            return
        for kept in await remove(docker, found):
            print(f"Kept, for something is made from it: {', '.join(kept.names) or kept.id[:19]}")
        print(f"{in_words(await freed(docker, found))} are free now.")


async def _workplace(whose: Whose) -> _Workplace:
    from functools import partial

    from drybench import containers, ids, python_environment, settings
    from drybench.addresses import Addresses
    from drybench.catalogue import Catalogue
    from drybench.engines import docker_connection
    from drybench.engines.docker_network import GuardedNetwork
    from drybench.errors import NoDockerHere
    from drybench.images.building import Building
    from drybench.images.known import Images
    from drybench.images.records import Builds
    from drybench.model import Size

    data = whose.folder()
    in_force = settings.load(data, whose.file())
    data.make()
    url = in_force.engines.docker.socket or docker_connection.found()
    if url is None:
        raise NoDockerHere
    connect = partial(docker_connection.connect, url)
    images, builds = Images(connect), Builds(data.images, _now, ids.uuid7)
    pythons = {"python": python_environment.folder(data)}
    sizes = [Size(name, size.title, size.cores, size.memory) for name, size in in_force.sizes.items()]
    library = containers.library(data, in_force, pythons)
    catalogue = Catalogue({}, sizes, data.path, library, images)
    await images.look()
    here = Addresses.load(data.bench) if data.bench.exists() else None
    guard = here and here.tasks_door and GuardedNetwork(url, here, in_force.engines.docker)
    network = containers.guarded(guard) if guard else None
    building = Building(catalogue, images, builds, containers.options(in_force), connect, data.images, network)
    return _Workplace(catalogue, images, builds, building, connect, _open_tasks(whose))


def _open_tasks(whose: Whose) -> Sequence[Task]:
    """Of the bench, whether it is up or not; none where it never was."""
    from drybench import database, settings
    from drybench.ledger import open_ledger

    data = whose.folder()
    url = settings.load(data, whose.file()).database.url
    if not url and not data.ledger.exists():
        return ()
    ledger = open_ledger(url or database.sqlite_url(data.ledger), _now)
    try:
        return [row.spec for row in ledger.open_tasks()]
    finally:
        ledger.close()


@asynccontextmanager
async def _docker(work: _Workplace) -> AsyncGenerator[Docker]:
    from drybench.engines.docker_connection import reaching

    with reaching():
        async with work.connect() as docker:
            yield docker


def _parents_first(catalogue: Catalogue) -> Sequence[str]:
    from drybench.environment_folders import parents

    recipes = catalogue.recipes()
    return sorted(recipes, key=lambda name: (len(parents(recipes[name], recipes)), name))


def _as_it_is(recipe: Recipe, offer: Offer) -> Recipe:
    """With the image that is here, which may be an older one."""
    from dataclasses import replace

    return replace(recipe, environment=offer.environment)


def _line(offer: Offer, images: Images) -> str:
    one = offer.environment
    found = images.image(one.image) if one.image else None
    state = {"build": "not built", "pull": "not here", "mend": "broken"}.get(offer.remedy, "")
    if offer.usable:
        state = "older, build it anew" if offer.remedy else "ready"
    size = in_words(found.size) if found else ""
    return f"{one.name:<16}  {state:<20}  {size:>8}  {one.image or one.python or ''}".rstrip()


def _print_checked(checked: Checked) -> None:
    print(f"{checked.name}  {checked.image}  {in_words(checked.size)}  kernels: {', '.join(checked.kernels) or 'none'}")
    for one in checked.tried:
        print(f"  {'well  ' if one.passed else 'FAILED'}  {one.seconds:5.1f} s  {one.smoke.title}", flush=True)
        for line in () if one.passed else one.said.splitlines():
            print(f"          {line}")
    for lack in checked.lacks:
        print(f"  lacks   {lack.sentence}\n          {lack.step}")


def _print_leftovers(found: Leftovers) -> None:
    for one in found.images:
        print(f"{', '.join(one.names) or 'left by a build: ' + one.id[7:19]:<48}  {in_words(one.size):>8}")
    count = len(found.images)
    print(f"{count} {'image' if count == 1 else 'images'} that nothing uses; {in_words(found.freed)} become free.")


def _agreed() -> bool:
    try:
        return input("Remove them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.0f} MB"


def _now() -> datetime:
    return datetime.now(UTC)
