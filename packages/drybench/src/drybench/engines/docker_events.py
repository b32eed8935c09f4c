"""Docker's own word of what happens to a bench's containers, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiodocker
import structlog

from drybench.engines.docker_connection import ask, away, listening, part
from drybench.engines.docker_container import BENCH_LABEL, TASK_LABEL
from drybench.errors import DockerAway

log = structlog.get_logger("docker")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Events:
    def __init__(self, bench_id: str) -> None:
        self._filters = {"type": ["container"], "label": [f"{BENCH_LABEL}={bench_id}"]}
        self._news: asyncio.Queue[str] = asyncio.Queue()
        self._claimed: dict[str, str] = {}  # the task that a ready one has become
        self._listening: asyncio.Task[None] | None = None
        self._heard = time.time()

    def begin(self, docker: aiodocker.Docker) -> None:
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(docker))

    def know(self, claimed: Mapping[str, str]) -> None:
        self._claimed.update(claimed)

    def tell(self, id: str) -> None:
        self._news.put_nowait(self._claimed.get(id, id))

    async def next(self) -> str:
        return await self._news.get()

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self, docker: aiodocker.Docker) -> None:
        """When Docker was away, it is asked for what happened since; of that it keeps the last thousand."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with listening(docker, "events", {"filters": self._filters, "since": int(self._heard)}) as lines:
                    async for line in lines:
                        await self._hear(docker, json.loads(line))
                        pause = FIRST_PAUSE
            except (DockerAway, ValueError):
                pass
            except Exception as problem:
                if not (isinstance(problem, aiodocker.DockerError) or away(problem)):
                    log.exception("no word of changes from Docker for a moment")
                    self._heard = time.time()  # what cannot be understood is not asked for once more
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _hear(self, docker: aiodocker.Docker, event: Mapping[str, Any]) -> None:
        """Docker speaks of an end before its list shows it; to ask for that container waits until it does."""
        self._heard = float(event.get("time") or self._heard)
        if event.get("Action") == "die":
            with suppress(aiodocker.DockerError, DockerAway):
                await ask(docker, f"containers/{part(event, 'Actor').get('ID')}/json")
        id = part(event, "Actor", "Attributes").get(TASK_LABEL)
        if isinstance(id, str):
            self.tell(id)
