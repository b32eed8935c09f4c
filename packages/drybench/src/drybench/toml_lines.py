"""On which line of a TOML text each key stands; tomllib does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

Path = tuple[str, ...]


def lines_of(text: str) -> dict[Path, int]:
    """Every key and table with the line where it begins; of a list of tables each by its number, from 0.

    Parses the text up to each line anew, which leaves the grammar to tomllib: a key begins after
    the last line up to which the text was whole. Quadratic, and a settings file is small.
    """
    found: dict[Path, int] = {}
    lines, whole = text.splitlines(), 0
    for count in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(tree):
            found.setdefault(path, whole + 1)
        whole = count
    return found


def line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    at = re.search(r"\(at line (\d+)", str(error))
    return int(at[1]) if at else max(len(text.splitlines()), 1)


def _paths(tree: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    for key, value in tree.items():
        yield (*above, key)
        yield from _paths(_tables_in(value), (*above, key))


def _tables_in(value: object) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return cast("Mapping[str, Any]", value)
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return {str(place): entry for place, entry in enumerate(entries) if isinstance(entry, dict)}
