"""Why a task did not end as done: one sentence, what to do next, and where it happened.

What a run's result.json says is a task's word: it is bounded and stripped before anybody reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from drybench.phases import Reason
from drybench.quantities import bytes_in_words

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


WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.CELL_ERROR: ("{cell} stopped with {error}", "Mend that cell and run the notebook again."),
    Reason.TIMED_OUT: (
        "It took longer than its time{timeout} and was stopped{where}.",
        "Run it again with more time (--timeout), or make the notebook do less.",
    ),
    Reason.OUT_OF_MEMORY: (
        "It used more memory than its size allows{memory}.",
        "Run it again in a larger size, or load less data at once.",
    ),
    Reason.DISK_FULL: (
        "The disk that keeps its results is full.",
        "Remove runs and files that nobody needs, then run it again.",
    ),
    Reason.KERNEL_DIED: (
        "Its kernel died{where}.",
        "A library may have crashed: look at the log, and run that cell in a session to see it happen.",
    ),
    Reason.NO_SUCH_KERNEL: (
        "The environment has no kernel{kernel}.",
        "Choose an environment that has it, or save the notebook with a kernel that this one has.",
    ),
    Reason.INPUT_MISSING: (
        "A file that it needs is not there.",
        "A notebook finds what lies beside it, unless it was sent alone; with --cwd FOLDER it works in that folder.",
    ),
    Reason.RUNNER_DIED: (
        "The program that ran it ended before it could write down the result{exit}.",
        "What it did so far is kept. Look at the log, then run it again.",
    ),
    Reason.EXITED: ("Its program ended by itself{exit}.", "Look at the log for what it said last."),
    Reason.KILLED: (
        "Something outside this bench ended it{exit}.",
        "Run it again; if it happens once more, ask the keeper of this machine.",
    ),
    Reason.REJECTED: (
        "The engine did not take it.",
        "Choose another size or environment, or ask the keeper of this bench.",
    ),
    Reason.START_FAILED: (
        "It could not be started.",
        "Try it again; if it happens once more, the log tells the keeper of this bench why.",
    ),
    Reason.RECORD_UNREADABLE: (
        "It ended, but what it wrote about its result cannot be read.",
        "Its files are kept as they are. Look at the log, then run it again.",
    ),
    Reason.WATCHER_DIED: (
        "What watched over it was ended, so nobody knows how it went.",
        "What it did so far is kept. Look at it, then run it again.",
    ),
    Reason.MACHINE_GONE: (
        "The machine went away while it ran.",
        "What it did so far is kept. Run it again when the machine is back.",
    ),
    Reason.CANCELLED: ("It was stopped because somebody asked for it.", "Run it again if you want it after all."),
}
_UNSAID = ("It did not end well, and nobody knows why.", "Look at the log, then run it again.")
_NEXT_STEPS = {
    "FileNotFoundError": WORDS[Reason.INPUT_MISSING][1],
    "ModuleNotFoundError": "Put `%pip install NAME` into the first cell, or choose an environment that has it.",
    "MemoryError": WORDS[Reason.OUT_OF_MEMORY][1],
}


def cause(
    reason: Reason | None,
    result: Mapping[str, Any] | None = None,
    *,
    timeout: float | None = None,
    memory: int | None = None,
    exit_code: int | None = None,
) -> Cause:
    """`result` is the run's result.json where there is one; the facts make the sentence say more."""
    record = result or {}
    error = _mapping(record.get("error"))
    which = _which(record)
    facts = {
        "cell": which or "A cell",
        "where": f" in {which.lower()}" if which else "",
        "error": _named(error),
        "kernel": _kernel(record),
        "timeout": f" ({timeout:g} s)" if timeout else "",
        "memory": f" ({bytes_in_words(memory)})" if memory else "",
        "exit": f" (exit code {exit_code})" if exit_code else "",
    }
    sentence, next_step = WORDS[reason] if reason else _UNSAID
    if reason is Reason.CELL_ERROR:
        next_step = _NEXT_STEPS.get(plain(error.get("name"), 100), next_step)
    said = _said(reason, record) if reason is not Reason.CELL_ERROR or not error else ""
    return Cause(said or _filled(sentence, facts), next_step, _number(record.get("cell")), _traceback(error))


def plain(text: object, most: int = _LONGEST_WORD) -> str:
    """Text without terminal escapes and control characters, as long as it may be."""
    if not isinstance(text, str):
        return ""
    text = _CONTROLS.sub("", _ESCAPES.sub("", text[: most * 4]))
    return text if len(text) <= most else text[:most] + " …"


def _which(record: Mapping[str, Any]) -> str:
    number = _number(record.get("cell_number"))
    return f"Cell {number}" if number is not None else ""


def _named(error: Mapping[str, Any]) -> str:
    """ZeroDivisionError: division by zero."""
    name, value = plain(error.get("name"), 100) or "an error", _one_line(error.get("value"))
    words = f"{name}: {value}" if value else name
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _said(reason: Reason | None, record: Mapping[str, Any]) -> str:
    """The record's own sentence, where the record and the ledger speak of the same reason."""
    return _one_line(record.get("sentence")) if reason is not None and record.get("reason") == reason else ""


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
