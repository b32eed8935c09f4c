"""Whether a value is of the type that a parameter's annotation or default asks for. Pure."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

_TAKES: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),  # and a bool is no int here, though Python says so
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "None": (type(None),),
}
_ALSO_CALLED = {"tuple": "list", "set": "list", "sequence": "list", "mapping": "dict"}
_IN_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "names with values",
    type(None): "nothing",
}


def type_of(default: str) -> str:
    """The type's name of a default as it is written; empty where it is computed, for any value may be meant."""
    try:
        return type(ast.literal_eval(default)).__name__
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ""


def mismatch(type: str, default: str, value: Any) -> str | None:
    """What is wrong with the value, as the end of a sentence; None where it fits. A default of None takes any."""
    kinds = [] if default == "None" else _kinds(type)
    if not kinds or any(value.__class__ in _TAKES[kind] for kind in kinds):
        return None
    wanted = " or ".join(_IN_WORDS[_TAKES[kind][-1]] for kind in kinds)
    return f"is {wanted}, not {_shown(value)}"


def _kinds(annotation: str) -> list[str]:
    """The types it names; none where it names one that JSON does not have, such as Any or Path."""
    kinds = [_kind(word) for word in _flat(annotation).split("|")]
    return kinds if all(kind in _TAKES for kind in kinds) else []


def _flat(annotation: str) -> str:
    """Optional[int] is int|None, Union[int, str] is int|str, dict[str, list[int]] is dict."""
    flat = re.sub(r"^(?:\w+\.)?Optional\[(.*)\]$", r"\1|None", annotation.strip("'\" "))
    if union := re.match(r"^(?:\w+\.)?Union\[([^\[\]]*)\]$", flat):
        flat = union[1].replace(",", "|")
    while (less := re.sub(r"\[[^\[\]]*\]", "", flat)) != flat:
        flat = less
    return flat


def _kind(word: str) -> str:
    name = word.strip().rsplit(".", 1)[-1]
    if name == "None":
        return name
    return _ALSO_CALLED.get(name.lower(), name.lower())


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"{text if len(text) <= 40 else text[:40] + '…'} ({_IN_WORDS[value.__class__]})"
