"""How well a desktop went, a line a minute: $DRYBENCH_TASK_DIR/desktop.jsonl, for the keeper to read.

The page measures, so it is hostile input: of what it sends only numbers in their bounds are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from drybench_session.errors import AskWrong

FILE = "desktop.jsonl"
LARGEST = 1 << 20  # bytes; then the older half goes
LONGEST_LINE = 4096
_MOST = {
    "seconds": 3600,  # that this line is about
    "round_trip_p50": 600_000,  # milliseconds
    "round_trip_p95": 600_000,
    "frames": 1000,  # a second
    "bytes": 1 << 40,  # in all these seconds
    "reconnects": 100_000,
    "width": 1 << 16,
    "height": 1 << 16,
}
_QUALITIES = ("auto", "sharp", "video", *map(str, range(10)))


def line(sent: bytes, app: str, at: datetime) -> str:
    """What is kept of what a page sent. AskWrong where it cannot be read."""
    if len(sent) > LONGEST_LINE:
        raise AskWrong(problem="it is too long")
    try:
        given: Any = json.loads(sent)
    except (ValueError, RecursionError):
        raise AskWrong(problem="it is no JSON") from None
    if not isinstance(given, dict):
        raise AskWrong(problem="it is no object")
    told = cast("dict[str, Any]", given)
    kept: dict[str, object] = {"format": 1, "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "app": app}
    kept |= {name: number for name, most in _MOST.items() if (number := _number(told.get(name), most)) is not None}
    if (quality := str(told.get("quality"))[:8]) in _QUALITIES:
        kept["quality"] = quality
    kept["end"] = told.get("end") is True
    return json.dumps(kept) + "\n"


class Trace:
    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file = folder / FILE
        self._clock = clock

    def add(self, app: str, sent: bytes) -> None:
        kept = line(sent, app, self._clock()).encode()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(self._file, flags, 0o600)
        try:
            os.write(file, kept)
            long = os.fstat(file).st_size > LARGEST
        finally:
            os.close(file)
        if long:
            self._halve()

    def _halve(self) -> None:
        lines = self._file.read_bytes()[-LARGEST // 2 :].split(b"\n", 1)[-1]
        shorter = self._file.with_suffix(".new")
        with suppress(FileNotFoundError):
            shorter.unlink()
        with os.fdopen(os.open(shorter, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as new:
            new.write(lines)
        shorter.replace(self._file)


def _number(value: Any, most: int) -> float | None:
    """Booleans are numbers in Python; here they are not."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value, 1) if is_number and 0 <= value <= most else None
