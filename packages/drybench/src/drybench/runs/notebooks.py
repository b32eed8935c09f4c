"""Read a notebook that somebody handed in: plain JSON in format 4, mended, or refused with a sentence.

nbformat is not used here: its validator takes a second to import, and it accepts what no kernel can run.
"""

from __future__ import annotations

import json
import re
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
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
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
        raise _Wrong("it is nested too deeply, or a number in it is too long") from None
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
    notebook = _object(found, "what is in it")
    version = notebook.get("nbformat")
    if version in (1, 2, 3):
        raise _Old(version)
    if version != 4:
        raise _Wrong("it does not say that it is in nbformat 4")
    return notebook


def _mended(notebook: Notebook) -> Notebook:
    """With what a later minor format asks for and the older ones did not have."""
    minor = notebook.get("nbformat_minor")
    notebook["nbformat_minor"] = max(minor, 5) if isinstance(minor, int) else 5
    metadata = _object(notebook.setdefault("metadata", {}), "its metadata")
    for key in ("kernelspec", "language_info", "papermill"):
        if not isinstance(metadata.get(key, {}), dict):
            del metadata[key]
    ids: set[str] = set()
    for number, cell in enumerate(_list(notebook.get("cells"), "its cells"), start=1):
        _mend_cell(_object(cell, f"cell {number}"), f"cell {number}", ids)
    return notebook


def _mend_cell(cell: Notebook, which: str, ids: set[str]) -> None:
    if cell.get("cell_type") not in _CELL_TYPES:
        raise _Wrong(f"{which} is neither code, nor Markdown, nor raw text")
    cell["source"] = _text(cell.get("source", ""), f"the source of {which}")
    metadata = _object(cell.setdefault("metadata", {}), f"the metadata of {which}")
    for tag in _list(metadata.get("tags", []), f"the tags of {which}"):
        _text(tag, f"a tag of {which}")
    if not _fresh_id(cell.get("id"), ids):
        cell["id"] = uuid4().hex[:8]
    ids.add(cell["id"])
    if cell["cell_type"] == "code":
        _mend_code(cell, which)


def _fresh_id(id: object, ids: set[str]) -> bool:
    return isinstance(id, str) and bool(_ID.fullmatch(id)) and id not in ids


def _mend_code(cell: Notebook, which: str) -> None:
    cell.setdefault("execution_count", None)
    for output in _list(cell.setdefault("outputs", []), f"the outputs of {which}"):
        _mend_output(_object(output, f"an output of {which}"), which)


def _mend_output(output: Notebook, which: str) -> None:
    """Text may be kept as a list of lines; what is JSON in earnest stays a list."""
    if "text" in output:
        output["text"] = _text(output["text"], f"an output of {which}")
    data = _object(output.get("data", {}), f"an output of {which}")
    for kind, value in data.items():
        if isinstance(value, list) and not kind.endswith("json"):
            data[kind] = _text(cast("object", value), f"an output of {which}")


def _object(value: object, which: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{which} is not an object")
    return cast("dict[str, Any]", value)


def _list(value: object, which: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{which} are not a list")
    return cast("list[Any]", value)


def _text(value: object, which: str) -> str:
    lines = cast("list[object]", value) if isinstance(value, list) else [value]
    words = [line for line in lines if isinstance(line, str)]
    if len(words) != len(lines):
        raise _Wrong(f"{which} is not text")
    return "".join(words)


def _word(notebook: Notebook, part: str, key: str) -> str | None:
    word = notebook["metadata"].get(part, {}).get(key)
    return word if isinstance(word, str) and word else None
