"""Words for states, times and amounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.web import screen

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (200, "3 min 20 s"), (3900, "1 h 05 min"), (183_600, "2 d 03 h"), (-5, "0 s")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert screen.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"), (59, "just now"), (720, "12 min ago"), (7200, "2 h ago"), (90_000, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds: float, words: str) -> None:
    assert screen.ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (3 << 29, "1.5 GiB"),
        (5 << 40, "5 TiB"), (1 << 60, "1048576 TiB"),
    ],
)  # fmt: skip
def test_amounts(count: int, words: str) -> None:
    assert screen.amount(count) == words


@given(st.integers(0, 1 << 62))
def test_every_amount_has_a_number_and_a_unit(count: int) -> None:
    number, unit = screen.amount(count).split()
    assert float(number) < 1025 or unit == "TiB"


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        (
            "Do `drybench up`, then `drybench ticket`.",
            "Do <code>drybench up</code>, then <code>drybench ticket</code>.",
        ),
        ("No `<script>` & no ` alone", "No <code>&lt;script&gt;</code> &amp; no ` alone"),
        ("``", "``"),
    ],
)
def test_sentences_are_escaped_before_code_is_set_apart(sentence: str, html: str) -> None:
    assert screen.said(sentence) == html


def test_the_place_in_the_line() -> None:
    assert [screen.line(0), screen.line(2)] == ["next in line", "2 ahead of you"]
