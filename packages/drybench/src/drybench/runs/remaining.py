"""How long a run still takes, by how long the same notebook took before: cell by cell where that is known. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

MINUTE, HOUR = 60, 3600
OVERDUE, PATIENCE = 1.25, 5.0  # times what it took before, and some seconds: from there on nothing is promised


@dataclass(frozen=True)
class Pace:
    """When each cell of an earlier run began and when all was over, in seconds since its beginning."""

    starts: Sequence[float]
    total: float


def pace(lines: Iterable[bytes]) -> Pace | None:
    """Read from a journal, which a task wrote; None where it does not tell of a whole run."""
    began, starts, last = None, list[float](), 0.0
    for line in lines:
        if line.startswith((b'{"event":"output"', b'{"event":"update"')):
            continue
        event = _event(line)
        at = moment(event.get("at"))
        if at is None:
            continue
        began = at if began is None else began
        last = max(last, at - began)
        if event.get("event") == "cell":
            starts.append(last)
        if event.get("event") == "ended":
            return Pace(starts, last) if starts else None
    return None


@dataclass(frozen=True)
class Here:
    """Where a run is now."""

    elapsed: float  # seconds since it began
    cell: int  # the number of the one that works, from 1
    in_cell: float  # seconds since that began


def seconds_left(here: Here, earlier: Pace | None, usual: float | None) -> float | None:
    """None where there is nothing honest to say: it has never got done, or takes longer than it did."""
    if earlier is not None and 0 < here.cell <= len(earlier.starts):
        ends = [*earlier.starts[1:], earlier.total]
        took = ends[here.cell - 1] - earlier.starts[here.cell - 1]
        if here.in_cell > OVERDUE * took + PATIENCE:
            return None
        return earlier.total - ends[here.cell - 1] + max(0.0, took - here.in_cell)
    if usual is None or here.elapsed > OVERDUE * usual + PATIENCE:
        return None
    return max(0.0, usual - here.elapsed)


def in_words(left: float) -> str:
    """Rounded as much as an estimate deserves."""
    if left < 0.75 * MINUTE:
        return "less than a minute left"
    if left < 0.75 * HOUR:
        return f"about {max(1, round(left / MINUTE))} min left"
    hours, minutes = divmod(round(left / (5 * MINUTE)) * 5, 60)
    return f"about {hours} h {minutes:02} min left" if minutes or hours < 10 else f"about {hours} h left"


def moment(text: object) -> float | None:
    """Seconds since 1970 of a time as a journal writes it."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def _event(line: bytes) -> dict[str, Any]:
    try:
        event: Any = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", event) if isinstance(event, dict) else {}
