"""A little bench that could have containers: images that are said to be here, and builds that a test lets go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from drybench.environment_files import Recipe
from drybench.environment_folders import Library
from drybench.ids import uuid7
from drybench.images.known import Present
from drybench.images.pruning import Leftover, Leftovers
from drybench.images.records import Build, Builds, Writer
from drybench.images.tending import Trial
from drybench.model import App

BASE = """
title = "Base"
summary = "JupyterLab with numpy, pandas and matplotlib, git and a terminal"
picture = "picture.svg"
needs = ["an hour of patience"]
[[apps]]
name = "lab"
title = "JupyterLab"
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#0b5f82"/></svg>'
NAPARI = """
title = "napari"
summary = "Look at images in many dimensions, in a desktop in the browser"
on = "base"
[[apps]]
name = "desktop"
title = "Desktop"
[[apps]]
name = "napari"
title = "napari"
"""


@dataclass
class Shelf:
    """Which images are here, as a test says."""

    images: dict[str, Present] = field(default_factory=dict[str, Present])
    away: str = ""

    def put(self, reference: str, size: int = 1_300_000_000, at: datetime | None = None) -> Present:
        id = f"sha256:{len(self.images):064x}"
        self.images[reference] = Present(id, (reference,), (), size, at or datetime.now(UTC), {})
        return self.images[reference]

    def image(self, reference: str) -> Present | None:
        return self.images.get(reference)

    def present(self) -> Sequence[Present]:
        return list(self.images.values())

    def digest(self, reference: str) -> str | None:
        found = self.image(reference)
        return found.id if found and not self.away else None

    def newest(self, repository: str) -> str | None:
        return next((name for name in reversed(self.images) if name.rpartition(":")[0] == repository), None)

    def apps(self, digest: str) -> Sequence[App]:
        return ()


@dataclass
class Building:
    """Begins a build and leaves it to the test how it goes on."""

    builds: Builds
    begun: dict[str, Writer] = field(default_factory=dict[str, Writer])

    def begin(self, name: str, fresh: bool = False, pull: bool = False) -> Build:
        writer = self.builds.begin(name, f"drybench/{name}:0123456789ab", fresh, pull)
        self.begun[writer.build.id] = writer
        return writer.note(state="building", now=name, step=1, steps=3, doing="RUN apt-get update")

    async def cancel(self, id: str) -> None:
        self.begun[id].end("cancelled")

    def close(self) -> None:
        for writer in self.begun.values():
            if not writer.build.is_over:
                writer.end("cancelled")


@dataclass
class Tending:
    """Says of an image what a test has put in, and knows what nothing uses."""

    trials: dict[str, Trial] = field(default_factory=dict[str, Trial])
    unused: Leftovers = field(default=Leftovers((), 0))
    kept: tuple[Leftover, ...] = ()

    def trial(self, name: str) -> Trial | None:
        return self.trials.get(name)

    def begin(self, name: str) -> Trial:
        return self.trials.setdefault(name, Trial(datetime.now(UTC)))

    async def leftovers(self) -> Leftovers:
        return self.unused

    async def prune(self) -> tuple[Leftovers, Sequence[Leftover]]:
        found, self.unused = self.unused, Leftovers(self.kept, sum(one.size for one in self.kept))
        return found, self.kept


@dataclass
class Containers:
    folder: Path
    shelf: Shelf
    builds: Builds
    building: Building
    tending: Tending
    folders: Sequence[Path]

    def library(self, pythons: dict[str, Path]) -> Library:
        return Library((self.folder, *self.folders), pythons, _hash)

    def environment(self, name: str, text: str, dockerfile: str | None = "FROM scratch\n") -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.toml").write_text(text)
        (folder / "picture.svg").write_text(PICTURE)
        if dockerfile is not None:
            (folder / "Dockerfile").write_text(dockerfile)
        return folder


def containers(folder: Path, data: Path) -> Containers:
    builds = Builds(data / "images", lambda: datetime.now(UTC), uuid7)
    made = Containers(folder / "shipped", Shelf(), builds, Building(builds), Tending(), (data / "environments/own",))
    made.environment("base", BASE)
    made.environment("napari", NAPARI)
    made.environment("python", 'title = "Python"\nsummary = "JupyterLab with numpy"\nengine = "local"\n', None)
    return made


def _hash(recipe: Recipe, parents: Sequence[Recipe]) -> str:
    return "0123456789ab"
