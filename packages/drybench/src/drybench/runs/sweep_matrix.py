"""A sweep as a table: parameters × state × returned values. Sorted, filtered, written as CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from drybench.phases import Outcome, Phase, Wanted
from drybench.runs.sweeps import Plan
from drybench.sweep_book import Place, Sweep

MOST_VALUES = 40  # columns; a notebook that returns more returns a table, which is a file
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may take for a deed of its own
_NUMBERS = (int, float, type(None))
STATES = ("waiting", "starting", "running", "stopping", "done", "failed", "stopped", "lost")


@dataclass(frozen=True)
class Row:
    """A run, or the place of one that is not laid out yet."""

    number: int  # from 1, as people count
    state: str
    chosen: Mapping[str, Any]
    values: Mapping[str, Any]
    seconds: float | None
    place: Place | None


@dataclass(frozen=True)
class Matrix:
    parameters: Sequence[str]
    values: Sequence[str]
    rows: Sequence[Row]

    def sorted(self, by: str) -> Matrix:
        """By number, state, seconds, p.NAME or v.NAME; a minus in front turns it around. What has none comes last."""
        name, backwards = by.removeprefix("-"), by.startswith("-")
        valued = [(key, row) for row in self.rows if (key := _key(row, name)) is not None]
        rest = [row for row in self.rows if _key(row, name) is None]
        found = sorted(valued, key=lambda pair: pair[0], reverse=backwards)
        return Matrix(self.parameters, self.values, [row for _, row in found] + rest)

    def numbers(self) -> frozenset[str]:
        """The columns, p.NAME and v.NAME, that hold nothing but numbers."""
        columns = {f"p.{name}": [row.chosen.get(name) for row in self.rows] for name in self.parameters}
        columns |= {f"v.{name}": [row.values.get(name) for row in self.rows] for name in self.values}
        return frozenset(key for key, found in columns.items() if all(type(one) in _NUMBERS for one in found))

    def only(self, state: str) -> Matrix:
        rows = [row for row in self.rows if row.state == state or (_is_running(row.state) and state == "running")]
        return Matrix(self.parameters, self.values, rows if state else self.rows)


def matrix(sweep: Sweep, plan: Plan, places: Sequence[Place], now: datetime) -> Matrix:
    """With a row for each place of the plan, also where nothing is laid out yet."""
    by_place = {place.place: place for place in places}
    rows = [_row(sweep, number, chosen, by_place.get(number), now) for number, chosen in enumerate(plan.sets())]
    returned = dict.fromkeys(name for place in places for name in place.values)
    return Matrix(plan.names, list(returned)[:MOST_VALUES], rows)


def median_seconds(places: Iterable[Place]) -> float | None:
    """Of those that are done: what fails early says nothing about the others."""
    took = [seconds(place) for place in places if place.outcome is Outcome.DONE]
    known = [one for one in took if one is not None]
    return median(known) if known else None


def seconds_left(usual: float | None, open_runs: int, running: int) -> float | None:
    """As if they went on like this, so many side by side."""
    return None if usual is None else usual * open_runs / max(running, 1)


def seconds(place: Place, now: datetime | None = None) -> float | None:
    ended = place.ended_at or now
    if place.started_at is None or ended is None:
        return None
    return (ended - place.started_at) / timedelta(seconds=1)


def as_csv(table: Matrix) -> Iterator[str]:
    """Line by line. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    names = [f"value {name}" if name in table.parameters else name for name in table.values]
    yield _line(["number", "state", *table.parameters, *names, "seconds", "run", "detail"])
    for row in table.rows:
        place = row.place
        chosen = [row.chosen.get(name) for name in table.parameters]
        returned = [row.values.get(name) for name in table.values]
        ended = [row.seconds, place.run if place else "", place.detail if place else ""]
        yield _line([row.number, row.state, *chosen, *returned, *ended])


def _row(sweep: Sweep, number: int, chosen: Mapping[str, Any], place: Place | None, now: datetime) -> Row:
    if place is None:
        return Row(number + 1, "waiting" if sweep.wanted is Wanted.RUN else "stopped", chosen, {}, None, None)
    return Row(number + 1, _state(place), chosen, place.values, seconds(place, now), place)


def _state(place: Place) -> str:
    if place.outcome is not None:
        return place.outcome.value
    return "stopping" if place.wanted is Wanted.STOP else place.phase.word


def _is_running(state: str) -> bool:
    return state in (Phase.STARTING.word, "stopping")


def _key(row: Row, name: str) -> Any:
    """Numbers before texts, and both before the rest."""
    kind, _, own = name.partition(".")
    if kind in ("p", "v") and own:
        found = (row.chosen if kind == "p" else row.values).get(own)
        return None if found is None else _comparable(found)
    found = {"state": STATES.index(row.state), "seconds": row.seconds}.get(name, row.number)
    return None if found is None else (0, found, "")


def _comparable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, value, "") if value == value else (2, 0, "NaN")
    return (1, 0, value.casefold()) if isinstance(value, str) else (2, 0, json.dumps(value, sort_keys=True))


def _line(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(FORMULA) else text
