"""Reads IPython's tracebacks: where in the person's own code it happened, and what could not be imported. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from drybench_runner.record import CellError, Frame

_STYLE = re.compile(r"\x1b\[[\d;]*m")
_CELL = re.compile(r"^ *Cell In ?\[(\d+)\], line (\d+)(?:, in ([^\n]+))?", re.MULTILINE)
_FILE = re.compile(r"^File (.+?):(\d+)(?:, in ([^\n]+))?$", re.MULTILINE)
_ARROW = re.compile(r"^-*> *(\d+) ?(.*)$", re.MULTILINE)
_FOREIGN = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|^<|/ipykernel_\d+/|\.pyx$")
_LONGEST = 300


def last_own_frame(traceback: Sequence[str], numbers: Mapping[int, int], number: int | None) -> Frame | None:
    """`numbers` says which cell the kernel calls In[…]; `number` is the cell that runs."""
    found = None
    for frame in _frames(_STYLE.sub("", "\n".join(traceback)), numbers, number):
        if not _FOREIGN.search(frame.file):
            found = frame
    return found


def named(error: CellError) -> CellError:
    """Where the kernel names no error (an object that cannot be shown) or says nothing of it, its traceback does."""
    if (error.name not in ("", "NoneType") and error.value) or not error.traceback:
        return error
    last = _STYLE.sub("", "\n".join(error.traceback)).strip().rsplit("\n", 1)[-1]
    found = re.fullmatch(r"([A-Za-z_][\w.]*)(?:: (.*))?", last)
    return CellError(found[1], found[2] or "", error.traceback) if found else error


def missing_module(error: CellError) -> str | None:
    """The package that an import did not find."""
    if error.name not in ("ModuleNotFoundError", "ImportError"):
        return None
    found = re.match(r"No module named '?([\w.]+)", error.value)
    return found[1].split(".")[0][:100] if found else None


def _frames(text: str, numbers: Mapping[int, int], number: int | None) -> Iterator[Frame]:
    places = sorted([*_CELL.finditer(text), *_FILE.finditer(text)], key=lambda found: found.start())
    for place, after in zip(places, [*places[1:], None], strict=False):
        line, name = int(place[2]), _function(place[3])
        lines = text[place.end() : after.start() if after else len(text)]
        code = next((arrow[2].strip() for arrow in _ARROW.finditer(lines) if int(arrow[1]) == line), "")
        file = place[1]
        if place.re is _CELL:
            file = f"cell {numbers.get(int(place[1]), number or 0)}"
        yield Frame(file[:_LONGEST], line, name, code[:_LONGEST])


def _function(words: str | None) -> str:
    """`train(data)` is train; the top of a cell or a file has none."""
    name = (words or "").split("(")[0].strip()
    return "" if name.startswith("<") else name[:100]
