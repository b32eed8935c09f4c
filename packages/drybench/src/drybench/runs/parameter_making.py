"""One parameter as a form shows it, made from what its cell says. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from drybench.runs.parameter_cells import Written
from drybench.runs.parameter_comments import Said, said
from drybench.runs.parameter_types import Asked, asked, kind_of_value

# With one of these words at its end a name stands for a path, where its default is a text.
_A_PATH = re.compile(r"(?:.*[_.])?(?:path|file|filename|folder|dir|directory)", re.IGNORECASE)


@dataclass(frozen=True)
class Parameter:
    """`type` is the annotation's word, else that of the default; empty where nobody can tell."""

    name: str
    type: str = ""
    kind: str = "other"  # one of parameter_types.KINDS
    default: str = ""  # as it is written in the cell
    start: str = ""  # the default as somebody would type it; empty for none, and for what is computed
    label: str = ""  # what the comment beside it says to people
    help: str = ""  # the whole comment, as papermill has it
    choices: Sequence[Any] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    optional: bool = False  # it may be nothing (None, NULL)


def made(written: Written, language: str) -> Parameter:
    comment = said(written.comment)
    annotation = "".join(_spaced(token.text) for token in written.annotation).strip() or comment.type
    about = _asked(written, annotation)
    type = annotation.strip("'\"") or written.type
    kind = "lines" if about.kind == "text" and kind_of_value(written.value) == "lines" else about.kind
    found = Parameter(written.name, type, kind, written.default, label=comment.help, help=comment.help)
    found = replace(found, choices=about.choices, optional=about.optional)
    return _started(_with_comment(found, comment, written.value), written, language)


def _spaced(text: str) -> str:
    """As Python's own writes an annotation: `int | None`, `dict[str, int]`."""
    return f" {text} " if text == "|" else f"{text} " if text == "," else text


def _asked(written: Written, annotation: str) -> Asked:
    """By the annotation, else by the default; a default of None may stay, whatever the annotation says."""
    nothing = written.type in ("NoneType", "NULL", "Nothing")
    if annotation:
        about = asked(annotation)
        return replace(about, optional=True) if nothing else about
    if written.type == "Path":
        return Asked(("path",))
    if nothing or not written.type:
        return Asked(optional=nothing)
    kind = kind_of_value(written.value)
    return Asked(("text",) if kind == "lines" else (kind,))


def _with_comment(found: Parameter, comment: Said, default: Any) -> Parameter:
    """What the comment says, where it can be meant of a parameter of this kind."""
    if found.kind == "choice":
        return replace(found, choices=_with_default(found.choices, default))
    if comment.choices and (choices := _fitting(found.kind, comment.choices)):
        return replace(found, kind="choice", choices=_with_default(choices, default), label=comment.label)
    if (comment.minimum, comment.maximum) != (None, None) and found.kind in ("whole", "number"):
        bounds = {"minimum": comment.minimum, "maximum": comment.maximum, "step": comment.step}
        return replace(found, label=comment.label, **bounds)
    if comment.path and found.kind in ("text", "nothing", "other", "path"):
        return replace(found, kind="path", label=comment.label)
    if found.kind == "text" and _A_PATH.fullmatch(found.name):
        return replace(found, kind="path")
    return found


def _fitting(kind: str, choices: Sequence[Any]) -> tuple[Any, ...]:
    """The choices as values of this kind; none where they cannot be meant."""
    if kind in ("text", "path"):
        return tuple(choice if isinstance(choice, str) else json.dumps(choice) for choice in choices)
    numbers = {"whole": (int,), "number": (int, float)}.get(kind)
    if numbers:
        return tuple(choices) if all(choice.__class__ in numbers for choice in choices) else ()
    return tuple(choices) if kind in ("nothing", "other") else ()


def _with_default(choices: Sequence[Any], default: Any) -> tuple[Any, ...]:
    """Each once; a default that is none of them can be chosen as well."""
    words = {json.dumps(choice): choice for choice in choices}
    if isinstance(default, str | int | float):
        words = words if json.dumps(default) in words else {json.dumps(default): default} | words
    return tuple(words.values())


def _started(found: Parameter, written: Written, language: str) -> Parameter:
    return replace(found, start=_start(written, language)) if written.type else found


def _start(written: Written, language: str) -> str:
    value = written.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return written.default.removesuffix("L")
    as_written = language == "python" and "\n" not in written.default
    return written.default if as_written else json.dumps(value, ensure_ascii=False)
