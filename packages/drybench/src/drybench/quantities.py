"""Amounts as people write them, "1.5 GiB" or "12 h", and as the program counts them: bytes and seconds."""

from __future__ import annotations

import re
from typing import Annotated, cast

from pydantic import BeforeValidator, PlainSerializer

_AMOUNT = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)
_SEVERAL = re.compile(r"(?:\s*\d+(?:\.\d*)?\s*[a-z]+){2,10}\s*", re.IGNORECASE | re.ASCII)
_PARTS = re.compile(r"\d+(?:\.\d*)?\s*[a-z]+", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_BYTES = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_SECONDS = {
    "": 1, "s": 1, "seconds": 1,
    "m": 60, "min": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
}  # fmt: skip


def in_bytes(amount: object) -> int:
    return int(_counted(amount, _BYTES, "an amount such as 1.5 GiB or 100 MB"))


def in_vram(amount: object) -> int:
    """The memory that a GPU has at least: 24 GB, for which 24 will do, as cards are called. `any`: 0."""
    said = str(amount).strip()
    return 0 if said == "any" else in_bytes(f"{said} GB" if _NUMBER.fullmatch(said) else amount)


def in_seconds(amount: object) -> float:
    """Also of several parts, which are added: 1h 30m."""
    parts = _PARTS.findall(str(amount)) if _SEVERAL.fullmatch(str(amount)) else [amount]
    return sum(_counted(part, _SECONDS, "a time such as 90 s, 30 min or 1h 30m") for part in parts)


def seconds_in_words(seconds: float) -> str:
    """As it can be typed again: 1 h 30 min."""
    units = (("d", 86400), ("h", 3600), ("min", 60))
    words, left = list[str](), seconds
    for unit, length in units:
        if left >= length:
            words.append(f"{int(left // length)} {unit}")
            left %= length
    return " ".join([*words, f"{left:g} s"] if left or not words else words)


def bytes_in_words(amount: int) -> str:
    """As it would be written in the settings: the largest unit that tells it exactly to a tenth."""
    for unit in ("tib", "tb", "gib", "gb", "mib", "mb", "kib", "kb"):
        if _BYTES[unit] <= amount < 10**5 * _BYTES[unit] and amount * 10 % _BYTES[unit] == 0:
            return f"{amount / _BYTES[unit]:g} {unit.upper().replace('I', 'i')}"
    return str(amount)


def _counted(amount: object, units: dict[str, int], wanted: str) -> float:
    found = None if isinstance(amount, bool) else _AMOUNT.fullmatch(str(amount))
    if found is None or found[2].lower() not in units:
        raise ValueError(f"should be {wanted}")
    return float(found[1]) * units[found[2].lower()]


def _each_vram(said: object) -> tuple[int, ...]:
    """A number: so many, whatever their memory."""
    if isinstance(said, list | tuple):
        return tuple(in_vram(one) for one in cast("list[object]", said))
    count = int(said) if isinstance(said, str) and said.isdecimal() else said
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_GPUS:
        raise ValueError('should be a number, or a list of amounts such as ["24 GB", "any"]')
    return (0,) * count


def _gpus_in_words(gpus: tuple[int, ...]) -> int | list[str]:
    return [bytes_in_words(memory) if memory else "any" for memory in gpus] if any(gpus) else len(gpus)


def _time_in_words(seconds: float) -> str:
    return f"{seconds:g} s" if seconds else "0"


MOST_GPUS = 64

# Numbers to the program, words again where the settings are shown.
Bytes = Annotated[int, BeforeValidator(in_bytes), PlainSerializer(bytes_in_words, when_used="json")]
Seconds = Annotated[float, BeforeValidator(in_seconds), PlainSerializer(_time_in_words, when_used="json")]
Gpus = Annotated[tuple[int, ...], BeforeValidator(_each_vram), PlainSerializer(_gpus_in_words, when_used="json")]
