"""Sweeps as they are typed and as tables."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import SweepWrong
from drybench.runs.sweep_text import UNSET, from_csv, from_typed, words
from drybench.runs.sweeps import plan

KNOWN = ("alpha", "channel", "path")


def read(name: str, text: str) -> Any:
    """As a notebook would that has a number, a text and whatever."""
    if not text:
        return UNSET
    if name == "channel":
        return text
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        if name == "alpha":
            raise ValueError(f"is a number, not {text}") from None
        return text


def typed(text: str, name: str = "alpha") -> list[Any]:
    parts = from_typed({name: text}, read, lambda one: one == "channel")
    return [one[name] for one in plan(parts, 1000).sets()]


def rows(text: str) -> list[Any]:
    return list(from_csv(text, read, KNOWN).rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1, 2, 3", [1, 2, 3]),
        ("7", [7]),
        ("0..1 by 0.25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("0..1:0.5", [0.0, 0.5, 1.0]),
        ("1..4", [1, 2, 3, 4]),
        ("3..1", [3, 2, 1]),
        (" -1 .. 1 step 1 ", [-1, 0, 1]),
        ("0..1 in 3", [0.0, 0.5, 1.0]),
        ("1e-3..1e-2 in 2", [0.001, 0.01]),
    ],
)
def test_what_is_typed_for_a_number(text: str, found: list[Any]) -> None:
    assert typed(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a, b", ["a", "b"]),
        ("1..3", ["1..3"]),
        ("'a, b', c", ["a, b", "c"]),
        ('it\'s, "so, so"', ["it's", "so, so"]),
    ],
)
def test_what_is_typed_for_text(text: str, found: list[str]) -> None:
    assert typed(text, "channel") == found


def test_lists_stay_whole() -> None:
    assert words("[1, 2], [3, (4, 5)], {'a': 1, 'b': 2}") == ["[1, 2]", "[3, (4, 5)]", "{'a': 1, 'b': 2}"]


@pytest.mark.parametrize("text", ["", " , ", "x, 1", "0..1 by 0", "0..1 by -1", "0..1 in 0"])
def test_what_is_no_values_is_refused_by_name(text: str) -> None:
    with pytest.raises(SweepWrong, match="`alpha`"):
        typed(text)


@given(st.text(max_size=200))
def test_anything_may_be_typed(text: str) -> None:
    with suppress(SweepWrong):
        assert typed(text, "channel")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_in_each_of_its_dialects(separator: str, mark: str, end: str) -> None:
    lines = [["alpha", "channel"], ["1", '"a, b; c"'], [], ["0.5", "2"], ["", "x"], [" ", " "]]
    text = mark + end.join(separator.join(line) for line in lines)
    assert rows(text) == [{"alpha": 1, "channel": "a, b; c"}, {"alpha": 0.5, "channel": "2"}, {"channel": "x"}]


def test_one_column_needs_no_separator() -> None:
    assert rows("channel\na\nb\n") == [{"channel": "a"}, {"channel": "b"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table is empty"),
        ("\n \n", "the table is empty"),
        ("alpha,chanel\n1,a\n", r"`chanel` is no parameter .*did you mean `channel`"),
        ("alpha,zzz\n1,a\n", r"`zzz` is no parameter .*`alpha`, `channel`, `path`"),
        ("alpha,,channel\n1,2,3\n", "column 2 of the table has no name"),
        ("alpha,alpha\n1,2\n", "two columns `alpha`"),
        ("alpha\n1\n\nx\n2\ny\n", "line 4 of the table: `alpha` is a number, not x; line 6"),
        ("alpha\n1,2\n", "line 2 of the table has 2 cells, and its header has 1"),
        ('alpha\n"1\n', "cannot be read"),
        ("alpha\n" + "1" * 200_000, "cannot be read"),
        (",".join(f"c{number}" for number in range(300)), "300 columns"),
        ("alpha\n1\0\n", "line 2 of the table|cannot be read"),
    ],
)
def test_a_wrong_table_is_refused_with_the_line(text: str, said: str) -> None:
    with pytest.raises(SweepWrong, match=said):
        rows(text)


def test_where_nobody_can_tell_the_parameters_any_column_may_be() -> None:
    assert list(from_csv("whatever\n3\n", read).rows) == [{"whatever": 3}]


cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8).map(str.strip)


@given(st.lists(cells.filter(bool), min_size=1, max_size=20), st.sampled_from(",;\t"))
def test_what_a_program_writes_is_read_back(words: list[str], separator: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["channel", "path"], *([word, "p"] for word in words)])
    assert [row["channel"] for row in rows(text.getvalue())] == words


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(text: str) -> None:
    with suppress(SweepWrong):
        rows(text)
