"""Words for pages: states, times, amounts. Pure; templates use these as filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from markupsafe import Markup, escape

from drybench.model import SESSION, TaskRow
from drybench.phases import Outcome, Phase, Wanted
from drybench.quantities import bytes_in_words

_CODE = re.compile("`([^`]+)`")
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Look:
    """How a state is shown: a word, and one name for its colour and its shape."""

    word: str
    shape: str


class Roomy(Protocol):
    """A size, or a task that was given one."""

    @property
    def cores(self) -> float: ...

    @property
    def memory(self) -> int: ...


def look(task: TaskRow) -> Look:
    if task.outcome is not None:
        word = "ended" if task.kind == SESSION and task.outcome is Outcome.DONE else task.outcome.value
        return Look(word, task.outcome.value)
    if task.wanted is Wanted.STOP:
        return Look("stopping", "stopping")
    return Look(task.phase.word, task.phase.word)


def is_open(task: TaskRow) -> bool:
    return task.phase is not Phase.ENDED


def line(ahead: int) -> str:
    """The place in the line."""
    return f"{ahead} ahead of you" if ahead else "next in line"


def silence(task: TaskRow) -> str:
    """Unreachable is never dead: said with the time since when."""
    if task.silent_since is None or not is_open(task):
        return ""
    return f"no word from the engine “{task.engine}” since {rfc3339(task.silent_since)}"


def duration(seconds: float) -> str:
    """12 s · 3 min 20 s · 1 h 05 min · 2 d 03 h"""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d {whole % DAY // HOUR:02} h"


def ago(then: datetime, now: datetime) -> str:
    seconds = (now - then) / timedelta(seconds=1)
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min ago"
    if seconds < DAY:
        return f"{int(seconds // HOUR)} h ago"
    days = int(seconds // DAY)
    return "1 day ago" if days == 1 else f"{days} days ago"


def took(task: TaskRow, now: datetime) -> str:
    """How long it has been working, empty before it began."""
    if task.started_at is None:
        return ""
    return duration(((task.ended_at or now) - task.started_at) / timedelta(seconds=1))


def amount(count: int) -> str:
    """1 byte · 340 bytes · 12 KiB · 512 MiB · 1.5 GiB"""
    power = min(max(count, 1).bit_length() - 1, 49) // 10
    if power == 0:
        return "1 byte" if count == 1 else f"{count} bytes"
    value = count / 1024**power
    digits = 0 if value >= 10 or value == int(value) else 1
    return f"{value:.{digits}f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"


def cores(count: float) -> str:
    return f"{count:g} core" if count == 1 else f"{count:g} cores"


def room(asked: Roomy) -> str:
    """1 core, 1.5 GiB"""
    return f"{cores(asked.cores)}, {amount(asked.memory)}"


def said(sentence: str) -> Markup:
    """Our sentences set commands and settings in backticks; names in them are anybody's, so all is escaped first."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(sentence))))


def rfc3339(then: datetime) -> str:
    return then.isoformat(timespec="seconds").replace("+00:00", "Z")


def exactly(then: datetime) -> str:
    """For the hover, until the browser puts it into its own zone."""
    return then.strftime("%Y-%m-%d %H:%M:%S UTC")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "amount": amount,
    "cores": cores,
    "duration": duration,
    "exactly": exactly,
    "is_open": is_open,
    "limit": bytes_in_words,
    "line": line,
    "look": look,
    "rfc3339": rfc3339,
    "room": room,
    "said": said,
    "silence": silence,
}
