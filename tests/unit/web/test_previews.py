"""A look at what a task left: bounded, as text, and nothing of it runs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import pytest

from drybench.web import parquet_preview
from drybench.web.previews import COLUMNS, LETTERS, MOST_READ, ROWS, Preview, Table, kind_of, picture_type, preview


def look(name: str, content: bytes) -> Preview:
    return preview(name, io.BytesIO(content), len(content))


def table(name: str, content: bytes) -> Table:
    found = look(name, content)
    assert found.table is not None
    return found.table


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"x,y\n1,2\n"),
        ("a.csv", b"x;y\r\n1;2\r\n"),
        ("a.tsv", b"x\ty\n1\t2\n"),
        ("a.csv", b"\xef\xbb\xbfx,y\n1,2"),
    ],
)
def test_tables_as_programs_write_them(name: str, content: bytes) -> None:
    assert table(name, content) == Table(["x", "y"], [["1", "2"]], False, 1)


def test_a_long_table_shows_its_beginning_and_no_half_line() -> None:
    rows = b"".join(b"%d,word\n" % number for number in range(100_000))
    shown = table("a.csv", b"number,word\n" + rows)
    assert (len(shown.rows), shown.more, shown.count) == (ROWS, True, None)


def test_a_wide_table_and_a_wide_cell_are_cut() -> None:
    shown = table("a.csv", ",".join("c" * 300 for _ in range(99)).encode() + b"\n1\n")
    assert (len(shown.columns), len(shown.columns[0]), shown.more) == (COLUMNS, LETTERS + 1, True)


def test_text_has_no_controls_and_an_end() -> None:
    assert look("a.log", b"words " * 99 + b"\x1b[31mred\xe2\x80\xae").text.count("\N{REPLACEMENT CHARACTER}") == 2
    long = look("a.txt", "ä".encode() * MOST_READ)
    assert (long.more, set(long.text)) == (True, {"ä"})


def test_text_of_other_systems() -> None:
    assert look("a.txt", "Größe".encode("utf-16")).text == "Größe"
    assert look("a.txt", "Größe, später, für".encode("latin-1")).text == "Größe, später, für"


@pytest.mark.parametrize("content", [b"\0\1\2\3", b"\x89HDF\r\n\x1a\n\0", bytes(range(1, 32)) * 9])
def test_what_is_no_text_has_no_preview(content: bytes) -> None:
    assert look("a.bin", content).kind == "nothing"


def test_a_csv_that_is_none_is_shown_as_text_or_not_at_all() -> None:
    assert look("a.csv", b"").kind == "text"
    assert look("a.csv", b"\0" * 99).kind == "nothing"
    assert look("a.csv", b'"' + b"x" * 200_000).kind in ("text", "table")


def test_a_picture_is_one_by_name_and_by_its_first_bytes() -> None:
    assert picture_type("a.png", b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert picture_type("a.PNG", b"<html>") is None
    assert picture_type("a.svg", b"\n<svg/>") == "image/svg+xml"
    assert picture_type("a.html", b"<svg/>") is None
    assert kind_of("a.png", 1 << 40) == "nothing"


def test_parquet_shows_its_first_rows(tmp_path: Path) -> None:
    from arro3 import core
    from arro3.io import write_parquet

    file, arrow = tmp_path / "a.parquet", cast("Any", core)
    numbers = arrow.Array(list(range(3000)), arrow.DataType.int64())
    write_parquet(arrow.Table.from_pydict({"n": numbers, "m": numbers}), str(file))
    with file.open("rb") as opened:
        shown = preview("a.parquet", opened, file.stat().st_size).table
    assert shown is not None
    assert (shown.columns, shown.rows[1], len(shown.rows), shown.more) == (["n", "m"], ["1", "1"], ROWS, True)


def test_parquet_of_few_rows_shows_them_all(tmp_path: Path) -> None:
    from arro3 import core
    from arro3.io import write_parquet

    file, arrow = tmp_path / "a.parquet", cast("Any", core)
    write_parquet(arrow.Table.from_pydict({"n": arrow.Array([7, 8], arrow.DataType.int64())}), str(file))
    with file.open("rb") as opened:
        assert parquet_preview.parquet_table(opened, 50, 5) == (["n"], [["7"], ["8"]], False)


def test_a_columns_name_without_end_is_cut_before_it_is_told(tmp_path: Path) -> None:
    from arro3 import core
    from arro3.io import write_parquet

    file, arrow = tmp_path / "a.parquet", cast("Any", core)
    write_parquet(arrow.Table.from_pydict({"n" * (8 << 20): arrow.Array([1], arrow.DataType.int64())}), str(file))
    with file.open("rb") as opened:
        found = parquet_preview.parquet_table(opened, 5, 5)
    assert found is not None
    assert len(found[0][0]) == parquet_preview.LETTERS


def test_what_is_no_parquet_and_a_reader_without_memory_give_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"PAR1" + b"\xff" * 1000 + b"PAR1")
    with file.open("rb") as opened:
        assert parquet_preview.parquet_table(opened, 5, 5) is None
        monkeypatch.setattr(parquet_preview, "SECONDS", 0.001)
        assert parquet_preview.parquet_table(opened, 5, 5) is None
