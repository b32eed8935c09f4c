"""Images: whether one is there, and getting it, told in words while it goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import aiodocker

from drybench.engines.docker_connection import ask, away, listening
from drybench.engines.docker_registry import Pulling, signed_in
from drybench.errors import DockerAway, ImageNotHad

OURS = "drybench/"  # built here: somebody else's of that name, on the internet, is not it
OF_ENVIRONMENT = "org.drybench.environment"
TOLD_FOR = 60.0  # seconds that it is told why an image did not come; who asks later has it tried anew


class Images:
    """Each missing image is got once, whoever waits for it."""

    def __init__(self) -> None:
        self._getting: dict[str, tuple[Pulling, asyncio.Task[None]]] = {}

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
                raise ImageNotHad(image=name, problem="it is not on this machine, and it was made on this one")
            self._begin(docker, name)
        pulling, task = self._getting[name]
        if not task.done():
            return f"getting the image: {pulling.have} of {pulling.all} layers" if pulling.all else "getting the image"
        del self._getting[name]
        if problem := task.exception():
            if isinstance(problem, DockerAway):
                return problem.sentence
            raise problem
        return ""

    def _begin(self, docker: aiodocker.Docker, name: str) -> None:
        pulling = Pulling()
        task = asyncio.create_task(_get(docker, name, pulling))
        self._getting[name] = (pulling, task)
        task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        """Nobody may ask any more: whoever waited for it has been cancelled."""
        keeps_word = not task.cancelled() and task.exception()
        asyncio.get_running_loop().call_later(TOLD_FOR if keeps_word else 0, self._forget, name, task)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._getting.get(name, (None, None))[1] is task:
            del self._getting[name]

    async def close(self) -> None:
        tasks = [task for _, task in self._getting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _get(docker: aiodocker.Docker, name: str, pulling: Pulling) -> None:
    """Docker pulls on only as long as somebody listens."""
    try:
        auth = signed_in(name)
        headers = {"X-Registry-Auth": auth} if auth else {}
        asked = listening(docker, "images/create", {"fromImage": _with_tag(name)}, "POST", headers)
        async with asked as lines:
            async for line in lines:
                said = json.loads(line)
                if problem := said.get("error"):
                    raise ImageNotHad(image=name, problem=str(problem).strip(" .\n"))
                list(pulling.hear(said))  # it tells of each layer; how far it is will do
    except aiodocker.DockerError as problem:
        if away(problem):
            raise DockerAway() from problem
        raise ImageNotHad(image=name, problem=problem.message.strip(" .\n")) from problem


def _with_tag(name: str) -> str:
    """Without one Docker would get all that there are."""
    last = name.rsplit("/", 1)[-1]
    return name if ":" in last or "@" in last else f"{name}:latest"
