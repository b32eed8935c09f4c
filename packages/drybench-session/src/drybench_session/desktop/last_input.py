"""When somebody last used a desktop, for a bench that stops what nobody uses."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from drybench_session.desktop.rfb import Kind, Piece

NAME = "last_input.json"
_EVERY = 10.0  # seconds


class LastInput:
    """One for all screens of a session; without a folder nobody reads it, so nothing is written."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / NAME if folder else None
        self._clock = clock
        self._written = float("-inf")

    def is_now(self) -> None:
        now = self._clock()
        if self._file and not 0 <= now - self._written < _EVERY:
            self._written = now
            with suppress(OSError):  # a full disk: who uses a desktop is not to be stopped for that
                self._write(self._file, datetime.fromtimestamp(now, UTC))

    def _write(self, file: Path, at: datetime) -> None:
        new = file.with_name(f".{file.name}.new")
        new.write_text(json.dumps({"format": 1, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}))
        new.replace(file)


class Deeds:
    """What of a viewer's messages a person did: not where a pointer is when a page opens, nor a key let go."""

    def __init__(self) -> None:
        self._pointer = b""

    def is_one(self, piece: Piece) -> bool:
        if piece.kind is Kind.POINTER:
            before, self._pointer = self._pointer, piece.data
            return bool(before) and piece.data != before
        return piece.kind is Kind.KEY and _is_pressed(piece.data)


def _is_pressed(key: bytes) -> bool:
    return bool(key[1]) if key[0] == 4 else bool(struct.unpack_from(">H", key, 2)[0])
