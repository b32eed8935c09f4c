"""Which images are here: asked of Docker in the background, and told from memory."""

# pyright: standard

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog
from aiodocker import Docker, DockerError

log = structlog.get_logger("images")

EVERY = 20  # seconds; a build of our own is seen at once
ENVIRONMENT, SOURCE, RUNNER = "org.drybench.environment", "org.drybench.source", "org.drybench.runner"  # labels

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
        except (DockerError, aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            self._note_away(str(error) or type(error).__name__)
            return
        self._away = ""
        present = sorted(map(_present, found), key=lambda one: one.created_at, reverse=True)
        self._present = tuple(present)
        self._by_name = {name: one for one in reversed(present) for name in (one.id, *one.names, *one.digests)}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every)

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
