"""What people type after -p, -r, --timeout and --gpu, as values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from drybench_client.errors import Refused

_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None}
_MEMORY = {"": 10**9, "mb": 10**6, "gb": 10**9, "mib": 1 << 20, "gib": 1 << 30}
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parameters(typed: Iterable[str], raw: Iterable[str] = ()) -> dict[str, Any]:
    """`typed` as papermill's -p reads values (and true and false too), `raw` as text."""
    return {name: value(text) for name, text in map(_split, typed)} | dict(map(_split, raw))


def pairs(typed: Iterable[str]) -> dict[str, str]:
    """NAME=TEXT, with the text as it stands."""
    return dict(map(_split, typed))


def value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if isinstance(number, float) and not math.isfinite(number):
            sentence = f"{text} is a number that cannot be sent."
            raise Refused("parameters_wrong", sentence, "Give it as text with -r NAME=VALUE.")
        return number
    return text


def seconds(text: str) -> float:
    """90, 90s, 30min, 2h."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if not found or found[2] not in _UNITS:
        raise Refused("time_wrong", f"{text} is no time.", "Give it as 90, 90s, 30min or 2h.")
    return float(found[1]) * _UNITS[found[2]]


def gpus(typed: Iterable[int | str]) -> list[dict[str, int]]:
    """As the API has them, from bytes or from what people write: 8GiB, 24 GB, 24 for the same, any."""
    return [{"vram": one if isinstance(one, int) else _vram(one)} for one in typed]


def _vram(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if text.strip() == "any":
        return 0
    if not found or found[2] not in _MEMORY:
        raise Refused("gpu_wrong", f"{text} is no amount of memory.", "Give it as 24GB or 8GiB, or any.")
    return int(float(found[1]) * _MEMORY[found[2]])


def _split(text: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not name or not equals:
        raise Refused("parameters_wrong", f"{text} names no parameter.", "Give it as NAME=VALUE.")
    return name, rest
