"""Builds the image of an environment, and first those of what it is built on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drybench.catalogue import Catalogue
from drybench.images.known import Connect, Images
from drybench.images.records import Build, Builds


@dataclass(frozen=True)
class Options:
    """What the keeper's settings say about builds ([images])."""

    extra_ca: Path | None = None
    wheels: Path | None = None
    registry: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


class Building:
    """The one way to a build: for the page, the API and the command line."""

    def __init__(
        self, catalogue: Catalogue, images: Images, builds: Builds, options: Options, connect: Connect, locks: Path
    ) -> None: ...

    def begin(self, name: str, fresh: bool = False) -> Build:
        """In the background of this process; the build that goes on already is the one that is asked for."""
        raise NotImplementedError

    async def cancel(self, id: str) -> None:
        """Back when it has ended. One of another process goes on."""
        raise NotImplementedError

    def build(self, name: str, fresh: bool = False) -> AsyncGenerator[str]:
        """Its log, line by line; errors.BuildFailed at its end where it failed. Closing it cancels the build."""
        raise NotImplementedError

    def pull(self, name: str) -> AsyncGenerator[str]:
        """Get it from the registry, or by its own name where it has one; errors.ImageNotHad."""
        raise NotImplementedError

    async def close(self) -> None:
        """End those that go on."""
        raise NotImplementedError

    @property
    def going_on(self) -> Sequence[str]:
        raise NotImplementedError
