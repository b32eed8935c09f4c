"""What the comment beside a parameter says: its label, choices, a range, that it is a path. Pure.

A comment is its parts between semicolons, and what stands in square brackets at its end. A part that is wholly one
of the documented forms (docs/reference/parameters.md) says something to Drybench, every other is for people: "5 to
10 minutes" is no range.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drybench.runs.literals import NotLiteral, literal

_LONGEST = 2000  # of a comment
_N = r"([-+]?(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:[eE][-+]?\d{1,2})?)"
_BY = rf"(?:\s+by\s+{_N})?"
_FROM_TO = re.compile(rf"{_N}\s*(?:\.\.|\sto\s)\s*{_N}{_BY}")
_AT_LEAST = re.compile(rf"(?:>=|≥)\s*{_N}(?:\s*(?:,|and)\s*(?:<=|≤)\s*{_N})?{_BY}")
_AT_MOST = re.compile(rf"(?:<=|≤)\s*{_N}{_BY}")
_ONE_OF = re.compile(r"one of:?\s+(\S.*)", re.IGNORECASE)
_PATH = re.compile(r"(?:path|file|folder)(?::\s*(.*))?", re.IGNORECASE)
_TYPE = re.compile(r"type:\s*([^\s\[]*(?:\[[^\]]*\])?)\s*(.*)", re.DOTALL)
_AT_THE_END = re.compile(r"([^\[]*)\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Said:
    label: str = ""
    help: str = ""  # the comment as papermill knows it
    type: str = ""  # of a type comment
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    path: bool = False


def said(comment: str) -> Said:
    type, help = _typed(comment[:_LONGEST])
    found, label = Said(help=help, type=type), list[str]()
    for part in _parts(help):
        if (more := _form(part, found)) is None:
            label.append(part)
        else:
            found = more
            label += [more.label] if more.label else []
            found = replace(found, label="")
    return replace(found, label="; ".join(label))


def _typed(comment: str) -> tuple[str, str]:
    match = _TYPE.fullmatch(comment)
    if match is None:
        return "", comment
    return ("" if match[1].startswith("ignore") else match[1]), match[2]


def _parts(help: str) -> Iterator[str]:
    if match := _AT_THE_END.fullmatch(help):
        if _form(match[2].strip(), Said()) is None:
            yield from _between_semicolons(help)
            return
        help = f"{match[1]};{match[2]}"
    yield from _between_semicolons(help)


def _between_semicolons(text: str) -> Iterator[str]:
    yield from (part.strip() for part in text.split(";") if part.strip())


def _form(part: str, found: Said) -> Said | None:
    """With what this part adds, or None where it is for people."""
    if match := _FROM_TO.fullmatch(part):
        return _range(found, match[1], match[2], match[3])
    if match := _AT_LEAST.fullmatch(part):
        return _range(found, match[1], match[2], match[3])
    if match := _AT_MOST.fullmatch(part):
        return _range(found, None, match[1], match[2])
    if choices := _choices(part):
        return replace(found, choices=choices)
    if match := _PATH.fullmatch(part):
        return replace(found, path=True, label=match[1] or "")
    return None


def _range(found: Said, least: str | None, most: str | None, step: str | None) -> Said | None:
    minimum, maximum, by = (None if word is None else _number(word) for word in (least, most, step))
    if (minimum is not None and maximum is not None and minimum > maximum) or (by is not None and by <= 0):
        return None
    return replace(found, minimum=minimum, maximum=maximum, step=by)


def _number(word: str) -> float | None:
    try:
        return literal(word.lstrip("+"))
    except NotLiteral:
        return None


def _choices(part: str) -> tuple[Any, ...]:
    """`one of: a, b` or a set as Python writes it, with something in it."""
    if match := _ONE_OF.fullmatch(part):
        return _each([word.strip() for word in match[1].split(",") if word.strip()])
    if part.startswith("{") and part.endswith("}"):
        try:
            items: Any = literal(part)
        except NotLiteral:
            return ()
        return tuple(items) if items.__class__ is list and all(map(_simple, items)) else ()
    return ()


def _each(words: Sequence[str]) -> tuple[Any, ...]:
    """Words are text unless every one of them is something else."""
    try:
        values = [literal(word) for word in words]
    except NotLiteral:
        return tuple(word.strip("\"'`") for word in words)
    return tuple(values) if all(map(_simple, values)) else tuple(words)


def _simple(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
