"""The form of New run: the notebooks that were chosen, what was typed, what is wrong at which field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData

from drybench.errors import (
    DrybenchError,
    GpuWrong,
    NoSuchFolder,
    NoSuchGpu,
    RequirementsWrong,
    RunAskWrong,
    TimeoutWrong,
    TimeWrong,
)
from drybench.quantities import bytes_in_words, in_seconds, seconds_in_words
from drybench.runs import requests
from drybench.runs.requests import RunRequest
from drybench.web import gpu_form, run_fields, sweep_form, tell_form, when_form
from drybench.web.run_fields import Field
from drybench.web.shapes import InspectedJson
from drybench.web.sweep_form import SweepForm
from drybench.web.tell_form import TellForm
from drybench.web.when_form import WhenForm

MOST = 50  # notebooks at once
OF_A_NOTEBOOK = re.compile(r"n\.([0-9a-z]{1,40})\.(source|name|lines|p\..+)", re.DOTALL)
AT_A_FIELD: Mapping[type[DrybenchError], str] = {
    NoSuchFolder: "cwd",
    RequirementsWrong: "requirements",
    NoSuchGpu: gpu_form.FIELD,
}


@dataclass(frozen=True)
class NotebookForm:
    """One notebook and its own values. `id` is of this choice: a second press asks for nothing twice."""

    id: str
    source: str  # where its bytes are: `kept:ID`, `path:/x.ipynb`, `run:ID`, `sweep:ID`
    name: str
    found: InspectedJson | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    lines: str = ""  # name=value, where the notebook's own cell cannot be read
    refusal: DrybenchError | None = None
    problems: Mapping[str, str] = field(default_factory=dict[str, str])  # by the parameter's name

    @property
    def fields(self) -> list[Field]:
        there = self.found.parameters if self.found else ()
        return [run_fields.field(one, self.values.get(one.name, "")) for one in there]

    @property
    def path(self) -> str:
        """Where it lies on this machine, if it is the person's own file."""
        return self.source.removeprefix("path:") if self.source.startswith("path:") else ""

    def parameters(self) -> dict[str, Any]:
        return run_fields.values_of(self.values, self.lines, self.found)

    def refused(self, refusal: DrybenchError) -> NotebookForm:
        return replace(self, refusal=refusal, problems=self._problems())

    def _problems(self) -> dict[str, str]:
        """Each by itself, so that the sentence stands at its field."""
        known = self.found.parameters if self.found else ()
        said = {one.name: run_fields.problem(one, self.values.get(one.name, "")) for one in known}
        return {name: problem for name, problem in said.items() if problem}


@dataclass(frozen=True)
class Made:
    """What came of one notebook."""

    name: str
    what: str  # run, sweep, schedule
    address: str


@dataclass(frozen=True)
class RunForm:
    notebooks: tuple[NotebookForm, ...] = ()
    name: str = ""
    environment: str = ""
    size: str = ""
    gpus: tuple[str, ...] = ()  # the least memory of each
    requirements: str = ""
    limit: str = ""  # times in words
    cell_limit: str = ""
    hold: str = ""
    retries: str = ""
    retry_any: bool = False
    tags: str = ""  # with commas between them
    priority: str = ""
    allow_errors: bool = False
    alone: bool = False
    cwd: str = ""
    when: WhenForm = field(default_factory=WhenForm)
    tell: TellForm = field(default_factory=TellForm)
    sweep: SweepForm = field(default_factory=SweepForm)
    made: tuple[Made, ...] = ()
    not_taken: tuple[DrybenchError, ...] = ()  # what was chosen and is no notebook that can be run
    refusal: DrybenchError | None = None
    problems: Mapping[str, str] = field(default_factory=dict[str, str])  # by the name of the form's field

    @property
    def one(self) -> NotebookForm | None:
        """The only notebook, where it is one."""
        return self.notebooks[0] if len(self.notebooks) == 1 else None

    @property
    def fields(self) -> list[Field]:
        """What a sweep can vary."""
        return self.one.fields if self.one else []

    @property
    def more(self) -> bool:
        """Something is set that stands below More."""
        typed = (self.limit, self.cell_limit, self.hold, self.retries.strip("0"), self.tags, self.priority.strip("0"))
        return any(typed) or self.retry_any or self.allow_errors or self.alone or bool(self.cwd)

    def refused(self, refusal: DrybenchError, hold_most: float = 0) -> RunForm:
        where = AT_A_FIELD.get(type(refusal)) or refusal.facts.get("field")
        here = {where: said(refusal)} if where else {}
        return replace(self, refusal=refusal, problems=self.wishes_wrong(hold_most) | here)

    def wishes_wrong(self, hold_most: float) -> dict[str, str]:
        """What does not fit of all that is the same for all notebooks, by field."""
        problems = dict[str, str]()
        for name, (wish, read) in WISHES.items():
            try:
                requests.check(RunRequest(b"", **{wish: read(self)}), hold_most)
            except (TimeWrong, TimeoutWrong, RunAskWrong, GpuWrong) as wrong:
                problems[name] = said(wrong)
        return problems

    def request(self, notebook: NotebookForm, content: bytes, **where_from: Any) -> RunRequest:
        """`where_from`: the folder that it comes from, the run that it was."""
        wishes = {wish: read(self) for wish, read in WISHES.values()}
        return RunRequest(
            notebook=content,
            notebook_name=notebook.name,
            parameters=notebook.parameters(),
            name=(self.name or None) if self.one else None,
            environment=self.environment or "python",
            size=self.size or None,
            requirements=self.requirements,
            retry_any=self.retry_any,
            tell=self.tell.tell,
            allow_errors=self.allow_errors,
            alone=self.alone,
            cwd=Path(self.cwd) if self.cwd else None,
            **wishes,
            **where_from,
        )


def filled(form: FormData, table: bytes = b"") -> RunForm:
    words = {name: value.replace("\r\n", "\n") for name, value in form.items() if isinstance(value, str)}
    return RunForm(
        notebooks=_notebooks(words),
        environment=words.get("environment", ""),
        size=words.get("size", ""),
        gpus=gpu_form.filled(form),
        requirements=words.get("requirements", "").strip("\n"),
        retry_any="retry_any" in words,
        allow_errors="allow_errors" in words,
        alone="alone" in words,
        when=when_form.filled(words),
        tell=tell_form.filled(words),
        sweep=sweep_form.filled(form, table),
        **{name: words.get(name, "").strip() for name in _TYPED},  # type: ignore[arg-type] - all are text
    )


def prefilled(request: RunRequest) -> RunForm:
    """As it would have been typed; its notebook is put in by whoever knows where that lies."""
    return RunForm(
        name=request.name or "",
        environment=request.environment,
        size=request.size or "",
        gpus=tuple(bytes_in_words(memory) if memory else "any" for memory in request.gpus),
        requirements=request.requirements,
        limit=_time(request.timeout),
        cell_limit=_time(request.cell_timeout),
        hold=_time(request.hold),
        retries=str(request.retries or ""),
        retry_any=request.retry_any,
        tags=", ".join(request.tags),
        priority=str(request.priority),
        allow_errors=request.allow_errors,
        alone=request.alone,
        cwd=str(request.cwd or ""),
        tell=TellForm(request.tell.on, tuple(request.tell.channels)) if request.tell else TellForm(),
    )


def said(refusal: DrybenchError) -> str:
    return f"{refusal.sentence} {refusal.step}"


def _notebooks(words: Mapping[str, str]) -> tuple[NotebookForm, ...]:
    """In the order in which their fields stand."""
    found = dict[str, dict[str, str]]()
    for field_name, text in words.items():
        if fits := OF_A_NOTEBOOK.fullmatch(field_name):
            found.setdefault(fits[1], {})[fits[2]] = text
    return tuple(_notebook(id, typed) for id, typed in found.items() if "source" in typed)


def _notebook(id: str, typed: Mapping[str, str]) -> NotebookForm:
    values = {name.removeprefix("p."): text for name, text in typed.items() if name.startswith("p.")}
    given = {name: text for name, text in values.items() if text.strip()}
    return NotebookForm(id, typed["source"], typed.get("name", ""), values=given, lines=typed.get("lines", ""))


def _time(seconds: float | None) -> str:
    return seconds_in_words(seconds) if seconds else ""


def _seconds(name: str) -> Callable[[RunForm], float | None]:
    def read(form: RunForm) -> float | None:
        typed = getattr(form, name)
        try:
            return in_seconds(typed) if typed else None
        except ValueError:
            raise TimeWrong(typed=typed[:40], field=name) from None

    return read


def _whole(name: str) -> Callable[[RunForm], int]:
    def read(form: RunForm) -> int:
        typed = getattr(form, name)
        try:
            return int(typed or 0)
        except ValueError:
            raise RunAskWrong(problem=f"“{typed[:40]}” is no whole number", field=name) from None

    return read


def _tags(form: RunForm) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in form.tags.split(",") if tag.strip()))


_TYPED = ("name", "limit", "cell_limit", "hold", "retries", "tags", "priority", "cwd")
# The form's field, what it is of a request, and how it is read.
WISHES: Mapping[str, tuple[str, Callable[[RunForm], Any]]] = {
    "limit": ("timeout", _seconds("limit")),
    "cell_limit": ("cell_timeout", _seconds("cell_limit")),
    "hold": ("hold", lambda form: _seconds("hold")(form) or 0),
    "retries": ("retries", _whole("retries")),
    "priority": ("priority", _whole("priority")),
    "tags": ("tags", _tags),
    gpu_form.FIELD: ("gpus", lambda form: gpu_form.read(form.gpus)),
}
