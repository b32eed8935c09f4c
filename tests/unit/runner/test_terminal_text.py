"""What a terminal would show, however the text comes in."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drybench_runner import terminal_text
from drybench_runner.terminal_text import Screen


def shown(*texts: str) -> str:
    screen = Screen()
    for text in texts:
        screen.write(text)
    return screen.text()


@pytest.mark.parametrize(
    ("text", "as_shown"),
    [
        ("plain\ntext\n", "plain\ntext\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r20%\r30%", "30%"),
        ("done\r10", "10ne"),
        ("abc\b\bX", "aXc"),
        ("long line\r\x1b[Kshort", "short"),
        ("long line\r\x1b[2Kshort", "short"),
        ("one\ntwo\n\x1b[2A\x1b[2KONE\n", "ONE\ntwo\n"),
        ("one\ntwo\nthree\x1b[1A\r\x1b[Jnew", "one\nnew"),
        ("a\x1b[3Cb", "a   b"),
        ("abcdef\x1b[2Dxy", "abcdxy"),
        ("abc\x1b[1Gx", "xbc"),
        ("\x1b[?25lhidden\x1b[?25h", "hidden"),
        ("\x1b[31mred\x1b[0m stays", "\x1b[31mred\x1b[0m stays"),
        ("\x1b[32m10%\x1b[0m\r\x1b[32m20%\x1b[0m", "\x1b[32m20%\x1b[0m"),
        ("\x1b[H unknown", "\x1b[H unknown"),
        ("nothing above\x1b[5A\r!", "!othing above"),
        ("half of it \x1b[3", "half of it "),
    ],
)
def test_it_is_shown_as_on_a_terminal(text: str, as_shown: str) -> None:
    assert shown(text) == as_shown
    assert shown(*text) == as_shown


def test_ten_thousand_ticks_are_one_line() -> None:
    bar = "".join(f"\r{n / 100:5.1f}% |{'#' * (n // 500):20}| {n}/10000" for n in range(10_001))
    assert shown(bar) == f"100.0% |{'#' * 20}| 10000/10000"
    assert len(Screen().changed(bar)) < 60


def test_bars_above_one_another() -> None:
    frames = [f"\r\x1b[2K\x1b[1A\x1b[2Kone {n}%\ntwo {n}%" for n in range(101)]
    assert shown("one\ntwo", *frames) == "one 100%\ntwo 100%"


def test_a_long_line_and_many_lines_are_kept_whole() -> None:
    text = "x" * 35_000 + "\n" + "".join(f"{n}\n" for n in range(1000)) + "y" * 12_000
    assert shown(text) == text
    assert shown(text[:11_111], text[11_111:]) == text


WORDS = (
    "a bc \x1b[31m \x1b[0m \x1b[2K \x1b[K \x1b[1K \x1b[J  ä \x1b[1A \x1b[2A \x1b[B \x1b[2C \x1b[D \x1b[2G \x1b \x1b[ 2"
)
pieces = st.lists(
    st.sampled_from([*WORDS.split(), "\x1b[H", "\n", "\r", "\b", "\r\n", "K", "\x1b]8;;x\x07"]), max_size=25
)


@settings(max_examples=500)
@example(["\n\r\n\r\n\x1b[2A\x1b[J", "\x1b[1Aa"], 2)
@given(st.lists(pieces.map("".join), max_size=6), st.sampled_from([2, 100]))
def test_what_changed_changes_another_in_the_same_way(texts: list[str], reach: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal_text, "REACH", reach)
        writer, reader, plain = Screen(), Screen(), Screen()
        for text in texts:
            reader.write(writer.changed(text))
            plain.write(text)
            assert writer.text() == plain.text()
            assert reader.text() == writer.text()
            assert writer.size == len(writer.text())


@settings(max_examples=300)
@example("aaa\x1b[2Ga\x1b[31m", 8)
@given(pieces.map("".join), st.integers(0, 50))
def test_where_text_is_divided_changes_nothing(text: str, place: int) -> None:
    assert shown(text[:place], text[place:]) == shown(text)
