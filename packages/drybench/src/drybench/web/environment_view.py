"""What the Environments pages and their JSON twins show. From folders, records and memory: no page asks an engine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import distributions
from itertools import islice

from drybench.catalogue import Offer
from drybench.environment_files import Recipe
from drybench.environment_folders import parents
from drybench.errors import NoContainersHere
from drybench.images.known import Present
from drybench.images.records import Build
from drybench.images.tending import Trial
from drybench.images.whose import Brought
from drybench.images.wishes import Wish
from drybench.model import Person
from drybench.web.portal import Portal
from drybench.web.screen import Look

MOST_PACKAGES = 2000
LATEST = 5  # builds of one environment
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Card:
    """One environment as a person sees it."""

    offer: Offer
    look: Look
    size: int | None  # bytes on the disk
    built_at: datetime | None
    build: Build | None  # the last one
    brought: Brought | None
    may_build: bool

    @property
    def name(self) -> str:
        return self.offer.environment.name

    @property
    def in_container(self) -> bool:
        return self.offer.environment.image is not None

    @property
    def can_build(self) -> bool:
        going_on = self.build is not None and not self.build.is_over
        return self.may_build and self.offer.remedy in ("build", "pull") and not going_on


@dataclass(frozen=True)
class Choice:
    offer: Offer
    why_not: str  # empty: it can be used


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    of: str  # the environment that it comes with


@dataclass(frozen=True)
class Whole:
    """One environment with all that is known of it."""

    card: Card
    recipe: Recipe | None
    packages: Sequence[Package]
    builds: Sequence[Build]
    kernels: Sequence[str]
    trial: Trial | None  # the last look at its image
    versions: Sequence[Version]


@dataclass(frozen=True)
class Version:
    """An image of it that is here."""

    image: Present
    used: int  # by so many sessions and runs that have not ended


def cards(portal: Portal, person: Person) -> Sequence[Card]:
    """What can be used first, then what could be, then what is broken."""
    newest = {build.environment: build for build in reversed(portal.workshop.builds.all())}
    found = [_card(portal, person, offer, newest.get(offer.environment.name)) for offer in offered(portal, person)]
    return sorted(found, key=lambda card: (not card.offer.usable, card.offer.remedy == "mend"))


def choices(portal: Portal, person: Person) -> Sequence[Choice]:
    """For a new session or run: what can be used first, and in a few words why the rest cannot."""
    found = [Choice(offer, _in_a_few_words(offer)) for offer in offered(portal, person) if offer.recipe]
    return sorted(found, key=lambda choice: bool(choice.why_not))


def offered(portal: Portal, person: Person) -> Sequence[Offer]:
    return portal.workshop.own.offered(person)


def whole(portal: Portal, person: Person, name: str) -> Whole:
    offer = portal.workshop.own.offer(person, name)
    builds = [build for build in portal.workshop.builds.all() if build.environment == name]
    card = _card(portal, person, offer, builds[0] if builds else None)
    packages = list(islice(_packages(portal, offer.recipe), MOST_PACKAGES)) if offer.recipe else []
    kernels, trial = portal.catalogue.kernels(offer.environment), portal.workshop.tending.trial(name)
    return Whole(card, offer.recipe, packages, builds[:LATEST], kernels, trial, list(_versions(portal, offer)))


def builds_seen(portal: Portal, person: Person) -> Sequence[Build]:
    own = portal.workshop.own
    return [build for build in portal.workshop.builds.all() if own.may_see(person, build.environment)]


def wishes_seen(portal: Portal, person: Person) -> Sequence[Wish]:
    """The keeper sees all of them, everybody else their own."""
    wishes = portal.workshop.wishes
    return wishes.every() if portal.workshop.own.keeps(person) else wishes.of(person)


def build_look(build: Build) -> Look:
    shapes = {"waiting": "waiting", "building": "running", "done": "done", "failed": "failed", "cancelled": "stopped"}
    return Look(build.state, shapes.get(build.state, "lost"))


def _card(portal: Portal, person: Person, offer: Offer, build: Build | None) -> Card:
    one = offer.environment
    present = portal.workshop.shelf.image(one.image) if one.image else None
    return Card(
        offer,
        _look(offer, build),
        present.size if present else None,
        present.created_at if present else None,
        build,
        portal.workshop.own.brought(one.name),
        portal.workshop.own.may_build(person, one.name),
    )


def _in_a_few_words(offer: Offer) -> str:
    if offer.usable:
        return ""
    if isinstance(offer.why_not, NoContainersHere):
        return "no containers here now"
    return "not built yet" if offer.remedy == "build" else "its image is not here"


def _look(offer: Offer, build: Build | None) -> Look:
    if offer.remedy == "mend":
        return Look("broken", "failed")
    if build is not None and not build.is_over:
        return Look("building", "running")
    if offer.usable:
        return Look("ready, an older version", "done") if offer.remedy == "build" else Look("ready", "done")
    if build is not None and build.state == "failed":
        return Look("not built", "failed")
    return Look("not built" if offer.remedy == "build" else "not here", "stopped")


def _versions(portal: Portal, offer: Offer) -> Iterator[Version]:
    """The one that new sessions and runs get, and older ones that some still have."""
    image = offer.environment.image
    repository = image.rpartition(":")[0] if image else ""
    used = Counter(task.spec.image for task in portal.ledger.open_tasks() if task.spec.image)
    for present in portal.workshop.shelf.present() if repository else ():
        if any(name.rpartition(":")[0] == repository for name in present.names):
            yield Version(present, sum(used[name] for name in (present.id, *present.names, *present.digests)))


def _packages(portal: Portal, recipe: Recipe) -> Iterator[Package]:
    """As its lock and those of what it is built on say; of Python on this machine what is installed there."""
    python = recipe.environment.python
    if python is not None:
        places = [str(place) for place in python.glob("lib/python3*/site-packages")]
        found = {one.name: one.version for one in distributions(path=places)}
        yield from (Package(name, found[name], recipe.name) for name in sorted(found, key=str.casefold))
        return
    seen = set[str]()
    for one in (recipe, *parents(recipe, portal.catalogue.recipes())):
        for name, version in _pinned(one):
            if name not in seen:
                seen.add(name)
                yield Package(name, version, one.name)


def _pinned(recipe: Recipe) -> Sequence[tuple[str, str]]:
    for name in ("requirements.lock", "requirements.txt"):
        try:
            with (recipe.folder / name).open("rb") as file:
                return _PINNED.findall(file.read(4 << 20).decode("utf-8", "replace"))
        except OSError:
            continue
    return []
