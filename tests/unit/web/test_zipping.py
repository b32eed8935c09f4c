"""A zip that is made while it is sent, of files that a task named."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.web.zipping import LEFT_OUT, Entry, safe_name, stream_zip, unlike

THEN = 1_790_000_000.0


def entry(name: str, content: bytes = b"x", size: int | None = None) -> Entry:
    return Entry(name, lambda: io.BytesIO(content), len(content) if size is None else size, THEN)


def unpacked(*entries: Entry) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(entries))))
    assert archive.testzip() is None
    return {one.filename: archive.read(one) for one in archive.infolist()}


def test_what_goes_in_comes_out_the_same_each_time() -> None:
    files = {"a.txt": b"words " * 9999, "deep/in/b.png": b"\x89PNG", "empty": b"", "grün/ß.csv": b"1,2"}
    entries = [entry(name, content) for name, content in files.items()]
    assert unpacked(*entries) == files
    assert list(stream_zip(entries)) == list(stream_zip(entries))


def test_texts_are_pressed_and_pictures_are_not() -> None:
    content = b"0" * 100_000
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip([entry("a.csv", content), entry("b.PNG", content)]))))
    text, picture = archive.infolist()
    assert text.compress_size < 1000
    assert picture.compress_size == 100_000
    assert text.date_time == (2026, 9, 21, 14, 13, 20)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/../../b", "a/b"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("C:\\x", "C_/x"),
        ("..", "file"),
        ("", "file"),
        ("a\0b\nc\u202egpj", "a_b_c_gpj"),
        ("aux.txt/con", "_aux.txt/_con"),
        ("dots. . /x", "dots/x"),
    ],
)
def test_names_that_climb_do_not(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.lists(st.text(max_size=30), max_size=8))
def test_whatever_they_are_called_they_stay_below_and_apart(names: Sequence[str]) -> None:
    entries = [entry(name.encode(errors="replace").decode(), bytes([place])) for place, name in enumerate(names)]
    files = unpacked(*entries)
    assert sorted(files.values()) == [bytes([place]) for place in range(len(names))]
    assert all(not {"", ".", ".."} & set(name.split("/")) for name in files)
    assert len({name.casefold() for name in files}) == len(names)


def test_no_more_is_read_than_was_said() -> None:
    assert unpacked(entry("grows.log", b"abcdef", 3)) == {"grows.log": b"abc"}
    assert unpacked(entry("shrinks.log", b"ab", 99)) == {"shrinks.log": b"ab"}


def test_what_is_gone_meanwhile_is_named() -> None:
    def gone() -> BinaryIO:
        raise FileNotFoundError(2, "No such file or directory")

    files = unpacked(entry("here"), Entry("gone/a.txt", gone, 5, THEN))
    assert files == {"here": b"x", LEFT_OUT: b"gone/a.txt: No such file or directory\n"}


@pytest.mark.parametrize("modified", [-1e12, 0.0, 1e12])
def test_times_that_no_zip_can_say(modified: float) -> None:
    assert b"".join(stream_zip([Entry("a", lambda: io.BytesIO(b"x"), 1, modified)]))


def test_thousands_of_names_that_come_to_the_same_take_no_time_to_tell_apart() -> None:
    taken = dict[str, int]()
    names = [unlike(taken, "A.txt" if n % 2 else "a.txt") for n in range(20_000)]
    assert names[:3] == ["a.txt", "A (2).txt", "a (3).txt"]
    assert len({name.casefold() for name in names}) == 20_000
    assert unlike(taken, "a (3).txt") == "a (3) (2).txt"
