"""Sets of parameters as people write them: `1, 2, 3`, `0..1 by 0.1`, and tables (CSV). Pure.

What a word means is said by the notebook: the caller hands in how it reads a word for a parameter.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drybench.runs.sweeps import Part, Rows, Values, refuse_if, steps

MOST_COLUMNS = 200
SEPARATORS = ",;\t"
UNSET = object()  # left empty: the notebook's own default counts

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(?:(?:by|:|step)\s*({_NUMBER})|in\s+(\d{{1,30}}))?\s*")
_OPEN, _CLOSE = "([{", ")]}"

Read = Callable[[str, str], Any]  # name and text → value, or ValueError with the end of a sentence


def from_typed(typed: Mapping[str, str], read: Read, is_text: Callable[[str], bool]) -> list[Part]:
    """Each parameter with what stands in its field. Where text is asked for, `a..b` is text."""
    problems: list[str] = []
    parts: list[Part] = []
    for name, text in typed.items():
        try:
            found = None if is_text(name) else _RANGE.fullmatch(text)
            parts.append(steps(name, _range(found)) if found else Values(name, _words(name, text, read)))
        except ValueError as problem:
            problems.append(f"`{name[:80]}` {problem}")
    refuse_if(problems)
    return parts


def from_csv(text: str, read: Read, known: Sequence[str] | None = None) -> Rows:
    """A row for a run. `known`: the parameters that there are, None where nobody can tell."""
    lines = list(_lines(text))
    refuse_if([] if lines else ["the table is empty"])
    (_, header), *body = lines
    names = [name.strip() for name in header]
    refuse_if(_wrong_columns(names, known))
    problems: list[str] = []
    rows = [_row(number, names, cells, read, problems) for number, cells in body]
    refuse_if(problems)
    return Rows(rows)


def words(text: str) -> list[str]:
    """Set apart by commas, which inside quotes and brackets belong to the word."""
    found, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (not found[-1].strip() or depth):
            quote = letter
        else:
            depth = max(0, depth + (letter in _OPEN) - (letter in _CLOSE))
        if letter == "," and not depth and not quote:
            found.append("")
        else:
            found[-1] += letter
    return [word.strip() for word in found if word.strip()]


def _words(name: str, text: str, read: Read) -> list[Any]:
    values = [value for word in words(text) if (value := read(name, _unquoted(word))) is not UNSET]
    if not values:
        raise ValueError("has no value")
    return values


def _unquoted(word: str) -> str:
    quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "\"'"
    return word[1:-1] if quoted else word


def _range(found: re.Match[str]) -> dict[str, Any]:
    first, last, step, count = found.groups()
    said = {"from": _number(first), "to": _number(last)}
    if count:
        return said | {"count": int(count)}
    down = said["from"] > said["to"]
    return said | {"step": _number(step) if step else -1 if down else 1}


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"[+-]?\d{1,300}", text) else float(text)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """With the number of the line where each begins; empty ones are passed over."""
    text = text.removeprefix("\ufeff")
    table = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), skipinitialspace=True, strict=True)
    while True:
        number = table.line_num + 1
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as problem:
            refuse_if([f"line {number:,} of the table cannot be read ({problem})"])
            return
        if any(cell.strip() for cell in cells):
            yield number, cells


def _separator(text: str) -> str:
    """The one that the header has most often; a column alone has none."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _wrong_columns(names: Sequence[str], known: Sequence[str] | None) -> Iterator[str]:
    if len(names) > MOST_COLUMNS:
        yield f"the table has {len(names):,} columns, and {MOST_COLUMNS} are the most"
        return
    for number, name in enumerate(names, start=1):
        if not name:
            yield f"column {number} of the table has no name"
        elif name in names[: number - 1]:
            yield f"the table has two columns `{name[:80]}`"
        elif known is not None and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            there = f"did you mean `{near[0]}`?" if near else f"there are {_listed(known)}"
            yield f"the column `{name[:80]}` is no parameter of the notebook ({there})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:20]) or "none"


def _row(number: int, names: Sequence[str], cells: Sequence[str], read: Read, problems: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        problems.append(f"line {number:,} of the table has {len(cells)} cells, and its header has {len(names)}")
    for name, cell in zip(names, cells, strict=False):
        try:
            value = read(name, cell.strip())
        except ValueError as problem:
            problems.append(f"line {number:,} of the table: `{name}` {problem}")
        else:
            if value is not UNSET:
                row[name] = value
    return row
