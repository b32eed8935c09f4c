"""What somebody typed for a parameter becomes its value. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from drybench.runs.literals import NotLiteral, literal
from drybench.runs.parameter_making import Parameter
from drybench.runs.parameters import problem_of


@dataclass(frozen=True)
class Unset:
    """Left empty: the notebook's own default counts."""


@dataclass(frozen=True)
class Problem:
    sentence: str
    typed: str


UNSET: Final = Unset()
_EMPTY = ('""', "''")  # how to type a text of no letters
_YES_OR_NO: Mapping[str, bool] = {
    word: yes for yes, words in ((True, "true yes on y 1 t"), (False, "false no off n 0 f")) for word in words.split()
}
_NOTHING = frozenset({"None", "null", "NULL", "nothing"})
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "TRUE": True, "FALSE": False} | dict.fromkeys(_NOTHING)


def from_text(parameter: Parameter, text: str) -> Any | Unset | Problem:
    """The value that fits the parameter, UNSET where nothing was typed, or what is wrong with it."""
    word = text.strip()
    if not word:
        return UNSET
    value: Any = None
    if not (parameter.optional and word in _NOTHING):
        try:
            value = (
                _READ.get(parameter.kind, anything)(text) if parameter.kind != "choice" else _choice(parameter, word)
            )
        except _Unreadable:
            value = text
    problem = problem_of(parameter, value)
    return Problem(problem, text) if problem else value


def as_typed(parameter: Parameter, value: Any) -> str:
    """What somebody would type to get this value: `from_text` reads it back."""
    if value is None:
        return "None"
    if parameter.kind in ("text", "lines", "path") and isinstance(value, str):
        return value or '""'
    if isinstance(value, str) and (parameter.kind == "choice" or (value.strip() and anything(value) == value)):
        return value
    return json.dumps(value, ensure_ascii=False)


def anything(text: str) -> Any:
    """Where no type is known: as papermill reads a word, and lists and names with values besides; else text."""
    try:
        return _literal(text)
    except _Unreadable:
        return text


class _Unreadable(Exception):
    """It is not of this kind, which the check of its text then says."""


def _text(text: str) -> str:
    return "" if text.strip() in _EMPTY else text


def _yes_no(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES_OR_NO:
        raise _Unreadable
    return _YES_OR_NO[word]


def _number(text: str) -> int | float:
    value = _literal(text.strip().removeprefix("+"))
    if value.__class__ not in (int, float) or not math.isfinite(value):
        raise _Unreadable
    return value


def _whole(text: str) -> int | float:
    """1e3 is a thousand."""
    number = _number(text)
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def _list(text: str) -> Any:
    """Also without the brackets: 1, 2, 3."""
    for written in (text, f"[{text}]"):
        try:
            value = _literal(written)
        except _Unreadable:
            continue
        if value.__class__ is list:
            return value
    raise _Unreadable


def _choice(parameter: Parameter, word: str) -> Any:
    for choice in parameter.choices:
        if word == (choice if isinstance(choice, str) else json.dumps(choice)):
            return choice
    return anything(word) if any(not isinstance(choice, str) for choice in parameter.choices) else word


def _literal(text: str) -> Any:
    """JSON's way or Python's."""
    word = text.strip()
    if word in _WORDS:
        return _WORDS[word]
    try:
        value = json.loads(word, parse_constant=_no_number)
        json.dumps(value, allow_nan=False)
        return value
    except (ValueError, RecursionError):
        pass
    try:
        return literal(word)
    except NotLiteral:
        raise _Unreadable from None


def _no_number(word: str) -> Any:
    raise ValueError(word)


_READ: Mapping[str, Callable[[str], Any]] = {
    "yes_no": _yes_no,
    "whole": _whole,
    "number": _number,
    "text": _text,
    "lines": _text,
    "path": lambda text: _text(text.strip()),
    "list": _list,
    "mapping": anything,
}
