"""The part of New run that asks for many runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from drybench.errors import RequestWrong
from drybench.runs.sweep_reading import SweepSaid, read_plan
from drybench.runs.sweeps import Plan, Rows, Values, from_grid, plan
from drybench.web.sweep_form import SweepForm, as_text, count_in_words, filled, kinds, once_more

KINDS = {"k.alpha": "number", "k.channel": "text"}


def counted(**fields: str) -> Plan:
    form = FormData({name.replace("_", "."): text for name, text in fields.items()} | KINDS)
    return read_plan(filled(form).said(), {}, kinds(form), 2000)


def test_nothing_typed_is_one_run() -> None:
    form = filled(FormData({"s.alpha": " ", "sweep.csv": "\r\n", "sweep.parameter": "alpha", **KINDS}))
    assert not form.on
    assert not form.open


def test_it_is_counted_without_the_notebook() -> None:
    plan = counted(s_alpha="0..1 by 0.5", s_channel="a..b, c")
    assert plan.count == 6
    assert count_in_words(plan) == "6 runs: alpha=0.0_channel=a..b · alpha=0.0_channel=c · alpha=0.5_channel=a..b …"
    assert count_in_words(counted(s_alpha="3")) == "1 run: alpha=3"


def test_a_folder_needs_a_pattern_only_where_one_is_meant() -> None:
    said = filled(FormData({"sweep.folder": "/data", "sweep.parameter": "image"})).said()
    assert [(one.parameter, str(one.folder), one.pattern) for one in said.files] == [("image", "/data", "*")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_as_spreadsheets_write_it(encoding: str) -> None:
    assert as_text("α;1".encode(encoding)) == "α;1"


def test_a_table_that_is_no_text_is_refused() -> None:
    with pytest.raises(RequestWrong, match="UTF-8"):
        as_text(b"\xe9;1")


def test_a_file_counts_before_what_was_typed() -> None:
    form = filled(FormData({"sweep.csv": "old\n1"}), b"alpha\n2\n")
    assert form.csv == "alpha\n2\n"


def again(form: SweepForm) -> list[dict[str, Any]]:
    """As New run would read these fields."""
    fields = FormData({**{f"s.{name}": text for name, text in form.typed.items()}, "sweep.csv": form.csv, **KINDS})
    return list(read_plan(filled(fields).said(), {}, kinds(fields), 10**6).sets())


@given(
    st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80),
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8), min_size=1),
)
def test_what_was_asked_for_is_filled_in_once_more(numbers: list[float], words: list[str]) -> None:
    made = plan(from_grid({"alpha": numbers, "channel": words}), 10**6)
    form = once_more(made)
    assert form.open
    found, meant = again(form), list(made.sets())
    key = lambda one: (str(one["alpha"]), one["channel"])  # noqa: E731 - what is a table now changes slowest
    assert sorted(found, key=key) == sorted(meant, key=key)


def test_rows_are_filled_in_as_a_table() -> None:
    rows = [{"alpha": 1, "channel": "a,b"}, {"alpha": 2}]
    form = once_more(Plan((Rows(rows), Values("beta", [1, 2]))))
    assert form.typed == {"beta": "1, 2"}
    assert [(one["alpha"], one.get("channel")) for one in again(form)[::2]] == [(1, "a,b"), (2, None)]
    assert SweepSaid(csv=form.csv)
