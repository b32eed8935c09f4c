"""What differs between two runs, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drybench.runs.differences import MOST_ROWS, Differences, Side, Subject, differences
from drybench.runs.receipts import Git, Gpu, Input, Machine, Output, Receipt

RECEIPT = Receipt(
    run="a",
    name="wing",
    person="ada",
    attempt=1,
    again_of=None,
    outcome="done",
    reason=None,
    created_at="2026-01-01T00:00:00Z",
    started_at="2026-01-01T00:00:01Z",
    ended_at="2026-01-01T00:00:02Z",
    seconds=1.0,
    environment="python",
    environment_digest="d1",
    packages={"numpy": "2.0", "pandas": "3.0"},
    packages_added={},
    requirements=None,
    notebook="wing.ipynb",
    notebook_sha256="a" * 64,
    kernel="python3",
    parameters={"step": 1, "name": "x"},
    inputs=[Input("/data/a.csv", 3, "b" * 64)],
    git=Git("c" * 40, False),
    python="3.11.7",
    platform="Linux",
    machine=Machine("host", "A CPU", 8, 1 << 30),
    gpus=[Gpu("A40", 1 << 30, "570")],
    gpus_asked=[],
    size="default",
    cores=1,
    memory=1 << 30,
    values={"auc": 0.9},
    outputs=[Output("a.png", 10)],
)


def notebook(*sources: Any) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]}


def between(
    a: Mapping[str, Any], b: Mapping[str, Any], cells_a: Any = None, cells_b: Any = None, hashes: Any = None
) -> Differences:
    one = Side(replace(RECEIPT, **a), cells_a, (hashes or [{}, {}])[0])
    return differences(one, Side(replace(RECEIPT, **{"run": "b", **b}), cells_b, (hashes or [{}, {}])[1]))


def only(found: Differences) -> Subject:
    (subject,) = found.subjects
    return subject


def test_two_that_are_the_same() -> None:
    found = between({}, {"seconds": 1.04}, notebook("1"), notebook("1"))
    assert (found.subjects, found.cells) == ([], [])
    assert {"parameters", "packages", "files", "cells", "git"} <= set(found.same)


def test_each_subject_by_name() -> None:
    for name, more in {
        "outcome": {"outcome": "failed", "reason": "cell_error"},
        "parameters": {"parameters": {"step": 2, "name": "x"}},
        "values": {"values": {"auc": 0.8}},
        "notebook": {"notebook_sha256": "f" * 64},
        "inputs": {"inputs": [Input("/data/a.csv", 3, "e" * 64)]},
        "git": {"git": Git("c" * 40, True)},
        "environment": {"environment_digest": "d2"},
        "requirements": {"requirements": "lab_one==1 \n# words\n"},
        "packages": {"packages": {"numpy": "2.1", "pandas": "3.0"}},
        "machine": {"gpus": [Gpu("A40", 1 << 30, "580")]},
        "files": {"outputs": [Output("a.png", 11)]},
    }.items():
        assert only(between({}, more)).name == name
        assert len(only(between({}, more)).rows) in (1, 2)


def test_what_is_on_one_side_only() -> None:
    subject = only(between({"parameters": {"old": 1}}, {"parameters": {"new": None}}))
    assert [(row.name, row.a, row.b) for row in subject.rows] == [("old", 1, None), ("new", None, None)]


def test_kinds_count_and_nan_is_like_nan() -> None:
    assert only(between({"parameters": {"x": 1}}, {"parameters": {"x": True}})).name == "parameters"
    assert not between({"values": {"x": float("nan")}}, {"values": {"x": float("nan")}}).subjects


def test_files_of_one_size_by_their_hashes() -> None:
    assert only(between({}, {}, hashes=[{"a.png": "1"}, {"a.png": "2"}])).rows[0].name == "a.png"
    assert not between({}, {}, hashes=[{"a.png": "1"}, {"a.png": "1"}]).subjects


def test_cells_in_between_do_not_make_the_rest_differ() -> None:
    found = between({}, {}, notebook("a", "b", "c"), notebook("a", "new", "b", ["c", "\n# more"]))
    assert [(cell.a, cell.b) for cell in found.cells] == [(None, 2), (3, 4)]
    assert list(found.cells[1].lines) == ["@@ -1 +1,2 @@", " c", "+# more"]


def test_the_cell_that_the_bench_put_in_is_told_as_parameters() -> None:
    injected = {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "step = 2"}
    other = notebook("a", "b")
    other["cells"].insert(1, injected)
    assert between({}, {}, notebook("a", "b"), other).cells == []


def test_it_is_bounded() -> None:
    many = {f"p{number}": "1" for number in range(MOST_ROWS + 5)}
    subject = only(between({"packages": {}}, {"packages": many}))
    assert (len(subject.rows), subject.left_out) == (MOST_ROWS, 5)
    (cell,) = between({}, {}, notebook("a\n" * 5000), notebook("b\n" * 5000)).cells
    assert list(cell.lines) == ["[too long to be compared line by line]"]
    assert len(between({}, {}, notebook(*"a" * 3000), notebook(*"b" * 3000)).cells) == 200


@given(st.lists(st.text(max_size=5), max_size=8), st.lists(st.text(max_size=5), max_size=8))
def test_the_same_cells_never_differ_and_others_always_do(a: list[str], b: list[str]) -> None:
    found = between({}, {}, notebook(*a), notebook(*b))
    assert bool(found.cells) is (a != b)
    assert all(cell.a is None or a[cell.a - 1] is not None for cell in found.cells)


@given(st.dictionaries(st.text(max_size=3), st.one_of(st.integers(), st.none(), st.text(max_size=3)), max_size=6))
def test_both_ways_tell_the_same(parameters: dict[str, Any]) -> None:
    there = between({}, {"parameters": parameters}).subjects
    back = between({"parameters": parameters}, {}).subjects
    names = lambda found: {row.name for subject in found for row in subject.rows}  # noqa: E731
    assert names(there) == names(back)
