"""How much of what is shown is kept in the notebook. What is left out is said there, and kept whole beside it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drybench_runner.terminal_text import Screen

TEXT_LIMIT = 4 << 20  # characters that one cell prints
SHOWN_LIMIT = 64 << 20  # characters of its pictures, tables and widgets
ITEM_LIMIT = 16 << 20  # characters of one of them
COUNT_LIMIT = 10_000  # outputs of one cell, after neighbouring text is merged
ERROR_LIMIT = 1 << 18  # characters of what an error says
ALL_TEXT_LIMIT = 64 << 20  # the same for all cells together
ALL_SHOWN_LIMIT = 192 << 20
WIDGET_LIMIT = 1 << 16  # characters of what is new of one widget, to be told while it runs
ALL_WIDGETS_LIMIT = 32 << 20


@dataclass
class Shares:
    """What all cells together may still show."""

    text: int = ALL_TEXT_LIMIT
    shown: int = ALL_SHOWN_LIMIT


class Allowance:
    """What one cell may still show; a new one for each cell, and when it clears its output.

    A line that is written over counts once.
    """

    def __init__(self, shares: Shares | None = None) -> None:
        self._shares = shares or Shares()
        self._text = 0
        self._shown = 0
        self._count = 0
        self._last: str | None = None
        self._screen = Screen()

    def of_text(self, name: str, text: str) -> int:
        """How many characters of this text are kept: all, its beginning, or none."""
        if not self.counts(name):
            return 0
        room = min(TEXT_LIMIT - self._text, self._shares.text)
        before = self._screen.size
        self._screen.write(text)
        more = self._screen.size - before
        kept = len(text) if more <= room else min(room, len(text))
        self._text += min(more, room)
        self._shares.text -= min(more, room)
        return kept

    def of_data(self, data: Mapping[str, Any]) -> bool:
        """Whether there is room for this picture, table or widget."""
        size = size_of(data)
        if size > min(SHOWN_LIMIT - self._shown, self._shares.shown, ITEM_LIMIT):
            return False
        self._shown += size
        self._shares.shown -= size
        return True

    def counts(self, name: str | None = None) -> bool:
        """Whether one output more is kept; text of one name that goes on is one."""
        if name is None or name != self._last:
            self._count += 1
            self._screen = Screen()
        self._last = name
        return self._count <= COUNT_LIMIT

    def give_back(self) -> None:
        """What it has shown is cleared."""
        self._shares.text += self._text
        self._shares.shown += self._shown


def size_of(data: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in data.values())


def short_error(output: dict[str, Any]) -> dict[str, Any]:
    """What an error says always has room, as long as it is not a book."""
    rows = "\n".join(output["traceback"])
    if len(rows) + len(output["evalue"]) <= ERROR_LIMIT:
        return output
    half = ERROR_LIMIT // 4
    rows = rows if len(rows) <= 2 * half else f"{rows[:half]}\n[…]\n{rows[-half:]}"
    return {**output, "ename": output["ename"][:1000], "evalue": output["evalue"][:half], "traceback": [rows]}
