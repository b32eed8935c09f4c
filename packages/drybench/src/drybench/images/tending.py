"""Trying images and making room, as the pages ask for it: what takes long goes on in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from aiodocker import Docker

from drybench.asking import Desk
from drybench.changes import Change
from drybench.engines.docker_connection import reaching
from drybench.errors import DrybenchError
from drybench.images.bringing import ENVIRONMENT
from drybench.images.checking import Checked, check
from drybench.images.known import Connect
from drybench.images.pruning import Leftover, Leftovers, freed, remove, unused
from drybench.images.records import Builds

log = structlog.get_logger("images")


@dataclass(frozen=True)
class Trial:
    """The last look at one image; it is known as long as this process lives."""

    began_at: datetime
    checked: Checked | None = None  # None: it goes on, or came to nothing
    problem: str = ""

    @property
    def goes_on(self) -> bool:
        return self.checked is None and not self.problem


class Tending:
    def __init__(self, desk: Desk, builds: Builds, connect: Connect) -> None:
        self._desk = desk
        self._builds = builds
        self._connect = connect
        self._trials: dict[str, Trial] = {}
        self._tasks = set[asyncio.Task[None]]()

    def trial(self, name: str) -> Trial | None:
        return self._trials.get(name)

    def begin(self, name: str) -> Trial:
        """One that goes on already is the one that is asked for."""
        known = self._trials.get(name)
        if known and known.goes_on:
            return known
        offer = self._desk.catalogue.offer(name)
        if offer.why_not:
            raise offer.why_not
        self._trials[name] = Trial(self._desk.now())
        task = asyncio.create_task(self._try(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return self._trials[name]

    async def leftovers(self) -> Leftovers:
        async with self._docker() as docker:
            return await self._leftovers(docker)

    async def prune(self) -> tuple[Leftovers, Sequence[Leftover]]:
        """What was to go, with the bytes that are free now, and what Docker has kept all the same."""
        async with self._docker() as docker:
            found = await self._leftovers(docker)
            kept = await remove(docker, found)
            return replace(found, freed=await freed(docker, found)), kept

    async def _try(self, name: str) -> None:
        try:
            offer, recipe = self._desk.catalogue.offer(name), self._desk.catalogue.recipe(name)
            async with self._docker() as docker:
                checked = await check(docker, replace(recipe, environment=offer.environment))
            self._trials[name] = replace(self._trials[name], checked=checked)
        except Exception as error:
            if not isinstance(error, DrybenchError):
                log.exception("an image could not be tried", environment=name)
            said = error if isinstance(error, DrybenchError) else DrybenchError()
            self._trials[name] = replace(self._trials[name], problem=f"{said.sentence} {said.step}")
        self._desk.changes.tell(Change(ENVIRONMENT, name, ""))

    async def _leftovers(self, docker: Docker) -> Leftovers:
        tasks = [row.spec for row in await asyncio.to_thread(self._desk.ledger.open_tasks)]
        return await unused(docker, self._desk.catalogue, tasks, await asyncio.to_thread(self._builds.all))

    @asynccontextmanager
    async def _docker(self) -> AsyncGenerator[Docker]:
        with reaching():
            async with self._connect() as docker:
                yield docker
