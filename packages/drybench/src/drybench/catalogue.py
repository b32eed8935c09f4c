"""What there is to choose from: environments, their kernels, and sizes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from drybench import own_kernels
from drybench.environment_files import Broken, Recipe
from drybench.environment_folders import SHIPPED, Library, Read
from drybench.errors import (
    EnvironmentBroken,
    ImageNotBuilt,
    ImageNotHere,
    NoContainersHere,
    NoSuchEnvironment,
    NoSuchSize,
    Refused,
)
from drybench.model import DESKTOP, App, Environment, Link, Size

MOST_OF_A_KERNELSPEC = 1 << 20
Remedy = Literal["", "build", "pull", "mend"]


class ImageShelf(Protocol):
    """Which images are here, from memory: nobody who asks waits for a Docker."""

    @property
    def away(self) -> str:
        """Why no image can be used now; empty: they can."""
        ...

    def digest(self, reference: str) -> str | None:
        """Of the image by this name, as it is here now."""
        ...

    def newest(self, repository: str) -> str | None:
        """The name of the youngest image of this repository that is here."""
        ...

    def apps(self, digest: str) -> Sequence[App]:
        """What an image has beside JupyterLab, as far as it has been looked into."""
        ...


@dataclass(frozen=True)
class Desktops:
    """What the keeper says of desktops, and which apps this machine itself can show."""

    background: Path | None = None
    links: tuple[Link, ...] = ()
    shows_here: Callable[[App], bool] = lambda app: not app.has_screen

    @property
    def there(self) -> Path | None:
        """A session does without a background that is away."""
        return self.background if self.background and self.background.is_file() else None


@dataclass(frozen=True)
class Offer:
    """An environment, and whether it can be used now."""

    environment: Environment  # with the image that would be used: an older one while today's is not built
    why_not: Refused | None = None  # None: it can be used
    remedy: Remedy = ""  # what the keeper can do for it; "build" also while an older image is used
    recipe: Recipe | None = None  # None: its folder is broken

    @property
    def usable(self) -> bool:
        return self.why_not is None

    @property
    def startable(self) -> bool:
        """A session may also wait for an image that is only to be got; a run is recorded with what it runs in."""
        return self.usable or isinstance(self.why_not, ImageNotHere)


class NoImages:
    """Of a bench without containers."""

    def __init__(self, away: str = "there is no engine for containers") -> None:
        self._away = away

    @property
    def away(self) -> str:
        return self._away

    def digest(self, reference: str) -> str | None:
        return None

    def newest(self, repository: str) -> str | None:
        return None

    def apps(self, digest: str) -> Sequence[App]:
        return ()


class Catalogue:
    """`pythons` says where on this machine an environment's Python lies that the bench makes.

    Without a library it offers these alone. What is in the folders is read by `reread`, images are asked for each time.
    """

    def __init__(
        self,
        pythons: Mapping[str, Path],
        sizes: Iterable[Size],
        home: Path,
        library: Library | None = None,
        shelf: ImageShelf | None = None,
        desktops: Desktops = Desktops(),
    ) -> None:
        self._library = library or Library((SHIPPED,), pythons, _no_hash, tuple(pythons))
        self._shelf = shelf or NoImages()
        self._sizes = {size.name: size for size in sizes}
        self._home = home
        self._desktops = desktops
        self._read = Read({}, ())
        self.reread()

    def reread(self) -> None:
        """Look into the folders once more. It reads files, so not from the loop's own thread."""
        self._read = self._library.read()

    def environments(self) -> Sequence[Environment]:
        """Those that can be used now."""
        return tuple(offer.environment for offer in map(self._offer, self._read.recipes.values()) if offer.usable)

    def offered(self) -> Sequence[Offer]:
        """All of them, those that cannot be used with the reason; the broken ones last."""
        whole = [self._offer(recipe) for recipe in self._read.recipes.values()]
        return (*whole, *map(_broken_offer, self._read.broken))

    def broken(self) -> Sequence[Broken]:
        return tuple(self._read.broken)

    def environment(
        self, name: str, may_use: Callable[[str], bool] = lambda name: True, startable: bool = False
    ) -> Environment:
        """One that can be used now; else why it cannot, or what else there is for whoever asks."""
        offer = self.offer(name, may_use)
        if offer.why_not and not (startable and offer.startable):
            raise offer.why_not
        return offer.environment

    def offer(self, name: str, may_use: Callable[[str], bool] = lambda name: True) -> Offer:
        if name not in self._read.names:  # it may have come since
            self.reread()
        recipe = self._read.recipes.get(name)
        broken = next((one for one in self._read.broken if one.name == name), None)
        if recipe:
            return self._offer(recipe)
        if broken:
            return _broken_offer(broken)
        there = (one.name for one in self.environments())
        raise NoSuchEnvironment(name=name[:60], there=_listed(filter(may_use, there)))

    def recipe(self, name: str) -> Recipe:
        offer = self.offer(name)
        if offer.recipe is None:
            assert offer.why_not
            raise offer.why_not
        return offer.recipe

    def recipes(self) -> Mapping[str, Recipe]:
        return self._read.recipes

    def sizes(self) -> Sequence[Size]:
        return tuple(self._sizes.values())

    def size(self, name: str | None, environment: Environment) -> Size:
        chosen = name or environment.size
        try:
            return self._sizes[chosen]
        except KeyError:
            raise NoSuchSize(name=chosen[:60], there=_listed(self._sizes)) from None

    def kernels(self, environment: Environment) -> Sequence[str]:
        """The environment's own and the person's, as a task in it would find them; of an image what its file says."""
        if environment.python is None:
            recipe = self._read.recipes.get(environment.name)
            return recipe.kernels if recipe else ()
        places = (
            self._home / ".local/share/jupyter",
            environment.python / "share/jupyter",
            Path("/usr/local/share/jupyter"),
            Path("/usr/share/jupyter"),
        )
        found = {spec.parent.name for place in places for spec in place.glob("kernels/*/kernel.json") if _sane(spec)}
        return sorted(found | set(own_kernels.names(self._home)))

    def _offer(self, recipe: Recipe) -> Offer:
        one = recipe.environment
        if one.image is not None and any(app.name == DESKTOP for app in one.apps):
            one = replace(one, background=self._desktops.there, links=self._desktops.links)
        if one.image is None:
            shown = tuple(filter(self._desktops.shows_here, one.apps))
            return Offer(replace(one, apps=shown), recipe=recipe)
        remedy: Remedy = "build" if recipe.dockerfile else "pull"
        if digest := self._shelf.digest(one.image):
            asked = not (recipe.dockerfile or recipe.lists_apps)
            apps = (*one.apps, *self._shelf.apps(digest)) if asked else one.apps
            return Offer(replace(one, digest=digest, apps=apps), recipe=recipe)
        older = self._shelf.newest(one.image.rpartition(":")[0]) if recipe.dockerfile else None
        if older and (digest := self._shelf.digest(older)):
            return Offer(replace(one, image=older, digest=digest), None, remedy, recipe)
        return Offer(one, _why_not(recipe, self._shelf.away), remedy, recipe)


def _why_not(recipe: Recipe, away: str) -> Refused:
    one = recipe.environment
    if away:
        return NoContainersHere(title=one.title, why=away)
    if recipe.dockerfile:
        return ImageNotBuilt(title=one.title, name=one.name)
    return ImageNotHere(title=one.title, name=one.name, image=one.image)


def _broken_offer(broken: Broken) -> Offer:
    nothing = Environment(name=broken.name, title=broken.name, summary="", engine="", apps=())
    why = EnvironmentBroken(name=broken.name, file=broken.file, line=broken.line, problem=broken.problem)
    return Offer(nothing, why, "mend")


def _no_hash(recipe: Recipe, parents: Sequence[Recipe]) -> str:
    raise AssertionError(f"{recipe.name} is built from a Dockerfile")


def _sane(spec: Path) -> bool:
    """A person's own kernels are as good as anything that they put there: a pipe would be read for ever."""
    try:
        if not spec.is_file():
            return False
        with spec.open("rb") as file:
            return "argv" in json.loads(file.read(MOST_OF_A_KERNELSPEC))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
