"""The form of New run: what was typed, what the notebook asks for, what is wrong at which field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData

from drybench.errors import DrybenchError, NoSuchFolder, ParametersWrong, Refused, TimeoutWrong, TimeWrong
from drybench.quantities import in_seconds
from drybench.runs.parameter_making import Parameter
from drybench.runs.parameters import Parameters, check
from drybench.runs.requests import RunRequest
from drybench.runs.typed_text import Problem, Unset, anything, from_text
from drybench.web.shapes import InspectedJson, ParameterJson
from drybench.web.uploads import Sent

PREFIX = "p."  # of the fields that are parameters
AT_A_FIELD: Mapping[type[DrybenchError], str] = {TimeWrong: "limit", TimeoutWrong: "limit", NoSuchFolder: "cwd"}


@dataclass(frozen=True)
class Field:
    """One parameter as the form shows it; `start` is what stands in it before anybody types."""

    name: str
    kind: str  # bool, text, lines, number, other
    start: str
    hint: str
    help: str


@dataclass(frozen=True)
class RunForm:
    name: str = ""
    environment: str = ""
    size: str = ""
    limit: str = ""  # a time in words
    cwd: str = ""
    key: str = ""
    lines: str = ""  # name=value, where the notebook's own cell cannot be read
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    found: InspectedJson | None = None
    notebook_name: str = ""
    refusal: DrybenchError | None = None
    problems: Mapping[str, str] = field(default_factory=dict[str, str])  # by the name of the form's field

    @property
    def fields(self) -> list[Field]:
        return [_field(parameter) for parameter in self.found.parameters] if self.found else []

    def with_notebook(self, found: InspectedJson, notebook_name: str) -> RunForm:
        return replace(self, found=found, notebook_name=notebook_name)

    def refused(self, refusal: DrybenchError) -> RunForm:
        where = AT_A_FIELD.get(type(refusal))
        here = {where: f"{refusal.sentence} {refusal.step}"} if where else {}
        return replace(self, refusal=refusal, problems=self._problems() | here)

    def timeout(self) -> float | None:
        """In seconds."""
        try:
            return in_seconds(self.limit) if self.limit else None
        except ValueError:
            raise TimeWrong(typed=self.limit[:40]) from None

    def parameters(self) -> dict[str, Any]:
        """Only what differs from the notebook's own defaults."""
        known = {one.name: _parameter(one) for one in self.found.parameters} if self.found else {}
        given = _lines(self.lines)
        for name, text in self.values.items():
            if name not in known or text != known[name].start:
                given[name] = _typed(text, known.get(name, Parameter(name)))
        return {name: value for name, value in given.items() if not isinstance(value, Unset)}

    def _problems(self) -> dict[str, str]:
        """Each value checked by itself by what checks them all, so that the sentence stands at its field."""
        if self.found is None:
            return {}
        known = Parameters(
            tuple(map(_parameter, self.found.parameters)),
            self.found.has_cell,
            self.found.note,
            (self.found.language or "python").lower(),
        )
        problems: dict[str, str] = {}
        for name, value in self.parameters().items():
            try:
                check(known, {name: value})
            except ParametersWrong as wrong:
                problems[PREFIX + name] = wrong.facts["problems"]
            except Refused:
                pass  # it concerns them all, and is said above the form
        return problems


def filled(form: FormData) -> RunForm:
    words = {name: value for name, value in form.items() if isinstance(value, str)}
    return RunForm(
        name=words.get("name", "").strip(),
        environment=words.get("environment", ""),
        size=words.get("size", ""),
        limit=words.get("limit", "").strip(),
        cwd=words.get("cwd", "").strip(),
        key=words.get("key", ""),
        lines=words.get("lines", ""),
        values={
            name.removeprefix(PREFIX): text.replace("\r\n", "\n")
            for name, text in words.items()
            if name.startswith(PREFIX)
        },
    )


def wanted(form: RunForm, sent: Sent) -> RunRequest:
    return RunRequest(
        notebook=sent.notebook,
        notebook_name=sent.name,
        parameters=form.parameters(),
        name=form.name or None,
        environment=form.environment or "python",
        size=form.size or None,
        timeout=form.timeout(),
        cwd=Path(form.cwd) if form.cwd else None,
    )


def _field(parameter: ParameterJson) -> Field:
    kind = {"yes_no": "bool", "whole": "number", "path": "text"}.get(parameter.kind, parameter.kind)
    if (kind == "bool" and (parameter.optional or not parameter.start)) or kind not in (
        "bool",
        "number",
        "text",
        "lines",
    ):
        kind = "other"
    return Field(parameter.name, kind, parameter.start, parameter.default, parameter.help)


def _parameter(found: ParameterJson) -> Parameter:
    return Parameter(**found.model_dump(exclude={"takes"}))


def _typed(text: str, parameter: Parameter) -> Any:
    """What does not fit goes on as it was typed, to be refused with all the rest."""
    value = from_text(parameter, text)
    return value.typed if isinstance(value, Problem) else value


def _lines(text: str) -> dict[str, Any]:
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): anything(value.strip()) if value.strip() else Unset() for name, _, value in pairs}
