"""What Docker tells of containers is listened to for ever, whatever comes in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import aiodocker
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from drybench.engines.docker_connection import connect
from drybench.engines.docker_events import FIRST_PAUSE, Events
from tests.waiting import PATIENCE

NONSENSE = (b"[]\n", b'{"time": [1]}\n', b"no json\n")
EVENT = {"Action": "start", "time": 1, "Actor": {"Attributes": {"org.drybench.task": "t1"}}}


class Telling:
    """Something that answers as Docker does, with the next of these each time it is asked for events."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[float] = []

    async def answer(self, request: web.Request) -> web.Response:
        if not request.path.endswith("/events"):
            return web.json_response({"ApiVersion": "1.41"})
        self.asked.append(asyncio.get_running_loop().time())
        return web.Response(body=self.answers.pop(0), content_type="application/json")


@pytest.fixture
def telling() -> Telling:
    return Telling(*NONSENSE, json.dumps(EVENT).encode() + b"\n")


@pytest.fixture
async def docker(telling: Telling, tmp_path: Path) -> AsyncIterator[aiodocker.Docker]:
    app = web.Application()
    app.router.add_get("/{path:.*}", telling.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "docker.sock")).start()
    async with connect(f"unix://{tmp_path}/docker.sock") as made:
        yield made
    await runner.cleanup()


async def test_what_nobody_foresaw_is_logged_and_the_next_word_is_heard(
    docker: aiodocker.Docker, telling: Telling
) -> None:
    events = Events("b1")
    with capture_logs() as logs:
        events.begin(docker)
        assert await asyncio.wait_for(events.next(), PATIENCE) == "t1"
        await events.close()
    assert [entry["event"] for entry in logs] == ["no word of changes from Docker for a moment"] * 2
    pauses = [after - before for before, after in pairwise(telling.asked)]
    assert [pause >= FIRST_PAUSE * 2**n for n, pause in enumerate(pauses)] == [True] * len(NONSENSE)
