"""A look at a file that a run made, without downloading it: the first rows of a table, the beginning of a text.

The file is a task's, so it is only ever read up to a bound. Pictures are never decoded here: the browser shows them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

from drybench.web.parquet_preview import parquet_table

ROWS, COLUMNS, LETTERS = 50, 30, 200  # of a table; letters in one of its cells
MOST_READ = 1 << 16
MOST_OF_A_PICTURE = 30 << 20
PICTURES = {
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".gif": ("image/gif", b"GIF8"),
    ".webp": ("image/webp", b"RIFF"),
    ".svg": ("image/svg+xml", b"<"),
}
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Kind = Literal["picture", "table", "text", "nothing"]


@dataclass(frozen=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: bool = False  # there are more rows or columns
    count: int | None = None  # of rows, where they are all known


@dataclass(frozen=True)
class Preview:
    kind: Kind
    text: str = ""
    more: bool = False
    table: Table | None = None


def kind_of(path: str, size: int) -> Kind:
    """By its name: what is in it is looked at when somebody asks."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PICTURES:
        return "picture" if 0 < size <= MOST_OF_A_PICTURE else "nothing"
    return "table" if suffix in (*DELIMITERS, ".parquet", ".pq") else "text"


def preview(path: str, file: BinaryIO, size: int) -> Preview:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PICTURES:
        return Preview(kind_of(path, size))
    if suffix in (".parquet", ".pq"):
        found = parquet_table(file, ROWS, COLUMNS)
        return Preview("table", table=_cut(*found)) if found else Preview("nothing")
    text, more = _text(file)
    if text is None:
        return Preview("nothing")
    if suffix in DELIMITERS:
        table = _table(text, more, DELIMITERS[suffix])
        return Preview("table", table=table) if table else Preview("text", text, more)
    return Preview("text", text, more)


def picture_type(path: str, beginning: bytes) -> str | None:
    """The kind of picture that its name says, if its first bytes say so too."""
    kind, mark = PICTURES.get(PurePosixPath(path).suffix.lower(), ("", b""))
    return kind if kind and beginning.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(mark) else None


def _text(file: BinaryIO) -> tuple[str | None, bool]:
    """None where it is no text. A letter that the bound has cut in two is left out."""
    content = file.read(MOST_READ + 1)
    more, content = len(content) > MOST_READ, content[:MOST_READ]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "ignore")
    elif b"\0" in content:
        return None, False
    else:
        text = content.decode("utf-8-sig", "replace")
        if text.count("\ufffd") > 1:
            text = content.decode("latin-1")
    text = text.removesuffix("\ufffd") if more else text
    strange = len(_CONTROLS.findall(text))
    return (None, False) if strange > len(text) / 50 else (_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text), more)


def _table(text: str, more: bool, delimiters: str) -> Table | None:
    """The last line may be cut off, so it is left out where there is more."""
    whole = text[: text.rfind("\n") + 1] if more else text
    delimiter = max(delimiters, key=whole.partition("\n")[0].count)
    try:
        rows = [row for row in csv.reader(io.StringIO(whole), delimiter=delimiter) if row]
    except csv.Error:
        return None
    if not rows:
        return None
    return _cut(rows[0], rows[1 : ROWS + 1], more or len(rows) > ROWS + 1, None if more else len(rows) - 1)


def _cut(columns: Sequence[str], rows: Sequence[Sequence[str]], more: bool, count: int | None = None) -> Table:
    short = [[_cell(cell) for cell in row[:COLUMNS]] for row in rows]
    return Table([_cell(name) for name in columns[:COLUMNS]], short, more or len(columns) > COLUMNS, count)


def _cell(text: str) -> str:
    return text if len(text) <= LETTERS else text[:LETTERS] + "…"
