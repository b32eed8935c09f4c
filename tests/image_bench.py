"""All that is needed to build images from tiny environments of a test's own, against a real Docker."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drybench import ids
from drybench.catalogue import Catalogue
from drybench.data_folder import DataFolder
from drybench.engines.docker_connection import connect
from drybench.environment_folders import Library
from drybench.images.building import Building
from drybench.images.context import Options
from drybench.images.hashing import Hashing
from drybench.images.known import Images
from drybench.images.records import Builds
from drybench.model import Size
from tests.docker import BASE, docker

TOML = 'title = "{title}"\nsummary = "Made by a test"\n{more}'


@dataclass
class ImageBench:
    """`low` is built on Debian, `high` on low. Their names are of this test alone."""

    data: DataFolder
    url: str
    mark: str
    options: Options
    brought: bool = False  # as if people had, and not the keeper

    def __post_init__(self) -> None:
        self.low, self.high = f"low-{self.mark}", f"high-{self.mark}"
        own = self.data.own_environments
        hashing = Hashing("ours", self.options.arguments)
        self.library = Library((own,), {}, hashing, brought=own if self.brought else None)
        self.images = Images(lambda: connect(self.url))
        self.catalogue = Catalogue({}, [Size("default", "", 1, 1 << 30)], self.data.path, self.library, self.images)
        self.builds = Builds(self.data.images, lambda: datetime.now(UTC), ids.uuid7)
        self.building = Building(
            self.catalogue, self.images, self.builds, self.options, lambda: connect(self.url), self.data.images
        )

    def write(self, name: str, dockerfile: str = "", more: str = "", **files: str) -> Path:
        folder = self.data.own_environments / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.toml").write_text(TOML.format(title=name.title(), more=more))
        if dockerfile:
            (folder / "Dockerfile").write_text(dockerfile)
        for file, text in files.items():
            (folder / file).write_text(text)
        self.catalogue.reread()
        return folder

    def write_both(self) -> None:
        self.write(self.low, f"FROM {BASE}\nRUN echo {self.mark} > /low\n")
        on = f'on = "{self.low}"\n'
        self.write(self.high, "ARG DRYBENCH_PARENT\nFROM ${DRYBENCH_PARENT}\nRUN cat /low && echo high > /high\n", on)

    async def build(self, name: str, fresh: bool = False) -> list[str]:
        return [line async for line in self.building.build(name, fresh)]

    def run(self, name: str, *command: str) -> str:
        image = self.catalogue.recipe(name).environment.image or ""
        return docker("run", "--rm", "--network", "none", "--name", f"{self.mark}-run", image, *command)


@contextmanager
def image_bench(folder: Path, url: str, options: Options | None = None, brought: bool = False) -> Generator[ImageBench]:
    """What it has built is removed at the end."""
    data = DataFolder(folder / "data")
    data.make()
    bench = ImageBench(data, url, f"t{secrets.token_hex(4)}", options or Options(), brought)
    try:
        yield bench
    finally:
        there = docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        if mine := [name for name in there if bench.mark in name]:
            docker("rmi", "-f", *mine)
