"""Words for pages: states, times, amounts. Pure; templates use these as filters."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from drybench import gpus
from drybench.model import SESSION, Gpu, Size, TaskRow
from drybench.phases import Outcome, Phase, Wanted
from drybench.quantities import bytes_in_words
from drybench.web import log_text

_CODE = re.compile("`([^`]+)`")
_NUMBER = re.compile(r"[+-]?(\d[\d,_ ]*\.?\d*|\.\d+)([eE][+-]?\d+)?")
MINUTE, HOUR, DAY = 60, 3600, 86400
LONGEST_VALUE = 60  # letters of a value in a table


@dataclass(frozen=True)
class Look:
    """How a state is shown: a word, and one name for its colour and its shape."""

    word: str
    shape: str


@dataclass(frozen=True)
class Value:
    """In its cell, and whole where one points at it."""

    short: str
    whole: str


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


def in_use(task: TaskRow) -> str:
    """1.2 of 1.5 GiB · 0.9 cores: what it takes now of what it may have."""
    parts: list[str] = []
    if task.memory_used is not None:
        used, whole = amount(task.memory_used), amount(task.memory)
        parts.append(f"{used.removesuffix(whole[-4:])} of {whole}")
    if task.cpu_used is not None:
        parts.append(cores(round(task.cpu_used, 1)))
    return " · ".join(parts)


def is_number(text: str) -> bool:
    """Set to the right in a table."""
    return bool(_NUMBER.fullmatch(text.strip()))


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


def briefly(seconds: float) -> str:
    """0.4 s · 12 s · 3 min 20 s"""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def value(found: Any) -> Value:
    """A parameter or what a notebook returned: as short as can be read at a glance."""
    if isinstance(found, float) and math.isfinite(found):
        return Value(f"{found:.6g}", repr(found))
    whole = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return Value(whole if len(whole) <= LONGEST_VALUE else f"{whole[: LONGEST_VALUE - 13]}…{whole[-12:]}", whole)


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


def room(asked: Size | TaskRow) -> str:
    """1 core, 1.5 GiB, one GPU with 8 GiB"""
    cards = gpus.asked(asked.spec) if isinstance(asked, TaskRow) else asked.gpus
    parts = [cores(asked.cores), amount(asked.memory), *([gpus.in_words(cards)] if cards else [])]
    return ", ".join(parts)


def there(cards: Iterable[Gpu]) -> str:
    """one with 24 GiB and 2 with 8 GiB"""
    return gpus.in_words([gpu.memory for gpu in cards], noun="")


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
    "briefly": briefly,
    "cores": cores,
    "duration": duration,
    "exactly": exactly,
    "gpus": gpus.in_words,
    "in_use": in_use,
    "is_number": is_number,
    "is_open": is_open,
    "limit": bytes_in_words,
    "line": line,
    "log": log_text.shown,
    "look": look,
    "rfc3339": rfc3339,
    "room": room,
    "said": said,
    "there": there,
    "silence": silence,
    "value": value,
}
