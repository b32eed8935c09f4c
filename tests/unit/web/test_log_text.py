"""A log is anybody's: what is shown of it is text in lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.web.log_text import LONGEST_LINE, part, readable


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (b"\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[m", "red and green"),
        (b"\x1b]0;a title\x07after", "after"),
        (b"\x1b]8;;http://evil.example\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        (b"10 %\r50 %\r100 %\r\n", "100 %\n"),
        (b"\x07bell\x00nul\x08back", "bellnulback"),
        ("\u202egpj.exe".encode(), "gpj.exe"),
        (b"tab\tstays", "tab\tstays"),
        (b"\xff\xfe not text", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} not text"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"\x1b", ""),
    ],
)
def test_only_text_is_left(log: bytes, shown: str) -> None:
    assert readable(log) == shown


@pytest.mark.parametrize("letter", [b"x", b"\x1b", b"\r", b"\x1b[", b"\x1b]8;;"])
def test_a_line_of_ten_megabytes_is_cut_and_soon(letter: bytes) -> None:
    began = time.process_time()
    shown = readable(b"before\n" + letter * (10_000_000 // len(letter)) + b"\nafter")
    assert time.process_time() - began < 5
    assert shown.startswith("before\n")
    assert shown.endswith("\nafter")
    assert len(shown) < LONGEST_LINE + 100


def test_what_has_no_end_yet_waits_for_it() -> None:
    assert part(b"one\ntw", is_over=False) == part(b"one\n", is_over=False)
    assert part(b"one\ntw", is_over=False).taken == 4
    assert part(b"tw", is_over=False).taken == 0
    assert part(b"one\ntw", is_over=True).text == "one\ntw"
    assert part(b"x" * 100_000, is_over=False).taken == 100_000


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_part_by_part_nothing_is_told_twice_and_nothing_left_out(pieces: list[bytes]) -> None:
    log, seen, since = b"".join(pieces), "", 0
    for end in range(0, len(log) + 1, 7):
        found = part(log[since:end], is_over=False)
        seen, since = seen + found.text, since + found.taken
    seen += part(log[since:], is_over=True).text
    assert seen == readable(log)
