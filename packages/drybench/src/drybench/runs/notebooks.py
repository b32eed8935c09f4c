"""Read a notebook that somebody handed in: plain JSON in format 4, mended, or refused with a sentence.

nbformat is not used here: its validator takes a second to import, and it accepts what no kernel can run.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn, cast
from uuid import uuid4

from drybench import errors
from drybench.quantities import bytes_in_words

Notebook = dict[str, Any]

_DEEPEST = 100  # what comes after us walks a notebook by recursion
_LONGEST_NAME = 200
_CELL_TYPES = ("code", "markdown", "raw")
# Control characters, half characters, line and paragraph marks; and those that turn text around.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_notebook(data: bytes, limit: int, name: str = "This file") -> Notebook:
    """The notebook in format 4.5 or later. `limit` in bytes counts before anything is parsed."""
    if len(data) > limit:
        size = f"{len(data) / 1e6:.1f} MB"
        raise errors.TooLarge(name=name, size=size, limit=bytes_in_words(limit))
    try:
        return _mended(_in_format_4(_parsed(data)))
    except _Wrong as wrong:
        raise errors.NotANotebook(name=name, problem=wrong) from None
    except _Old as old:
        raise errors.NotebookTooOld(name=name, found=old) from None


def kernel_of(notebook: Notebook) -> str | None:
    """The name of the kernel that the notebook asks for."""
    return _word(notebook, "kernelspec", "name")


def language_of(notebook: Notebook) -> str | None:
    return _word(notebook, "language_info", "name") or _word(notebook, "kernelspec", "language")


def tagged(notebook: Notebook, tag: str) -> dict[str, Any] | None:
    """The first cell with this tag."""
    return next((cell for cell in notebook["cells"] if tag in cell["metadata"].get("tags", ())), None)


def safe_name(name: str) -> str:
    """A name fit for a file and for a page, or NameNotAllowed. What looks like script is only text."""
    name = name.strip()
    if not name or name in {".", ".."}:
        raise errors.NameNotAllowed(name=repr(name), problem="it says nothing")
    if "/" in name or "\\" in name:
        raise errors.NameNotAllowed(name=repr(name[:80]), problem="it has a slash in it")
    if any(unicodedata.category(letter) in _UNSEEN or letter in _TURNING for letter in name):
        raise errors.NameNotAllowed(name=ascii(name[:80]), problem="it has control characters in it")
    if len(name) > _LONGEST_NAME or len(name.encode()) > 255:
        raise errors.NameNotAllowed(name=repr(name[:40] + "…"), problem="it is too long")
    return name


class _Wrong(Exception):
    """Why it is no notebook, in a few words."""


class _Old(Exception):
    """The number of its older format."""


def _parsed(data: bytes) -> object:
    try:
        found: object = json.loads(data.decode("utf-8-sig"), parse_constant=_not_json)
    except UnicodeDecodeError:
        raise _Wrong("it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise _Wrong(f"it is not JSON (line {error.lineno}: {error.msg})") from None
    except (RecursionError, ValueError):
        raise _Wrong("it is not JSON that can be read: it is nested too deeply, or a number in it is too long") from None
    if not _within(found, _DEEPEST):
        raise _Wrong("it is nested too deeply")
    return _without_half_characters(found) if b"\\ud" in data.lower() else found


def _not_json(word: str) -> NoReturn:
    raise _Wrong(f"it is not JSON ({word} is no JSON number)")


def _within(value: object, deepest: int) -> bool:
    """Level by level, for recursion is what this guards against."""
    level = [value]
    for _ in range(deepest):
        level = [part for whole in level for part in _parts(whole) if isinstance(part, dict | list)]
        if not level:
            return True
    return False


def _parts(whole: object) -> Iterable[object]:
    if isinstance(whole, dict):
        return cast("dict[str, object]", whole).values()
    return cast("list[object]", whole) if isinstance(whole, list) else ()


def _without_half_characters(value: object) -> object:
    """JSON can spell half of a character (`\\ud800`), which no file in UTF-8 can hold."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.loads(text)


def _in_format_4(found: object) -> Notebook:
    if not isinstance(found, dict):
        raise _Wrong("it is JSON, and not the JSON of a notebook")
    notebook = cast("Notebook", found)
    version = notebook.get("nbformat")
    if version in (1, 2, 3) or ("worksheets" in notebook and "cells" not in notebook):
        raise _Old(version)
    if version != 4:
        raise _Wrong("it does not say that it is in nbformat 4" if version is None else f"nbformat {version!r}"[:80])
    if not isinstance(notebook.get("cells"), list):
        raise _Wrong("it has no list of cells")
    return notebook


def _mended(notebook: Notebook) -> Notebook:
    """What a later minor format asks for and the older ones did not have."""
    minor = notebook.get("nbformat_minor")
    notebook["nbformat_minor"] = max(minor, 5) if isinstance(minor, int) else 5
    metadata = notebook.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise _Wrong("its metadata is not an object")
    for key in ("kernelspec", "language_info", "papermill"):
        if not isinstance(metadata.get(key, {}), dict):
            del metadata[key]
    ids: set[str] = set()
    for number, cell in enumerate(notebook["cells"], start=1):
        _mend_cell(cell, f"cell {number}", ids)
    return notebook


def _mend_cell(cell: Any, which: str, ids: set[str]) -> None:
    if not isinstance(cell, dict) or cell.get("cell_type") not in _CELL_TYPES:
        raise _Wrong(f"{which} is neither code, nor Markdown, nor raw text")
    cell["source"] = _text(cell.get("source", ""), f"{which}'s source")
    _mend_cell_metadata(cell, which)
    if not isinstance(cell.get("id"), str) or not 1 <= len(cell["id"]) <= 64 or cell["id"] in ids:
        cell["id"] = uuid4().hex[:8]
    ids.add(cell["id"])
    if cell["cell_type"] == "code":
        _mend_code(cell, which)


def _mend_cell_metadata(cell: Notebook, which: str) -> None:
    metadata = cell.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise _Wrong(f"{which}'s metadata is not an object")
    tags = metadata.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _Wrong(f"{which}'s tags are not a list of words")


def _mend_code(cell: Notebook, which: str) -> None:
    cell.setdefault("execution_count", None)
    outputs = cell.setdefault("outputs", [])
    if not isinstance(outputs, list):
        raise _Wrong(f"{which}'s outputs are not a list")
    for output in outputs:
        if not isinstance(output, dict) or not isinstance(output.get("output_type"), str):
            raise _Wrong(f"{which} has an output that is none")
        if "text" in output:
            output["text"] = _text(output["text"], f"{which}'s output")
        _join_lines(output.get("data"))


def _join_lines(data: Any) -> None:
    """A MIME bundle's text may be kept as a list of lines; JSON's own kinds may be lists in earnest."""
    for kind, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, list) and not kind.endswith("json"):
            data[kind] = _text(value, "an output")


def _text(value: Any, which: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    raise _Wrong(f"{which} is not text")


def _word(notebook: Notebook, part: str, key: str) -> str | None:
    word = notebook["metadata"].get(part, {}).get(key)
    return word if isinstance(word, str) and word else None
