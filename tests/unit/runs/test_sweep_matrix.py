"""A sweep as a table."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drybench.phases import Outcome, Phase, Wanted
from drybench.runs.sweep_matrix import as_csv, matrix, median_seconds, seconds_left
from drybench.runs.sweeps import from_grid, plan
from drybench.sweep_book import Place, Sweep

NOW = datetime(2026, 11, 1, tzinfo=UTC)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner),
    max_leaves=4,
)


def sweep(planned: int, wanted: Wanted = Wanted.RUN) -> Sweep:
    return Sweep("s", "p", "ada", "disc", "python", "default", "disc.ipynb", ["x"], planned, NOW, wanted=wanted)


def place(number: int, took: float | None = None, outcome: Outcome | None = None, **values: Any) -> Place:
    ended = NOW + timedelta(seconds=took) if took is not None else None
    phase = Phase.ENDED if outcome else Phase.RUNNING
    return Place(number, f"r{number}", 1, phase, Wanted.RUN, outcome, "", 0, 0, NOW, ended, values=values)


@given(
    st.lists(anything, min_size=1, max_size=12), st.sampled_from(["p.x", "v.y", "number", "state", "seconds", "v.zz"])
)
def test_sorting_loses_nothing_whatever_was_returned(found: list[Any], by: str) -> None:
    made = plan(from_grid({"x": list(range(len(found) + 2))}), 100)
    places = [place(number, 1.0, Outcome.DONE, y=value) for number, value in enumerate(found)]
    whole = matrix(sweep(made.count), made, places, NOW)
    for turned in (by, f"-{by}"):
        assert sorted(row.number for row in whole.sorted(turned).rows) == list(range(1, made.count + 1))


def test_what_has_no_value_comes_last_both_ways() -> None:
    made = plan(from_grid({"x": [0, 1, 2]}), 100)
    whole = matrix(sweep(3), made, [place(1, 1, Outcome.DONE, y=5), place(2, 1, Outcome.DONE, y=3)], NOW)
    assert [row.number for row in whole.sorted("v.y").rows] == [3, 2, 1]
    assert [row.number for row in whole.sorted("-v.y").rows] == [2, 3, 1]


def test_what_is_not_laid_out_waits_or_was_never_begun() -> None:
    made = plan(from_grid({"x": [0, 1]}), 100)
    assert [row.state for row in matrix(sweep(2), made, [], NOW).rows] == ["waiting", "waiting"]
    assert [row.state for row in matrix(sweep(2, Wanted.STOP), made, [], NOW).rows] == ["stopped", "stopped"]


def test_the_usual_time_is_that_of_what_got_done() -> None:
    places = [place(0, 10, Outcome.DONE), place(1, 30, Outcome.DONE), place(2, 1, Outcome.FAILED), place(3)]
    assert median_seconds(places) == 20
    assert median_seconds(places[2:]) is None
    assert seconds_left(20, open_runs=10, running=2) == 100
    assert seconds_left(None, open_runs=10, running=2) is None


def test_columns_of_numbers_are_told_from_those_of_words() -> None:
    made = plan(from_grid({"x": [0, 1.5], "word": ["1", "2"]}), 100)
    whole = matrix(sweep(4), made, [place(0, 1, Outcome.DONE, y=1, z="a")], NOW)
    assert whole.numbers() == {"p.x", "v.y"}


@given(st.lists(st.text(max_size=6), min_size=1, max_size=8))
def test_no_cell_of_the_table_begins_like_a_formula(words: list[str]) -> None:
    made = plan(from_grid({"x": words}), 100)
    lines = "".join(as_csv(matrix(sweep(made.count), made, [], NOW)))
    rows = list(csv.reader(io.StringIO(lines, newline="")))  # more than these end a line of `splitlines`
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
