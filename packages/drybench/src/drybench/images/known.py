"""Which images are here: asked of Docker in the background, and told from memory."""

# pyright: standard

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog
from aiodocker import Docker, DockerError

from drybench.images.checking import apps_in
from drybench.model import App
from drybench.within import within

log = structlog.get_logger("images")

EVERY = 20  # seconds; a build of our own is seen at once
ENVIRONMENT, SOURCE, RUNNER = "org.drybench.environment", "org.drybench.source", "org.drybench.runner"  # labels
DOCKER_AWAY = (DockerError, aiohttp.ClientError, OSError, ValueError, TimeoutError)

Connect = Callable[[], Docker]  # a new connection, which its taker closes


@dataclass(frozen=True)
class Present:
    """One image that is here."""

    id: str  # sha256:…
    names: tuple[str, ...]  # with their tags
    digests: tuple[str, ...]  # as registries know it: name@sha256:…
    size: int
    created_at: datetime
    labels: Mapping[str, str]

    @property
    def environment(self) -> str | None:
        """The environment that it was built for here or by somebody else's Drybench."""
        return self.labels.get(ENVIRONMENT)


class Images:
    """Implements the catalogue's `ImageShelf`. What it knew stays known while Docker is away."""

    def __init__(self, connect: Connect, every: float = EVERY) -> None:
        self._connect = connect
        self._every = every
        self._present: tuple[Present, ...] = ()
        self._by_name: Mapping[str, Present] = {}
        self._away = "nobody has asked Docker yet"
        self._apps: dict[str, Sequence[App]] = {}  # by the image's id
        self._asked: set[str] = set()  # and not looked into yet
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def away(self) -> str:
        return self._away

    def digest(self, reference: str) -> str | None:
        found = self.image(reference)
        return found.id if found else None

    def newest(self, repository: str) -> str | None:
        mine = [one for name, one in self._by_name.items() if name.rpartition(":")[0] == repository]
        found = max(mine, key=lambda one: one.created_at, default=None)
        return next(name for name in found.names if name.rpartition(":")[0] == repository) if found else None

    def apps(self, digest: str) -> Sequence[App]:
        """Who asks first is told of none: the image is then looked into, which takes a second."""
        if digest not in self._apps:
            self._asked.add(digest)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._told.set)
        return self._apps.get(digest, ())

    def image(self, reference: str) -> Present | None:
        """By a name with its tag, by a digest, or by its id."""
        return self._by_name.get(reference)

    def present(self) -> Sequence[Present]:
        """The youngest first."""
        return self._present

    async def look(self) -> None:
        """Ask now."""
        try:
            async with self._connect() as docker:
                found = await docker.images.list()
        except DOCKER_AWAY as error:
            self._note_away(str(error) or type(error).__name__)
            return
        self._away = ""
        present = sorted(map(_present, found), key=lambda one: one.created_at, reverse=True)
        self._present = tuple(present)
        self._by_name = {name: one for one in reversed(present) for name in (one.id, *one.names, *one.digests)}

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            await self.look()
            await self.look_inside()
            with suppress(TimeoutError):
                await within(self._every, self._told.wait())

    async def look_inside(self) -> None:
        """Into those whose apps somebody has asked for."""
        self._told.clear()
        for digest in tuple(self._asked):
            try:
                async with self._connect() as docker:
                    self._apps[digest] = await apps_in(docker, digest)
            except DOCKER_AWAY as error:
                log.info("an image could not be looked into", image=digest, why=str(error))
                continue
            self._asked.discard(digest)

    def _note_away(self, why: str) -> None:
        if not self._away:
            log.warning("Docker does not answer", why=why)
        self._away = f"Docker does not answer ({why})"


def _present(said: Mapping[str, Any]) -> Present:
    return Present(
        id=said["Id"],
        names=tuple(names_in(said.get("RepoTags"))),
        digests=tuple(names_in(said.get("RepoDigests"))),
        size=said.get("Size", 0),
        created_at=datetime.fromtimestamp(said.get("Created", 0), UTC),
        labels=said.get("Labels") or {},
    )


def names_in(said: Sequence[str] | None) -> Iterator[str]:
    """Podman says `localhost/…` for what was built here, and `docker.io/…` where Docker says nothing."""
    for name in said or ():
        if "<none>" not in name:
            yield name.removeprefix("localhost/").removeprefix("docker.io/library/").removeprefix("docker.io/")
