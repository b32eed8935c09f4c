"""Images: whether one is there, and getting it, told in words while it goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiodocker

from drybench.engines.docker_connection import ask, away, listening
from drybench.errors import DockerAway, ImageNotHad

OURS = "drybench/"  # built here: somebody else's of that name, on the internet, is not it
OF_ENVIRONMENT = "org.drybench.environment"
HAVE = ("Pull complete", "Already exists")


@dataclass
class Progress:
    layers: dict[str, str] = field(default_factory=dict[str, str])  # what was last said of each

    @property
    def words(self) -> str:
        if not self.layers:
            return "getting the image"
        have = sum(said in HAVE for said in self.layers.values())
        return f"getting the image: {have} of {len(self.layers)} layers"

    def hear(self, said: Mapping[str, Any]) -> None:
        """The tag is spoken of as if it were a layer."""
        status, layer = said.get("status"), said.get("id")
        if isinstance(status, str) and isinstance(layer, str) and not status.startswith("Pulling from"):
            self.layers[layer] = status


class Images:
    """Each missing image is got once, whoever waits for it."""

    def __init__(self) -> None:
        self._getting: dict[str, tuple[Progress, asyncio.Task[None]]] = {}

    async def known(self, docker: aiodocker.Docker, name: str) -> Mapping[str, Any] | None:
        """What Docker says of it; None: it is not here."""
        try:
            return await ask(docker, f"images/{name}/json")
        except aiodocker.DockerError as problem:
            if problem.status == 404:
                return None
            raise

    async def waits(self, docker: aiodocker.Docker, name: str) -> str:
        """What a missing one still waits for; errors.ImageNotHad says why it never comes, to all who ask by then."""
        if name not in self._getting:
            if name.startswith(("sha256:", OURS)):
                raise ImageNotHad(image=name, problem="it is not on this machine, and it was made on this one.")
            progress = Progress()
            self._getting[name] = (progress, asyncio.create_task(_get(docker, name, progress)))
        progress, task = self._getting[name]
        if not task.done():
            return progress.words
        del self._getting[name]
        if problem := task.exception():
            if isinstance(problem, DockerAway):
                return problem.sentence
            raise problem
        return ""

    async def close(self) -> None:
        tasks = [task for _, task in self._getting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _get(docker: aiodocker.Docker, name: str, progress: Progress) -> None:
    """Docker pulls on only as long as somebody listens."""
    try:
        async with listening(docker, "images/create", {"fromImage": _with_tag(name)}, "POST") as lines:
            async for line in lines:
                said = json.loads(line)
                if problem := said.get("error"):
                    raise ImageNotHad(image=name, problem=str(problem).strip())
                progress.hear(said)
    except aiodocker.DockerError as problem:
        if away(problem):
            raise DockerAway() from problem
        raise ImageNotHad(image=name, problem=problem.message.strip()) from problem


def _with_tag(name: str) -> str:
    """Without one Docker would get all that there are."""
    last = name.rsplit("/", 1)[-1]
    return name if ":" in last or "@" in last else f"{name}:latest"
