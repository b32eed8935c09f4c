"""Time left is told by how long it took before, or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.model import Size
from drybench.phases import Reason
from drybench.runs.remaining import Here, Pace, in_words, pace, seconds_left
from drybench.runs.remedies import larger_size

THEN = datetime(2026, 11, 1, tzinfo=UTC)
EARLIER = Pace([1.0, 11.0, 71.0], 101.0)


def line(event: str, seconds: float) -> bytes:
    return json.dumps({"event": event, "at": (THEN + timedelta(seconds=seconds)).isoformat()}).encode()


def test_a_journal_tells_when_each_cell_began() -> None:
    lines = [line("began", 0), line("cell", 1), b'{"event":"output","at":"x"}', line("cell", 11), line("ended", 31)]
    assert pace(lines) == Pace([1.0, 11.0], 31.0)


@pytest.mark.parametrize("lines", [[], [b"{"], [b"[]"], [line("began", 0), line("cell", 1)], [line("ended", 1)]])
def test_a_journal_that_tells_of_no_whole_run_gives_no_pace(lines: list[bytes]) -> None:
    assert pace(lines) is None


def test_cell_by_cell_a_slow_beginning_moves_the_end() -> None:
    assert seconds_left(Here(elapsed=300, cell=2, in_cell=20), EARLIER, 101) == 40 + 30


def test_a_cell_that_takes_longer_than_it_did_gives_no_promise() -> None:
    assert seconds_left(Here(elapsed=300, cell=2, in_cell=90), EARLIER, 101) is None


def test_without_its_journal_the_whole_counts() -> None:
    assert seconds_left(Here(30, 1, 30), None, 100) == 70
    assert seconds_left(Here(140, 1, 1), None, 100) is None
    assert seconds_left(Here(30, 1, 30), None, None) is None


@given(st.floats(0, 1e7), st.integers(0, 5), st.floats(0, 1e7), st.none() | st.floats(0, 1e7))
def test_it_is_never_less_than_nothing(elapsed: float, cell: int, in_cell: float, usual: float | None) -> None:
    left = seconds_left(Here(elapsed, cell, in_cell), EARLIER, usual)
    assert left is None or left >= 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute left"),
        (50, "about 1 min left"),
        (260, "about 4 min left"),
        (3600, "about 1 h 00 min left"),
        (4000, "about 1 h 05 min left"),
        (86400, "about 24 h left"),
    ],
)
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_memory_that_was_missing_is_had_in_the_next_larger_size() -> None:
    sizes = [Size("l", "Large", 4, 8 << 30), Size("s", "Small", 1, 1 << 30), Size("m", "Middle", 2, 4 << 30)]
    assert larger_size(Reason.OUT_OF_MEMORY, "s", sizes) == sizes[2]
    assert larger_size(Reason.OUT_OF_MEMORY, "l", sizes) is None
    assert larger_size(Reason.CELL_ERROR, "s", sizes) is None
