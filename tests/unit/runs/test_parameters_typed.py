"""What somebody types for a parameter becomes its value, or a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from drybench.runs.typed_text import Problem, Unset, from_text
from tests.unit.runs.test_parameters_forms import one


@pytest.mark.parametrize(
    ("source", "typed", "value"),
    [
        ("x = 1", " 5 ", 5),
        ("x = 1", "+5", 5),
        ("x = 1", "1e3", 1000),
        ("x = 1", "0x10", 16),
        ("x = 1", "1_000", 1000),
        ("x = 1.0", "1e3", 1000.0),
        ("x = 1.0", "-.5", -0.5),
        ("x = 1.0", "2", 2),
        ("x = True", "yes", True),
        ("x = True", "FALSE", False),
        ("x = True", "0", False),
        ("x = 'a'", "12", "12"),
        ("x = 'a'", "true", "true"),
        ("x = 'a'", "None", "None"),
        ("x = 'a'", " b ", " b "),
        ("x = 'a'", '""', ""),
        ("x = 'a\\nb'", "c\nd\n", "c\nd\n"),
        ("x: str | None = 'a'", "None", None),
        ("x: int | None = 1", "null", None),
        ("x = Path('a')", " b.csv ", "b.csv"),
        ("x = []", "[1, 2]", [1, 2]),
        ("x = []", "['a', True, None]", ["a", True, None]),
        ("x = []", "1, 2", [1, 2]),
        ("x = []", "(1, [2])", [1, [2]]),
        ("x = {}", '{"a": [null]}', {"a": [None]}),
        ("x = {}", "{'a': None}", {"a": None}),
        ("x = None", "some words", "some words"),
        ("x = None", "12", 12),
        ("x = None", "TRUE", True),
        ("x = f()", '{"a": 1}', {"a": 1}),
        ("x: int | str = 1", "a", "a"),
        ("x: Literal['a', 1] = 'a'", "1", 1),
        ("x = '1'  # one of: 1, 2", "2", "2"),
        ("x = 1  # 0..10", "10", 10),
    ],
)
def test_a_value(source: str, typed: str, value: Any) -> None:
    found = from_text(one(source), typed)
    assert found == value
    assert found.__class__ is value.__class__


@pytest.mark.parametrize("source", ["x = 1", "x = 'a'", "x = True", "x = []", "x = None", "x: Literal['a'] = 'a'"])
@pytest.mark.parametrize("typed", ["", "  ", "\n"])
def test_empty_leaves_the_default(source: str, typed: str) -> None:
    assert isinstance(from_text(one(source), typed), Unset)


@pytest.mark.parametrize(
    ("source", "typed", "sentence"),
    [
        ("x = 1", "many", '`x` is a whole number, not "many" (text)'),
        ("x = 1", "1.5", "`x` is a whole number, not 1.5 (a number)"),
        ("x = 1", "None", "`x` is a whole number"),
        ("x = 1", "1 2", "`x` is a whole number"),
        ("x = 1", "True", "`x` is a whole number"),
        ("x = 1.0", "NaN", "`x` is a number"),
        ("x = 1.0", "1e999", "`x` is a number"),
        ("x = 1.0", "0,5", "`x` is a number"),
        ("x = True", "maybe", "`x` is true or false"),
        ("x = []", "words", "`x` is a list"),
        ("x = []", "[1, 2", "`x` is a list"),
        ("x = {}", "[1]", "`x` is names with values"),
        ("x: Literal['a', 'b'] = 'a'", "c", '`x` is one of "a", "b", not "c"'),
        ("x = 1  # 0..10", "11", "`x` is a whole number from 0 to 10, not 11"),
        ("x = 'a'", "half \ud800", "`x` does not fit: a value is not plain JSON"),
        ("x = None", '"\\ud800"', "`x` does not fit: a value is not plain JSON"),
        ("x = []", "[" * 60 + "]" * 60, "`x` does not fit: a value has more than 50 lists"),
        ("x = None", "a" * (1 << 21), "`x` does not fit: they are 2.0 MiB large"),
    ],
)
def test_a_problem(source: str, typed: str, sentence: str) -> None:
    found = from_text(one(source), typed)
    assert isinstance(found, Problem)
    assert found.sentence.startswith(sentence)
    assert found.typed == typed
