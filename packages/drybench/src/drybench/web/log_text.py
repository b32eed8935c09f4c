"""What a program printed, as a page shows it: without colours and bells, its bars as they last stood, in lines. Pure.

A log is anybody's: whatever was built has written it. Bytes are counted as they lie in the file, so that a page can
ask for what comes after those that it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_LINE = 2000  # characters
LONGEST_WAIT = 64 << 10  # bytes without the end of a line; then they are shown as they are

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Part:
    text: str
    taken: int  # bytes of the log that are told by it


def part(log: bytes, is_over: bool) -> Part:
    """Whole lines, so that nothing is cut in the middle; the rest when no more of it comes, or it is very long."""
    end = log.rfind(b"\n") + 1
    if not end and (is_over or len(log) > LONGEST_WAIT):
        end = len(log)
    if is_over and len(log) - end <= LONGEST_WAIT:
        end = len(log)
    return Part(readable(log[:end]), end)


def readable(log: bytes) -> str:
    lines = log.decode("utf-8", "replace").split("\n")
    return "\n".join(map(_line, lines))


def shown(log: str) -> str:
    return readable(log.encode("utf-8", "replace"))


def _line(raw: str) -> str:
    said = _ESCAPES.sub("", raw.rstrip("\r")[-4 * LONGEST_LINE :] if len(raw) > 1 << 16 else raw.rstrip("\r"))
    plain = _ODD.sub("", said.rpartition("\r")[2])
    if len(raw) > 1 << 16 or len(plain) > LONGEST_LINE:
        return f"{plain[:LONGEST_LINE]} … ({len(raw):,} characters in this line)"
    return plain
