"""Images that nothing uses any more, and how much room they take: said first, and removed when the keeper says so."""

# pyright: standard

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    freed: int  # bytes; of what they share, and nobody else has, each layer once
    layers: Mapping[str, int] = field(default_factory=dict[str, int])  # what of it goes with which image, by its id


async def unused(docker: Docker, catalogue: Catalogue, tasks: Iterable[Task], builds: Sequence[Build]) -> Leftovers:
    """Neither the catalogue's nor an open task's, and nothing that stays is made from it: so it frees something.

    Images that were not built by a Drybench are never among them. Docker itself keeps what a container, running or
    not, is made from.
    """
    there: list[Mapping[str, Any]] = await docker.images.list(all="true")
    below = await _below(docker, there)
    used = {*_of_the_catalogue(catalogue), *(task.image for task in tasks if task.image)}
    gone = {one["Id"] for one in there if _is_unused(one, used)}
    gone |= _caches(there, below, gone, builds)
    going = _going(there, below, gone)
    found = [Leftover(one["Id"], tuple(_names(one)), one["Size"]) for one in there if one["Id"] in gone & going]
    sizes = {one["Id"]: one["Size"] for one in there}
    layers = {id: sizes[id] - sizes.get(below.get(id, ""), 0) for id in going}
    return Leftovers(tuple(found), sum(layers.values()), layers)


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


async def freed(docker: Docker, leftovers: Leftovers) -> int:
    """How many bytes of it are free now."""
    there = {one["Id"] for one in await docker.images.list(all="true")}
    return sum(size for id, size in leftovers.layers.items() if id not in there)


async def _below(docker: Docker, there: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What each is made from. Docker knows it of what it has built; of what came from elsewhere its layers say it."""
    ids = {one["Id"] for one in there}
    found = {one["Id"]: str(one["ParentId"]) for one in there if one.get("ParentId") in ids}
    layers = {id: await _layers(docker, id) for id in ids - found.keys()}
    for id, own in layers.items():
        lower = [
            (len(theirs), other)
            for other, theirs in layers.items()
            if theirs and own[: len(theirs)] == theirs and (len(theirs), other) < (len(own), id)
        ]
        found |= {id: max(lower)[1]} if lower else {}
    return found


async def _layers(docker: Docker, id: str) -> tuple[str, ...]:
    try:
        return tuple((await docker.images.inspect(id))["RootFS"].get("Layers") or ())
    except DockerError as error:
        if error.status == 404:  # it has just gone
            return ()
        raise


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


def _caches(
    there: Sequence[Mapping[str, Any]], below: Mapping[str, str], gone: set[str], builds: Sequence[Build]
) -> set[str]:
    """The nameless that old builds have left, by their records, or by what they are made from: an image that goes."""
    old, kept = _layers_of_builds(builds)
    nameless = {one["Id"] for one in there if not list(_names(one))}
    found = set[str]()
    for id in nameless - set(below.values()):
        first = id
        while first in nameless and first in below:
            first = below[first]
        short = id.removeprefix("sha256:")
        if not short.startswith(kept) and (short.startswith(old) or first in gone):
            found.add(id)
    return found


def _layers_of_builds(builds: Sequence[Build]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of all builds but the newest that is done of each environment; and of these, whose cache serves the next one."""
    kept, old, seen = set[str](), set[str](), set[str]()
    for build in builds:  # the newest first
        newest = build.state == "done" and build.layers and build.environment not in seen
        seen.update([build.environment] if newest else [])
        (kept if newest or not build.is_over else old).update(build.layers)
    return tuple(old - kept), tuple(kept)


def _going(there: Sequence[Mapping[str, Any]], below: Mapping[str, str], gone: set[str]) -> set[str]:
    """All of which nothing stays that is made from it; with an image go the nameless ones below it."""
    children: dict[str, set[str]] = {}
    for id, lower in below.items():
        children.setdefault(lower, set()).add(id)
    named = {one["Id"] for one in there if list(_names(one))}
    going, waiting = set[str](), list(gone)
    while waiting:
        id = waiting.pop()
        if id in going or not children.get(id, set()) <= going:
            continue
        going.add(id)
        lower = below.get(id)
        if lower and (lower in gone or lower not in named):
            waiting.append(lower)
    return going


def _names(one: Mapping[str, Any]) -> Iterator[str]:
    return names_in(one["RepoTags"])
