"""One parameter as a field of a form, and what was typed into it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drybench.runs.parameter_making import Parameter
from drybench.runs.typed_text import Problem, Unset, anything, as_typed, from_text
from drybench.web.shapes import InspectedJson, ParameterJson

LONG = ("lines", "list", "mapping")
HINTS: Mapping[str, str] = {"list": "[1, 2, 3]", "mapping": '{"name": 1}'}
PLAIN = ("anything", "text", "a text", "true or false")  # goes without saying


@dataclass(frozen=True)
class Choice:
    value: str  # as it is typed
    words: str


@dataclass(frozen=True)
class Field:
    """What is left empty keeps the notebook's own default, which stands in the field as a hint."""

    name: str
    kind: str
    label: str
    hint: str
    says: str  # what it takes, below it
    default: str  # in words, where one chooses
    choices: Sequence[Choice]
    rows: int  # 0: one line


def field(parameter: ParameterJson, typed: str = "") -> Field:
    return Field(
        name=parameter.name,
        kind=parameter.kind,
        label=parameter.label,
        hint=parameter.start or parameter.default or HINTS.get(parameter.kind, ""),
        says=_says(parameter),
        default=_default(parameter),
        choices=_choices(parameter),
        rows=_rows(parameter, typed),
    )


def parameter_of(found: ParameterJson) -> Parameter:
    return Parameter(**found.model_dump(exclude={"takes"}))


def values_of(typed: Mapping[str, str], lines: str, found: InspectedJson | None) -> dict[str, Any]:
    """Only what was typed. What does not fit goes on as it was typed, to be refused with all the rest."""
    there = {one.name: parameter_of(one) for one in found.parameters} if found else {}
    read = {name: from_text(there.get(name, Parameter(name)), text) for name, text in typed.items()}
    given = {name: one.typed if isinstance(one, Problem) else one for name, one in read.items()}
    return {name: one for name, one in {**_lines(lines), **given}.items() if not isinstance(one, Unset)}


def typed_of(values: Mapping[str, Any], found: InspectedJson) -> dict[str, str]:
    """The other way round: as somebody would have typed these values."""
    there = {one.name: parameter_of(one) for one in found.parameters}
    return {name: as_typed(there.get(name, Parameter(name)), value) for name, value in values.items()}


def problem(found: ParameterJson, text: str) -> str:
    """Empty where it fits."""
    value = from_text(parameter_of(found), text)
    return value.sentence if isinstance(value, Problem) else ""


def _says(parameter: ParameterJson) -> str:
    if parameter.choices or parameter.takes in PLAIN:
        return ""
    example = HINTS.get(parameter.kind)
    return f"{parameter.takes}, such as {example}" if example else parameter.takes


def _default(parameter: ParameterJson) -> str:
    said = parameter.start or parameter.default
    return {"true": "yes", "false": "no"}.get(said, said) if parameter.kind == "yes_no" else said


def _choices(parameter: ParameterJson) -> list[Choice]:
    if parameter.kind == "yes_no":
        choices = [Choice("true", "yes"), Choice("false", "no")]
    elif parameter.kind == "choice":
        words = [one if isinstance(one, str) else json.dumps(one) for one in parameter.choices]
        choices = [Choice(word, word) for word in words]
    else:
        return []
    return [*choices, Choice("None", "nothing")] if parameter.optional else choices


def _rows(parameter: ParameterJson, typed: str) -> int:
    """A line break would be lost in a field of one line."""
    if parameter.kind in LONG or "\n" in typed:
        return min(max(typed.count("\n"), parameter.start.count("\n"), 1 if parameter.kind != "lines" else 3) + 1, 12)
    return 0


def _lines(text: str) -> dict[str, Any]:
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): anything(value.strip()) if value.strip() else Unset() for name, _, value in pairs}
