"""From what is asked for to a plan, against what the notebook takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drybench.errors import NoParametersCell, ParametersWrong, SweepTooLarge, SweepWrong
from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import Parameters, read_parameters
from drybench.runs.sweep_reading import Files, SweepSaid, check, read_plan

CELL = "alpha = 0.1  # how strong\nruns = 3\nchannel = 'nuclei'\nimage: str = 'a.tif'\nfast = False"


def known(cell: str = CELL, tags: tuple[str, ...] = ("parameters",)) -> Parameters:
    source = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": cell}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [source]}
    return read_parameters(read_notebook(json.dumps(notebook).encode(), 1 << 20))


def sets(said: SweepSaid, fixed: dict[str, Any] | None = None, most: int = 100) -> list[dict[str, Any]]:
    plan = read_plan(said, fixed or {}, known(), most)
    check(plan, fixed or {}, known())
    return list(plan.sets())


def test_typed_values_are_what_the_notebook_takes() -> None:
    found = sets(SweepSaid(typed={"alpha": "0..0.3 by 0.1", "channel": "1, 2..3", "fast": "yes, no"}))
    assert [one["alpha"] for one in found][::4] == [0.0, 0.1, 0.2, 0.3]
    assert {one["channel"] for one in found} == {"1", "2..3"}
    assert {one["fast"] for one in found} == {True, False}


def test_a_table_and_a_folder_are_combined_with_a_grid(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"{number}.tif").touch()
    said = SweepSaid(csv="channel;runs\na;1\n", files=[Files("image", tmp_path, "*.tif")], grid={"alpha": [0.1, 0.2]})
    found = sets(said)
    assert len(found) == 6
    assert found[-1] == {"channel": "a", "runs": 1, "image": str(tmp_path / "10.tif"), "alpha": 0.2}


def test_a_column_that_is_wrong_gets_the_nearest_name() -> None:
    with pytest.raises(SweepWrong, match=r"`chanel` is no parameter .*did you mean `channel`"):
        sets(SweepSaid(csv="chanel\na\n"))


def test_a_cell_of_a_table_that_does_not_fit_is_named_by_its_line() -> None:
    with pytest.raises(SweepWrong, match="line 3 of the table: `runs` is a whole number, not"):
        sets(SweepSaid(csv="runs\n1\nmany\n"))


def test_every_set_is_checked_and_each_problem_said_once() -> None:
    rows = [{"runs": 1}, {"runs": "x"}, {"runs": 2}, {"runs": "x", "alpha": 1}, {"zzz": 1}]
    with pytest.raises(SweepWrong) as refused:
        sets(SweepSaid(rows=rows))
    assert "runs 2, 4: `runs` is a whole number" in refused.value.sentence
    assert "run 5 (zzz=1): `zzz` is not one of them" in refused.value.sentence


def test_what_is_wrong_in_each_is_said_as_such() -> None:
    with pytest.raises(SweepWrong, match="each run: `fast` is"):
        sets(SweepSaid(grid={"fast": 3, "runs": list(range(50))}))


def test_what_is_the_same_in_all_is_checked_by_itself() -> None:
    with pytest.raises(ParametersWrong, match="`alpha`"):
        sets(SweepSaid(grid={"runs": [1, 2]}), {"alpha": "x"})
    with pytest.raises(SweepWrong, match="`runs` is given twice"):
        sets(SweepSaid(grid={"runs": [1, 2]}), {"runs": 7})


def test_hostile_values_are_refused() -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for value in (float("nan"), "\ud800", deep, {1: {2}}):
        with pytest.raises(SweepWrong):
            sets(SweepSaid(grid={"image": [value]}))


def test_a_notebook_without_the_cell_takes_none() -> None:
    plan = read_plan(SweepSaid(grid={"x": [1]}), {}, known(tags=()), 10)
    with pytest.raises(NoParametersCell):
        check(plan, {}, known(tags=()))


def test_a_million_is_refused_before_anything_is_read() -> None:
    with pytest.raises(SweepTooLarge, match="1,000,000"):
        sets(SweepSaid(typed={"runs": "1..1000000"}))
