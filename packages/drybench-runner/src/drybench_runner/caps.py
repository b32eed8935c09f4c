"""How much of what one cell shows is kept. What is left out is said in the cell's own output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 10 << 20  # characters that a cell prints
SHOWN_LIMIT = 100 << 20  # characters of its pictures, tables and widgets
COUNT_LIMIT = 10_000  # outputs, after neighbouring text is merged

_MIB = 1 << 20


class Allowance:
    """What one cell may still show; a new one for each cell, and when it clears its output."""

    def __init__(self) -> None:
        self._text = TEXT_LIMIT
        self._shown = SHOWN_LIMIT
        self._count = COUNT_LIMIT
        self._last: str | None = None
        self._has_said_so = False

    def admit(self, output: dict[str, Any]) -> list[dict[str, Any]]:
        """What of this output is kept, with the words that say so the first time something is not."""
        kind = output["output_type"]
        if kind == "error":
            return [output]
        if not self._counts(output):
            return self._say(f"showed more than {COUNT_LIMIT} things")
        if kind == "stream":
            return self._admit_text(output)
        self._shown -= _size(output["data"])
        return [output] if self._shown >= 0 else self._say(f"showed more than {SHOWN_LIMIT // _MIB} MiB")

    def _counts(self, output: Mapping[str, Any]) -> bool:
        name = output.get("name")
        if name is None or name != self._last:
            self._count -= 1
        self._last = name
        return self._count >= 0

    def _admit_text(self, output: dict[str, Any]) -> list[dict[str, Any]]:
        text = output["text"]
        kept, self._text = text[: self._text], max(0, self._text - len(text))
        if len(kept) == len(text):
            return [output]
        said = self._say(f"printed more than {TEXT_LIMIT // _MIB} MiB")
        return [{**output, "text": kept}, *said] if kept else said

    def _say(self, what: str) -> list[dict[str, Any]]:
        if self._has_said_so:
            return []
        self._has_said_so = True
        text = f"\n[This cell {what}: what came after that is left out here.]\n"
        return [{"output_type": "stream", "name": "stderr", "text": text}]


def _size(data: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in data.values())
