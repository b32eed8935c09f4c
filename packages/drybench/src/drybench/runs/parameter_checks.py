"""Whether a value fits a parameter, and in words what would. Pure."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping
from typing import Any

from drybench.runs.parameter_making import Parameter
from drybench.runs.parameter_types import IN_WORDS, TAKES, asked, kind_of_value

_R_NAME = re.compile(r"(?:[^\W\d]|\.(?!\d))[\w.]*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS_OF: Mapping[str, frozenset[str]] = {
    "python": frozenset(keyword.kwlist),
    "r": _words("if else repeat while function for next break in TRUE FALSE NULL Inf NaN NA"),
    "julia": _words(
        "baremodule begin break catch const continue do else elseif end export false finally for function global if "
        "import let local macro module quote return struct true try using while"
    ),
}


def name_allowed(name: str, language: str) -> bool:
    """It is written into the notebook as code, so nothing but a name will do."""
    if name in _WORDS_OF.get(language, _WORDS_OF["python"]):
        return False
    return bool(_R_NAME.fullmatch(name)) if language == "r" else name.isidentifier()


def takes(parameter: Parameter) -> str:
    """`a whole number from 0 to 10, or nothing`."""
    words = _takes(parameter)
    return f"{words}, or nothing" if words not in ("", "nothing") and parameter.optional else words or "anything"


def mismatch(parameter: Parameter, value: Any) -> str | None:
    """What is wrong with the value, as the end of a sentence; None where it fits."""
    if value is None and parameter.optional:
        return None
    kinds = _kinds(parameter)
    if parameter.kind == "choice":
        fits = any(
            value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in parameter.choices
        )
        return None if fits else f"is {takes(parameter)}, not {_shown(value)}"
    if kinds and not any(value.__class__ in TAKES[kind] for kind in kinds):
        return f"is {takes(parameter)}, not {_shown(value)} ({IN_WORDS[kind_of_value(value)]})"
    if isinstance(value, int | float) and not _in_range(parameter, value):
        return f"is {takes(parameter)}, not {_shown(value)}"
    return None


def _kinds(parameter: Parameter) -> tuple[str, ...]:
    """None where anything may be meant: by a default of None, or a type that JSON does not have."""
    if parameter.kind in ("nothing", "choice"):
        return ()
    return asked(parameter.type).kinds if parameter.kind == "other" else (parameter.kind,)


def _takes(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        shown = [_shown(choice) for choice in parameter.choices[:20]]
        more = [f"{len(parameter.choices) - 20} more"] if len(parameter.choices) > 20 else []
        return "one of " + ", ".join(shown + more)
    words = " or ".join(dict.fromkeys(IN_WORDS[kind] for kind in _kinds(parameter)))
    return " ".join(word for word in (words, _range(parameter)) if word)


def _range(parameter: Parameter) -> str:
    least, most = (_number(bound) for bound in (parameter.minimum, parameter.maximum))
    words = f"from {least} to {most}" if least and most else f"of at least {least}" if least else ""
    words = words or (f"of at most {most}" if most else "")
    return f"{words} in steps of {_number(parameter.step)}" if parameter.step is not None else words


def _in_range(parameter: Parameter, value: float) -> bool:
    if parameter.minimum is not None and value < parameter.minimum:
        return False
    if parameter.maximum is not None and value > parameter.maximum:
        return False
    return parameter.step is None or _on_a_step(value, parameter.minimum or 0, parameter.step)


def _on_a_step(value: float, begin: float, step: float) -> bool:
    """0.3 is three steps of 0.1, though not to a computer."""
    try:
        steps = (value - begin) / step
        return abs(steps - round(steps)) < 1e-6
    except OverflowError:
        return True


def _number(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.12g}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:40] + "…"
