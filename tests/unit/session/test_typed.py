"""What people type into a form in JupyterLab, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench_session.typed import value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("4", 4),
        (" 4 ", 4),
        ("1e-3", 0.001),
        ("true", True),
        ("True", True),
        ("None", None),
        ("null", None),
        ('["a", 1]', ["a", 1]),
        ("['a', (1, 2)]", ["a", (1, 2)]),
        ("{'a': 1}", {"a": 1}),
        ('"4"', "4"),
        ("nuclei", "nuclei"),
        ("", ""),
    ],
)
def test_json_or_python_or_else_text(text: str, meant: object) -> None:
    assert value(text) == meant


def test_whole_numbers_have_no_end() -> None:
    assert value("99999999999999999999") == 99999999999999999999


@pytest.mark.parametrize("text", ["NaN", "1e999", "{1, 2}", "b'x'", "1j", "9" * 5000, "[" * 10_000, "__import__('os')"])
def test_what_json_cannot_say_stays_text_and_is_the_benchs_to_refuse(text: str) -> None:
    assert value(text) == text


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    value(text)
