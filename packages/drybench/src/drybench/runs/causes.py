"""Why a task did not end as done: one sentence, what to do next, and where it happened.

What a run's result.json says is a task's word: it is bounded and stripped before anybody reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from drybench.model import Size
from drybench.phases import Reason
from drybench.quantities import bytes_in_words
from drybench.runs.cause_words import NEXT_STEPS, PACKAGES, UNSAID, WORDS

_LONGEST_WORD = 500
_LONGEST_TRACEBACK = 32_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Cause:
    sentence: str
    next_step: str
    cell: int | None = None  # its place in the notebook, from 0
    traceback: str = ""
    package: str = ""  # what would bring the module that was missing


def cause(
    reason: Reason | None,
    result: Mapping[str, Any] | None = None,
    *,
    timeout: float | None = None,
    memory: int | None = None,
    used: int | None = None,
    sizes: Sequence[Size] = (),
    exit_code: int | None = None,
    by: str | None = None,
    machine: str | None = None,
    refusal: str = "",
) -> Cause:
    """`result` is the run's result.json where there is one; the facts make the sentence say more.

    `refusal` is what it was refused with, which knows best: sentence and next step in one.
    `memory` is what its size has and `used` the most it took; of `sizes` the next larger one is named.
    """
    if reason is Reason.REJECTED and refusal:
        return Cause(plain(refusal), "")
    record = result or {}
    error = _mapping(record.get("error"))
    which = _which(record)
    facts = {
        "cell": which or "A cell",
        "where": f" in {which.lower()}" if which else "",
        "error": _named(error, _place(record)),
        "kernel": _kernel(record),
        "timeout": f" ({timeout:g} s)" if timeout else "",
        "memory": f" ({bytes_in_words(memory)})" if memory else "",
        "used": f"; the most that was seen is {bytes_in_words(used)}" if used else "",
        "larger": _larger(sizes, memory),
        "exit": f" (exit code {exit_code})" if exit_code else "",
        "by": plain(by, 100) or "somebody",
        "machine": f" {plain(machine, 100)}" if machine else "",
        "package": f"`{package}`" if (package := _package(record)) else "what is missing",
    }
    sentence, next_step = WORDS[reason] if reason else UNSAID
    if reason is Reason.CELL_ERROR:
        next_step = NEXT_STEPS.get(plain(error.get("name"), 100), next_step)
    said = _said(reason, record, memory, by)
    told = (said or _filled(sentence, facts), _filled(next_step, facts))
    return Cause(*told, _number(record.get("cell")), _traceback(error), package)


def plain(text: object, most: int = _LONGEST_WORD) -> str:
    """Text without terminal escapes and control characters, as long as it may be."""
    if not isinstance(text, str):
        return ""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text[: most * 4]))
    return text if len(text) <= most else text[:most] + " …"


def _which(record: Mapping[str, Any]) -> str:
    number = _number(record.get("cell_number"))
    return f"Cell {number}" if number is not None else ""


def _named(error: Mapping[str, Any], place: str) -> str:
    """ZeroDivisionError: division by zero (line 3)."""
    name, value = plain(error.get("name"), 100) or "an error", _one_line(error.get("value"))
    words = f"{name}: {value}" if value else name
    if place:
        return f"{words.rstrip('.')} ({place})."
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _place(record: Mapping[str, Any]) -> str:
    """The last place that is the person's own: "line 3", "cell 2, line 4, in train", "tools.py, line 12"."""
    frame = _mapping(record.get("last_frame"))
    line, file = _number(frame.get("line")), _one_line(plain(frame.get("file"), 300))
    if line is None or not file:
        return ""
    same = file == f"cell {record.get('cell_number')}"
    name = _one_line(plain(frame.get("name"), 100))
    words = ["" if same else file.rsplit("/", 1)[-1], f"line {line}", f"in {name}" if name else ""]
    return ", ".join(word for word in words if word)


def _package(record: Mapping[str, Any]) -> str:
    """A name fit for a requirements.txt, or nothing."""
    module = record.get("missing_module")
    if not isinstance(module, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", module):
        return ""
    return PACKAGES.get(module, module)


def _larger(sizes: Sequence[Size], memory: int | None) -> str:
    more = [size for size in sizes if memory and size.memory > memory]
    if not more:
        return ""
    best = min(more, key=lambda size: size.memory)
    return f" (try {best.name}, which has {bytes_in_words(best.memory)})"


def _said(reason: Reason | None, record: Mapping[str, Any], memory: int | None, by: str | None) -> str:
    """The record's own sentence, where it and the ledger speak of the same reason and it knows more."""
    if reason is None or record.get("reason") != reason or (reason is Reason.CANCELLED and by):
        return ""
    error = plain(_mapping(record.get("error")).get("name"), 100)
    if reason is Reason.CELL_ERROR and error and error != "StdinNotImplementedError":
        return ""
    said = _one_line(record.get("sentence"))
    if reason is Reason.OUT_OF_MEMORY and said and memory:
        return f"{said} Its size has {bytes_in_words(memory)}."
    return said


def _one_line(text: object) -> str:
    return " ".join(plain(text).split())


def _filled(sentence: str, facts: Mapping[str, str]) -> str:
    """Each placeholder once, by one pass: what a task said is never taken for a placeholder's filling."""
    return re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], found[0]), sentence)


def _kernel(record: Mapping[str, Any]) -> str:
    name = _one_line(plain(_mapping(record.get("kernel")).get("name"), 100))
    return f" named {name}" if name else " of the name that the notebook asks for"


def _traceback(error: Mapping[str, Any]) -> str:
    """Its end counts most: there is the line that failed."""
    lines = error.get("traceback")
    if not isinstance(lines, Sequence) or isinstance(lines, str):
        return ""
    text = "\n".join(plain(line, _LONGEST_TRACEBACK) for line in cast("Sequence[object]", lines)[-200:])
    return text if len(text) <= _LONGEST_TRACEBACK else "…\n" + text[-_LONGEST_TRACEBACK:]


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**6 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
