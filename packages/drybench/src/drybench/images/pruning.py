"""Images that nothing uses any more, and how much room they take: said first, and removed when the keeper says so."""

# pyright: standard

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiodocker import Docker, DockerError

from drybench.catalogue import Catalogue
from drybench.environment_folders import BROUGHT, REPOSITORY
from drybench.images.known import names_in
from drybench.images.records import Build
from drybench.model import Task

_OURS = re.compile(rf"{REPOSITORY}/[a-z0-9-]+({re.escape(BROUGHT)})?:[0-9a-f]{{12}}")


@dataclass(frozen=True)
class Leftover:
    id: str
    names: tuple[str, ...]  # none: left by a build, for the next one
    size: int  # with what it shares


@dataclass(frozen=True)
class Leftovers:
    images: tuple[Leftover, ...]
    freed: int  # bytes, by what Docker says of each layer


async def unused(docker: Docker, catalogue: Catalogue, tasks: Iterable[Task], builds: Sequence[Build]) -> Leftovers:
    """Neither the catalogue's nor an open task's. Images that were not built by a Drybench are never among them.

    Docker itself keeps what a container, running or not, is made from.
    """
    there: list[Mapping[str, Any]] = await docker.images.list(all="true")
    used = {*_of_the_catalogue(catalogue), *(task.image for task in tasks if task.image)}
    layers = _cache_of_old_builds(builds)
    parents = {one.get("ParentId") for one in there}
    gone = [one for one in there if _is_unused(one, used) or _is_old_cache(one, layers, parents)]
    found = tuple(Leftover(one["Id"], tuple(_names(one)), one["Size"]) for one in gone)
    return Leftovers(found, _freed(there, {one.id for one in found}))


async def remove(docker: Docker, leftovers: Leftovers) -> Sequence[Leftover]:
    """What Docker has kept all the same, because something is made from it."""
    kept: list[Leftover] = []
    for one in leftovers.images:
        try:
            for name in one.names or (one.id,):
                await docker.images.delete(name)
        except DockerError as error:
            if error.status != 404:
                kept.append(one)
    return kept


def _of_the_catalogue(catalogue: Catalogue) -> Iterator[str]:
    """Today's images, and older ones that serve until today's are built."""
    for recipe in catalogue.recipes().values():
        yield recipe.environment.image or ""
    for offer in catalogue.offered():
        yield offer.environment.image or ""
        yield offer.environment.digest or ""


def _is_unused(one: Mapping[str, Any], used: set[str]) -> bool:
    names = list(_names(one))
    return bool(names) and all(map(_OURS.fullmatch, names)) and used.isdisjoint({*names, one["Id"]})


def _cache_of_old_builds(builds: Sequence[Build]) -> set[str]:
    """Of all builds but the newest that is done of each environment, whose cache serves the next one."""
    kept, old, seen = set[str](), set[str](), set[str]()
    for build in builds:  # the newest first
        newest = build.state == "done" and build.layers and build.environment not in seen
        seen.update([build.environment] if newest else [])
        (kept if newest or not build.is_over else old).update(build.layers)
    return old - kept


def _is_old_cache(one: Mapping[str, Any], layers: set[str], parents: set[str | None]) -> bool:
    short = one["Id"].removeprefix("sha256:")
    nameless = not list(_names(one)) and one["Id"] not in parents
    return nameless and any(short.startswith(layer) for layer in layers)


def _freed(there: Sequence[Mapping[str, Any]], gone: set[str]) -> int:
    """With an image go the nameless ones below it that nothing else is made from."""
    by_id = {one["Id"]: one for one in there}
    children: dict[str, set[str]] = {}
    for one in there:
        children.setdefault(one.get("ParentId") or "", set()).add(one["Id"])
    going, waiting = set[str](), list(gone)
    while waiting:
        one = by_id[waiting.pop()]
        if one["Id"] in going or not children.get(one["Id"], set()) <= going:
            continue
        going.add(one["Id"])
        parent = by_id.get(one.get("ParentId") or "")
        if parent and (parent["Id"] in gone or not list(_names(parent))):
            waiting.append(parent["Id"])
    return sum(by_id[id]["Size"] - by_id.get(by_id[id].get("ParentId") or "", {"Size": 0})["Size"] for id in going)


def _names(one: Mapping[str, Any]) -> Iterator[str]:
    return names_in(one["RepoTags"])
