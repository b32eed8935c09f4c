"""The part of New run that asks for many runs: what was typed, and what it means. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import FormData

from drybench.errors import RequestWrong
from drybench.runs.parameter_making import Parameter
from drybench.runs.parameters import Parameters
from drybench.runs.sweep_reading import Files, SweepSaid
from drybench.runs.sweeps import Part, Plan, Rows, in_words, label

TYPED, KIND = "s.", "k."  # before a parameter's name, in the names of the form's fields
SHOWN = 3  # sets, below their number
MOST_TYPED = 50  # values in one line


@dataclass(frozen=True)
class SweepForm:
    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    csv: str = ""
    parameter: str = ""
    folder: str = ""
    pattern: str = ""
    wanted: bool = False  # the part stands open although nothing is typed yet
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    counted: str = ""

    @property
    def on(self) -> bool:
        """Something is to differ from run to run."""
        return bool(self.typed or self.csv or self.folder)

    @property
    def open(self) -> bool:
        return self.on or self.wanted

    def said(self) -> SweepSaid:
        files = [Files(self.parameter, Path(self.folder), self.pattern or "*")] if self.folder else []
        return SweepSaid(csv=self.csv or None, files=files, typed=self.typed)


def filled(form: FormData, table: bytes = b"") -> SweepForm:
    """`table` is what came as a file; it counts before what was typed."""
    words = {name: value for name, value in form.items() if isinstance(value, str)}
    typed = {name.removeprefix(TYPED): text.strip() for name, text in words.items() if name.startswith(TYPED)}
    return SweepForm(
        typed={name: text for name, text in typed.items() if text},
        csv=as_text(table) or words.get("sweep.csv", "").strip("\r\n"),
        parameter=words.get("sweep.parameter", "").strip(),
        folder=words.get("sweep.folder", "").strip(),
        pattern=words.get("sweep.pattern", "").strip(),
    )


def kinds(form: FormData) -> Parameters:
    """As much of the notebook's parameters as counting needs, without sending the notebook each time."""
    said = {name.removeprefix(KIND): str(kind) for name, kind in form.items() if name.startswith(KIND)}
    known = [Parameter(name, kind=kind) for name, kind in said.items() if kind in ("text", "lines", "path")]
    others = [Parameter(name) for name in said if name not in {one.name for one in known}]
    return Parameters((*known, *others), has_cell=bool(said), note="" if said else "not known yet")


def as_text(table: bytes) -> str:
    """UTF-8, or what a spreadsheet calls Unicode text."""
    try:
        return table.decode("utf-16" if table[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise RequestWrong(field="the table", problem="it is not text in UTF-8; save it as CSV UTF-8") from None


def count_in_words(plan: Plan) -> str:
    """12 runs: alpha=0.1_channel=a · alpha=0.1_channel=b · alpha=0.2_channel=a …"""
    number = f"{in_words(plan.count)} {'run' if plan.count == 1 else 'runs'}"
    first = " · ".join(label(chosen) for chosen in plan.sets(SHOWN))
    return f"{number}: {first}{' …' if plan.count > SHOWN else ''}"


def once_more(plan: Plan) -> SweepForm:
    """The fields of a sweep that was, to be asked for again with changes. What is no short list becomes a table."""
    short = {part.names[0]: text for part in plan.parts if (text := _as_typed(part))}
    long = Plan(tuple(part for part in plan.parts if part.names[0] not in short))
    return SweepForm(typed=short, csv=_as_table(long) if long.parts else "", wanted=True)


def _as_typed(part: Part) -> str:
    """Empty where it cannot be typed in a line."""
    if isinstance(part, Rows) or part.count > MOST_TYPED:
        return ""
    values = [part.at(place)[part.names[0]] for place in range(part.count)]
    words = [value if isinstance(value, str) else json.dumps(value) for value in values]
    quoted = [f"'{word}'" if set(word) & set(',[]{}()"') or word != word.strip() else word for word in words]
    fits = not any("'" in word or "\n" in word or not word or ".." in word for word in words)
    return ", ".join(quoted) if fits else ""


def _as_table(plan: Plan) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, plan.names, lineterminator="\n")
    writer.writeheader()
    for chosen in plan.sets():
        writer.writerow({name: one if isinstance(one, str) else json.dumps(one) for name, one in chosen.items()})
    return table.getvalue()
