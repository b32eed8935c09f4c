"""Ids that mean nothing and sort by the time they were made (uuid7, RFC 9562)."""

from __future__ import annotations

import secrets
import threading
import time

_TAIL = 74  # random bits: 12 before the variant, 62 after it


class _Uuid7:
    """Within one process each id is greater than the one before, also when the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0  # milliseconds and tail as one number

    def __call__(self) -> str:
        fresh = (time.time_ns() // 1_000_000) << _TAIL | secrets.randbits(_TAIL)
        with self._lock:
            if fresh >> _TAIL <= self._last >> _TAIL:
                fresh = self._last + 1 + secrets.randbits(32)
            self._last = fresh
        return _as_text(fresh)


def _as_text(number: int) -> str:
    """32 hex digits, with version and variant put where the standard wants them."""
    milliseconds, tail = number >> _TAIL, number & ((1 << _TAIL) - 1)
    first, second = tail >> 62, tail & ((1 << 62) - 1)
    return f"{milliseconds << 80 | 7 << 76 | first << 64 | 2 << 62 | second:032x}"


uuid7 = _Uuid7()
"""A new id, as 32 hex digits."""
