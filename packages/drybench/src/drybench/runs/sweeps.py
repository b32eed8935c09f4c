"""One notebook with many sets of parameters: which sets, in which order, and how many. Pure.

A plan is a product of parts; the last one changes fastest. It is counted without being built, so that
a sweep of a million is refused by its number, and the set at a place is worked out when it is wanted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, cast

from drybench.errors import SweepEmpty, SweepTooLarge, SweepWrong

MOST_COUNTED = 10**30  # what is more is no number that anybody reads
MOST_PROBLEMS = 20  # are said; of the rest their number
LARGEST = 10**308  # as a float has it
_RANGE = frozenset({"from", "to", "step", "count"})

Set = Mapping[str, Any]


class Part(Protocol):
    """Parameters that change together."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def count(self) -> int: ...

    def at(self, place: int) -> Set: ...


@dataclass(frozen=True)
class Values:
    """One parameter, value by value."""

    name: str
    values: Sequence[Any]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def count(self) -> int:
        return len(self.values)

    def at(self, place: int) -> Set:
        return {self.name: self.values[place]}


@dataclass(frozen=True)
class Steps:
    """One parameter in equal steps. Exact: a value is worked out from its place and never from the one before."""

    name: str
    first: Fraction
    step: Fraction
    count: int
    whole: bool  # all were given as whole numbers, so all are

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def at(self, place: int) -> Set:
        value = self.first + place * self.step
        return {self.name: int(value) if self.whole else float(value)}


@dataclass(frozen=True)
class Rows:
    """Whole sets, as a table or a list gives them. What a row leaves out keeps the notebook's default."""

    rows: Sequence[Set]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def count(self) -> int:
        return len(self.rows)

    def at(self, place: int) -> Set:
        return self.rows[place]


@dataclass(frozen=True)
class Plan:
    parts: tuple[Part, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.names)

    @property
    def count(self) -> int:
        return min(math.prod(part.count for part in self.parts), MOST_COUNTED)

    def at(self, place: int) -> dict[str, Any]:
        """The set at this place, from 0."""
        chosen: list[Set] = []
        for part in reversed(self.parts):
            place, own = divmod(place, part.count)
            chosen.append(part.at(own))
        return {name: value for one in reversed(chosen) for name, value in one.items()}

    def sets(self, most: int | None = None) -> Iterator[dict[str, Any]]:
        count = self.count if most is None else min(self.count, most)
        return (self.at(place) for place in range(count))


def plan(parts: Sequence[Part], most: int, fixed: Set | None = None) -> Plan:
    """Refused when it is empty, larger than it may be, or says one parameter twice."""
    made = Plan(tuple(parts))
    if not parts or any(part.count == 0 for part in parts):
        raise SweepEmpty()
    if made.count > most:
        raise SweepTooLarge(count=in_words(made.count), limit=in_words(most))
    names = [*(fixed or {}), *made.names]
    refuse_if(f"`{name[:80]}` is given twice" for name in dict.fromkeys(names) if names.count(name) > 1)
    return made


def from_grid(grid: Mapping[str, Any]) -> list[Part]:
    """Each name with a list of values, a range or one value."""
    problems: list[str] = []
    parts: list[Part] = []
    for name, said in grid.items():
        try:
            parts.append(_part(name, said))
        except ValueError as problem:
            problems.append(f"`{name[:80]}` {problem}")
    refuse_if(problems)
    return parts


def steps(name: str, said: Mapping[str, Any]) -> Steps:
    """{"from", "to", "step"} or {"from", "to", "count"}; ValueError with the end of a sentence."""
    if not said.keys() <= _RANGE or len(said) != 3 or not {"from", "to"} <= said.keys():
        raise ValueError("is a range, which has `from`, `to` and either `step` or `count`")
    first, last = _exactly(said["from"]), _exactly(said["to"])
    if "count" in said:
        count, step = _counted(first, last, said["count"])
    else:
        step = _exactly(said["step"])
        if step == 0 or (last - first) / step < 0:
            raise ValueError("never comes from its `from` to its `to` by that step")
        count = (last - first) // step + 1
    whole = all(type(said[key]) is int for key in ("from", "to")) and step.denominator == 1
    return Steps(name, first, step, count, whole and type(said.get("step", 1)) is int)


def refuse_if(problems: Iterator[str] | Sequence[str]) -> None:
    """All of them at once, for who mends one by one loses the evening."""
    found = list(problems)
    if not found:
        return
    more = f"; and {len(found) - MOST_PROBLEMS:,} more" if len(found) > MOST_PROBLEMS else ""
    raise SweepWrong(problems="; ".join(found[:MOST_PROBLEMS]) + more)


def in_words(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"about 10^{len(str(count)) - 1}"


def as_json(plan: Plan) -> dict[str, Any]:
    """As it is kept: what was read from a folder or a table is not read again."""
    return {"format": 1, "parts": [_part_as_json(part) for part in plan.parts]}


def from_json(saved: Mapping[str, Any]) -> Plan:
    return Plan(tuple(_part_of(part) for part in saved["parts"]))


def label(chosen: Set, most: int = 60) -> str:
    """A set in a few letters that are fit for the name of a folder: x=1_y=a"""
    said = "_".join(f"{name}={_short(value)}" for name, value in chosen.items())
    return "".join(letter if letter.isalnum() or letter in "=.-+_" else "-" for letter in said)[:most].rstrip(".-")


def _part(name: str, said: Any) -> Part:
    if isinstance(said, dict) and cast("dict[str, Any]", said).keys() & {"from", "to"}:
        return steps(name, cast("dict[str, Any]", said))
    values = cast("list[Any]", said if isinstance(said, list) else [said])
    if not values:
        raise ValueError("has no value")
    return Values(name, values)


def _counted(first: Fraction, last: Fraction, count: Any) -> tuple[int, Fraction]:
    if type(count) is not int or count < 1 or count > LARGEST:
        raise ValueError("has a `count` that is no whole number from 1")
    if count == 1:
        return 1, Fraction(0)
    return count, (last - first) / (count - 1)


def _exactly(number: Any) -> Fraction:
    """What was written, not what a float makes of it: 0.1 is a tenth."""
    if type(number) not in (int, float) or not abs(number) < LARGEST:
        raise ValueError("is a range, and its `from`, `to`, `step` and `count` are numbers")
    return Fraction(repr(number))


def _part_as_json(part: Part) -> dict[str, Any]:
    if isinstance(part, Rows):
        return {"rows": list(part.rows)}
    return {"name": part.names[0], "values": [part.at(place)[part.names[0]] for place in range(part.count)]}


def _part_of(saved: Mapping[str, Any]) -> Part:
    return Rows(saved["rows"]) if "rows" in saved else Values(saved["name"], saved["values"])


def _short(value: Any) -> str:
    """Of a path only its last part says anything."""
    return value.rstrip("/").rpartition("/")[2] if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
