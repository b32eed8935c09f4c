"""How large letters are, as a page asks for it: whatever it asks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from drybench_session.desktop import scaling


@pytest.mark.parametrize(
    ("asked", "kept"), [(1.5, "1.5"), (0.1, ""), (-1, ""), (99, "4.0"), (float("inf"), "4.0"), (float("nan"), "")]
)
async def test_it_stays_within_what_a_display_can_be(monkeypatch: pytest.MonkeyPatch, asked: float, kept: str) -> None:
    said = dict[str, str]()

    async def ask(_environ: Mapping[str, str], *words: str) -> str:
        if "-s" in words:
            said[words[3]] = words[-1]
        return ""

    monkeypatch.setattr(scaling, "_asked", ask)
    await scaling.scale({}, asked)
    assert said.get("/scale", "") == kept
