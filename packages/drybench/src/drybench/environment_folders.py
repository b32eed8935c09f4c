"""All environments that there are: those that come with Drybench, and the keeper's. A wrong one stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from drybench.environment_files import FILE, Broken, Recipe, broken, read

SHIPPED = Path(str(files("drybench").joinpath("environments")))
REPOSITORY = "drybench"  # of the images that are built here: drybench/NAME:HASH
BROUGHT = ".own"  # after the name of one that somebody brought: an image of theirs never passes for the keeper's

HashOf = Callable[[Recipe, Sequence[Recipe]], str]  # of a recipe with its parents, the nearest first


@dataclass(frozen=True)
class Read:
    recipes: Mapping[str, Recipe]
    broken: Sequence[Broken]

    @property
    def names(self) -> set[str]:
        return {*self.recipes, *(one.name for one in self.broken)}


@dataclass(frozen=True)
class Library:
    """`folders` have one folder in them for each environment. A name counts where it is found first."""

    folders: Sequence[Path]
    pythons: Mapping[str, Path]  # where the Python lies of an environment that the bench makes itself
    hash_of: HashOf
    only: Sequence[str] | None = None  # these, where not all are wanted
    brought: Path | None = None  # the one of these folders that is people's own

    def read(self) -> Read:
        recipes: dict[str, Recipe] = {}
        wrong: list[Broken] = []
        for folder in self._all():
            found = read(folder, self.pythons, shipped=folder.parent == SHIPPED)
            if isinstance(found, Broken):
                wrong.append(found)
            elif found.name not in recipes:
                recipes[found.name] = replace(found, brought=folder.parent == self.brought)
            elif not found.shipped:
                wrong.append(broken(found, f"the name is taken by {recipes[found.name].folder}"))
        wrong.extend(_without_parents(recipes))
        for one in wrong:
            if one.name in recipes and recipes[one.name].folder == one.file.parent:
                del recipes[one.name]
        named: dict[str, Recipe] = {}
        for name, one in recipes.items():
            try:
                named[name] = self._with_image(one, recipes)
            except OSError as error:
                wrong.append(broken(one, f"what its image is made of cannot be read ({error})"))
        return Read(named, wrong)

    def _all(self) -> Iterator[Path]:
        for folder in self.folders:
            with suppress(OSError):  # one of the keeper's that is not there now, such as a share that is away
                found = sorted(entry.parent for entry in folder.glob(f"*/{FILE}"))
                yield from (one for one in found if self.only is None or one.name in self.only)

    def _with_image(self, recipe: Recipe, recipes: Mapping[str, Recipe]) -> Recipe:
        if not recipe.dockerfile:
            return recipe
        tag = self.hash_of(recipe, parents(recipe, recipes))
        name = recipe.name + (BROUGHT if recipe.brought else "")
        image = f"{REPOSITORY}/{name}:{tag}"
        return replace(recipe, environment=replace(recipe.environment, image=image))


def parents(recipe: Recipe, recipes: Mapping[str, Recipe]) -> Sequence[Recipe]:
    """What it is built on, the nearest first."""
    found: list[Recipe] = []
    while (on := recipe.environment.on) is not None:
        recipe = recipes[on]
        found.append(recipe)
    return found


def _without_parents(recipes: Mapping[str, Recipe]) -> Iterator[Broken]:
    for recipe in recipes.values():
        if problem := _problem_above(recipe, recipes):
            yield broken(recipe, problem, "on")


def _problem_above(recipe: Recipe, recipes: Mapping[str, Recipe]) -> str:
    seen, above = {recipe.name}, recipe.environment.on
    while above is not None:
        if above in seen:
            return f"it is built on {above}, which is built on it"
        if above not in recipes:
            return f"there is no environment {above} to build it on"
        if recipes[above].environment.image is None and not recipes[above].dockerfile:
            return f"{above} has no image to build it on"
        seen.add(above)
        above = recipes[above].environment.on
    return ""
