"""Which sets of parameters a sweep has, counted without building them, by example and by property."""

from __future__ import annotations

import itertools
import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import SweepEmpty, SweepTooLarge, SweepWrong
from drybench.runs.sweeps import Plan, Rows, Values, as_json, from_grid, from_json, label, plan

names = st.sampled_from("abcdefgh")
values = st.lists(st.integers() | st.text(max_size=5) | st.booleans() | st.none(), min_size=1, max_size=6)
grids = st.dictionaries(names, values, min_size=1, max_size=4)


def made(grid: dict[str, Any], most: int = 10_000) -> Plan:
    return plan(from_grid(grid), most)


def test_a_grid_is_the_product_and_the_last_changes_fastest() -> None:
    found = list(made({"x": [1, 2], "y": ["a", "b"], "z": 7}).sets())
    assert found == [{"x": x, "y": y, "z": 7} for x in (1, 2) for y in ("a", "b")]


@given(grids)
def test_what_is_counted_is_what_is_built_in_the_same_order(grid: dict[str, Any]) -> None:
    whole = made(grid)
    sets = list(whole.sets())
    assert len(sets) == whole.count == math.prod(len(values) for values in grid.values())
    assert sets == [dict(zip(grid, chosen, strict=True)) for chosen in itertools.product(*grid.values())]
    assert all(list(one) == list(grid) for one in sets)


@given(grids)
def test_it_is_kept_and_read_back_as_it_was(grid: dict[str, Any]) -> None:
    whole = made(grid | {"r": {"from": 0, "to": 1, "step": 0.25}})
    again = from_json(json.loads(json.dumps(as_json(whole))))
    assert list(again.sets()) == list(whole.sets())
    assert again.names == whole.names


@given(st.integers(-1000, 1000), st.integers(1, 500), st.integers(1, 60), st.integers(0, 3))
def test_decimal_steps_do_not_drift(first: int, step: int, count: int, digits: int) -> None:
    exact = [(Decimal(first) + Decimal(step) * place).scaleb(-digits) for place in range(count)]
    said = {"from": float(exact[0]), "to": float(exact[-1]), "step": float(Decimal(step).scaleb(-digits))}
    found = [one["x"] for one in made({"x": said}).sets()]
    assert found == [float(value) for value in exact]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 50))
def test_so_many_equal_steps_begin_and_end_where_they_should(first: float, last: float, count: int) -> None:
    found = [one["x"] for one in made({"x": {"from": first, "to": last, "count": count}}).sets()]
    assert len(found) == count
    assert (found[0], found[-1]) == (first, last)
    assert found == sorted(found, reverse=first > last)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"from": 0, "to": 10, "step": 5}, [0, 5, 10]),
        ({"from": 3, "to": 1, "step": -1}, [3, 2, 1]),
        ({"from": 0, "to": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"from": 0, "to": 1, "count": 3}, [0.0, 0.5, 1.0]),
        ({"from": 0, "to": 10, "count": 3}, [0, 5, 10]),
        ({"from": 2, "to": 2, "count": 1}, [2]),
        ({"from": 0, "to": 9, "step": 4}, [0, 4, 8]),
    ],
)
def test_ranges(said: dict[str, Any], found: list[float]) -> None:
    values = [one["x"] for one in made({"x": said}).sets()]
    assert values == found
    assert list(map(type, values)) == list(map(type, found))


@pytest.mark.parametrize(
    "said",
    [
        {"from": 0, "to": 1},
        {"from": 0, "to": 1, "step": 0},
        {"from": 0, "to": 1, "step": -0.1},
        {"from": 0, "to": 1, "step": 0.1, "count": 3},
        {"from": "a", "to": "z", "step": 1},
        {"from": 0, "to": float("inf"), "step": 1},
        {"from": 0, "to": 10**400, "step": 1},
        {"from": 0, "to": 1, "count": 0},
        {"from": 0, "to": 1, "count": 2.5},
        {"from": True, "to": 2, "step": 1},
        {"from": 0, "to": 1, "by": 0.1},
        [],
    ],
)
def test_a_range_that_is_none_is_refused_by_name(said: Any) -> None:
    with pytest.raises(SweepWrong, match="`x`"):
        made({"x": said})


@pytest.mark.parametrize(
    ("grid", "number"),
    [
        ({"x": {"from": 1, "to": 1_000_000, "step": 1}}, "1,000,000"),
        ({name: {"from": 1, "to": 10**10, "step": 1} for name in "xyz"}, r"about 10\^30"),
        ({"x": {"from": 0, "to": 1e307, "step": 1e-300}}, r"about 10\^30"),
        ({"x": {"from": 0, "to": 1, "count": 2001}}, "2,001"),
    ],
)
def test_a_sweep_of_a_million_is_refused_at_once_by_its_number(grid: dict[str, Any], number: str) -> None:
    with pytest.raises(SweepTooLarge, match=number) as refused:
        made(grid, most=2000)
    assert "2,000" in refused.value.sentence


def test_a_sweep_of_nothing_is_refused() -> None:
    for parts in ([], [Rows([])], [Values("x", [1]), Rows([])]):
        with pytest.raises(SweepEmpty):
            plan(parts, 10)


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(SweepWrong, match="`x` is given twice"):
        plan([Values("x", [1]), Rows([{"x": 2}])], 10)
    with pytest.raises(SweepWrong, match="`x` is given twice"):
        plan([Values("x", [1])], 10, fixed={"x": 3})


def test_rows_need_not_all_say_the_same() -> None:
    found = plan([Rows([{"x": 1}, {"y": 2}]), Values("z", [0, 1])], 10)
    assert found.names == ("x", "y", "z")
    assert list(found.sets()) == [{"x": 1, "z": 0}, {"x": 1, "z": 1}, {"y": 2, "z": 0}, {"y": 2, "z": 1}]


def test_many_problems_are_said_together_and_bounded() -> None:
    with pytest.raises(SweepWrong) as refused:
        from_grid({f"p{number}": [] for number in range(50)})
    assert "`p0`" in refused.value.sentence
    assert "and 30 more" in refused.value.sentence


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"x": 1, "y": "a b"}, "x=1_y=a-b"),
        ({"image": "/data/../etc/frame 7.tif"}, "image=frame-7.tif"),
        ({"x": "../../up"}, "x=up"),
        ({"x": [1, {"a": "/"}]}, "x=-1--a-----"[:5]),
        ({"x": "a" * 200}, "x=" + "a" * 58),
    ],
)
def test_a_label_is_fit_for_the_name_of_a_folder(chosen: dict[str, Any], found: str) -> None:
    assert label(chosen).startswith(found)
    assert "/" not in label(chosen)
