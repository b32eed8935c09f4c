"""made/whole/: what was too much for the notebook or the journal, for those who want it all.

`3-stdout.txt` is all that the third cell printed, `3-1.png` the first of its pictures that was too large.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drybench_runner.journal import write_all

LIMIT = 1 << 30  # bytes of all these files together
_BLOCK = 1 << 18
_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "text/html": "html",
    "text/markdown": "md",
    "text/latex": "tex",
    "text/plain": "txt",
}
_IN_BASE64 = ("image/png", "image/jpeg", "image/gif", "application/pdf")


class Whole:
    """Never stops a run: where there is no room, less is kept."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._left = limit
        self._waiting: dict[str, list[str]] = {}
        self._size = 0
        self._items = 0

    def add_text(self, name: str, text: str) -> None:
        """More of a text; it is written in large pieces."""
        self._waiting.setdefault(name, []).append(text)
        self._size += len(text)
        if self._size >= _BLOCK:
            self.flush()

    def keep(self, cell_number: int, data: Mapping[str, Any]) -> str | None:
        """The largest of what this output shows, as a file; its name, or None without room."""
        kind = max(data, key=lambda kind: _length(data[kind]))
        self._items += 1
        name = f"{cell_number}-{self._items}.{_ENDINGS.get(kind, 'json' if kind.endswith('json') else 'txt')}"
        return name if self._write(name, _as_file(kind, data[kind])) else None

    def forget(self, name: str) -> None:
        """It is cleared in the notebook as well."""
        self._waiting.pop(name, None)
        file = self._folder / name
        if file.is_file():
            self._left += file.stat().st_size
            file.unlink()

    def flush(self) -> None:
        for name, pieces in self._waiting.items():
            self._write(name, "".join(pieces).encode("utf-8", "replace"))
        self._waiting, self._size = {}, 0

    def _write(self, name: str, data: bytes) -> bool:
        if len(data) > self._left:
            return False
        self._left -= len(data)
        try:
            self._folder.mkdir(mode=0o770, exist_ok=True)
            fd = os.open(
                self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
            )
            try:
                write_all(fd, data)
            finally:
                os.close(fd)
        except OSError:
            self._left = 0
            return False
        return True


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def _as_file(kind: str, value: Any) -> bytes:
    if not isinstance(value, str):
        return json.dumps(value).encode()
    if kind in _IN_BASE64:
        with suppress(binascii.Error):
            return base64.b64decode(value)
    return value.encode("utf-8", "replace")
