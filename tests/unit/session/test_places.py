"""A screen that does not answer for a moment, which no real one does on order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drybench_session.apps import App
from drybench_session.desktop.kinds import Place

NOTES = App("notes", "Notes", ("notes",))


class Display:
    def __init__(self) -> None:
        self.window = asyncio.Event()

    async def shows_a_window(self) -> None:
        await self.window.wait()


class Silent(Place):
    """At its first two tries."""

    def __init__(self) -> None:
        nothing: Mapping[str, str] = {}
        screen: Any = None
        super().__init__(NOTES, screen, nothing, Path("/nonexistent"), is_new=True)
        self.left, self.shown = 2, Display()

    @asynccontextmanager
    async def display(self) -> AsyncGenerator[Any]:
        if self.left:
            self.left -= 1
            raise ConnectionRefusedError
        yield self.shown


async def test_a_screen_that_does_not_answer_shows_nothing_yet() -> None:
    place = Silent()
    looking = asyncio.create_task(place.shows_a_window())
    while place.left:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not looking.done()
    place.shown.window.set()
    await looking
