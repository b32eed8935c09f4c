"""What the portal does before it serves anybody."""

from __future__ import annotations

import asyncio

import pytest

from drybench import serving


class Looker:
    def __init__(self, hangs: bool = False) -> None:
        self._hangs = hangs
        self.has_looked = False

    async def look(self) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        self.has_looked = True


async def test_it_looks_once_at_what_it_tells_from_memory() -> None:
    looker = Looker()
    await serving.look_first([looker])
    assert looker.has_looked


async def test_what_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "FIRST_LOOK", 0.01)
    quick, hanging = Looker(), Looker(hangs=True)
    await serving.look_first([hanging, quick])
    assert (quick.has_looked, hanging.has_looked) == (True, False)
