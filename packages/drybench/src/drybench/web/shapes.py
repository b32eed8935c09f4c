"""The JSON that the API speaks: the twins of what pages show, and nothing that a page does not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from drybench import gpus
from drybench.model import App, Environment, Person, Run, Session, Size, TaskRow, Tell
from drybench.phases import Phase
from drybench.runs.causes import Cause
from drybench.runs.parameter_checks import takes
from drybench.runs.parameter_making import Parameter
from drybench.runs.requests import RunRequest
from drybench.web import screen
from drybench.web.machine import Machine

Item = TypeVar("Item")
Time = Annotated[datetime, PlainSerializer(screen.rfc3339, return_type=str)]


class Items(BaseModel, Generic[Item]):
    """One part of a list; `next` is the cursor of the part after it, null at the end."""

    items: Sequence[Item]
    next: str | None = None


class Ask(BaseModel):
    """What a program sends. It has no fields that nobody knows, and its text can be written down."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, said: Any) -> Any:
        """JSON can spell half a letter (a lone surrogate), and no file, database or answer can hold it."""
        try:
            json.dumps(said, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise ValueError("it has half a letter in it") from None
        return said


class AgainAsk(Ask):
    """Today's environment, or the very one that the run had."""

    environment: Literal["same", "newer"] = "newer"


class Problem(BaseModel):
    """Every error: a code for programs, a sentence and a next step for people."""

    code: str
    sentence: str
    next_step: str


class PersonJson(BaseModel):
    name: str
    groups: Sequence[str]
    scopes: Sequence[str]

    @classmethod
    def of(cls, person: Person) -> PersonJson:
        return cls(name=person.name, groups=sorted(person.groups), scopes=sorted(person.scopes))


class AppJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str


class SessionAppJson(AppJson):
    url: str


class EnvironmentJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str
    summary: str
    engine: str
    size: str
    apps: Sequence[AppJson]
    kernels: Sequence[str] = ()

    @classmethod
    def of(cls, environment: Environment, kernels: Sequence[str]) -> EnvironmentJson:
        return cls.model_validate(environment).model_copy(update={"kernels": list(kernels)})


class GpuAsk(Ask):
    """One GPU with at least so many bytes of its own memory; 0: any will do."""

    vram: int = Field(default=0, ge=0, lt=1 << 63)


AskedGpus = Annotated[list[GpuAsk], Field(max_length=64, description="Beside those of the size")]


class SizeJson(BaseModel):
    """Memory in bytes."""

    name: str
    title: str
    cores: float
    memory: int
    gpus: Sequence[GpuAsk]

    @classmethod
    def of(cls, size: Size) -> SizeJson:
        gpus = [GpuAsk(vram=memory) for memory in size.gpus]
        return cls(name=size.name, title=size.title, cores=size.cores, memory=size.memory, gpus=gpus)


class GpuJson(BaseModel):
    """One that was asked for, and which it is, once it has been given."""

    vram: int
    id: str | None

    @classmethod
    def of(cls, task: TaskRow) -> Sequence[GpuJson]:
        return [cls(vram=vram, id=id) for vram, id in zip_longest(gpus.asked(task.spec), task.gpus)]


class TaskJson(BaseModel):
    """What sessions and runs have in common."""

    id: str
    name: str
    person: str
    phase: str
    wanted: str
    outcome: str | None
    reason: str | None
    detail: str
    sentence: str
    next_step: str
    ahead: int
    url: str
    environment: str
    size: str
    gpus: Sequence[GpuJson]
    created_at: Time
    started_at: Time | None
    ended_at: Time | None
    task: str


class SessionJson(TaskJson):
    """`created_at` is when it was first asked for, `asked_at` when for the last time."""

    app: str
    apps: Sequence[SessionAppJson]  # that it was started with
    asked_at: Time

    @classmethod
    def of(
        cls, session: Session, url: str, ahead: int, cause: Cause | None, apps: Sequence[tuple[App, str]]
    ) -> SessionJson:
        shown = [SessionAppJson(name=app.name, title=app.title, url=url) for app, url in apps]
        asked_at = session.task.created_at
        return cls(app=session.app, apps=shown, asked_at=asked_at, url=url, **_common(session, ahead, cause))


class RunJson(TaskJson):
    kind: str
    cell: int
    cells: int
    failed_cell: int | None
    parameters: Mapping[str, Any]
    attempt: int
    tags: Sequence[str]
    priority: int
    retries: int
    starred: bool
    values: Mapping[str, Any] | None
    sweep: str | None
    place: int | None
    schedule: str | None
    again_of: str | None
    held_until: Time | None  # it failed, and its kernel is kept
    settled: bool  # all that follows from its end has been done: its values are there, and it is not tried again

    @classmethod
    def of(cls, run: Run, url: str, ahead: int, cause: Cause | None) -> RunJson:
        return cls(
            kind=run.kind,
            cell=run.cell,
            cells=run.cells,
            failed_cell=run.failed_cell,
            parameters=run.parameters,
            attempt=run.attempt,
            tags=run.tags,
            priority=run.task.priority,
            retries=run.retries,
            starred=run.starred_at is not None,
            values=run.values,
            sweep=run.sweep_id,
            place=run.place,
            schedule=run.schedule_id,
            again_of=run.again_of,
            held_until=run.held_until if run.task.phase is Phase.RUNNING else None,
            settled=run.settled_at is not None,
            url=url,
            **_common(run, ahead, cause),
        )


class FileJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    path: str
    size: int
    modified: float


class JournalJson(BaseModel):
    """Events since an offset; ask next time from `next`."""

    events: Sequence[Mapping[str, Any]]
    next: int
    ended: bool


class ParameterJson(BaseModel):
    """What a form needs to ask for one parameter."""

    name: str
    type: str  # the word of its annotation or default; may be empty
    kind: str  # whole number yes_no text lines list mapping nothing path choice other
    takes: str  # the same in words: a whole number from 0 to 10, or nothing
    default: str  # as it is written in the notebook
    start: str  # the default as somebody would type it
    label: str
    help: str  # the whole comment beside it
    choices: Sequence[Any]
    minimum: int | float | None
    maximum: int | float | None
    step: int | float | None
    optional: bool

    @classmethod
    def of(cls, parameter: Parameter) -> ParameterJson:
        return cls.model_validate({**vars(parameter), "takes": takes(parameter)})


class InspectedJson(BaseModel):
    """What a notebook says of itself."""

    parameters: Sequence[ParameterJson]
    has_cell: bool
    note: str
    kernel: str | None
    language: str | None


class MachineJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    cores: float
    cores_held: float
    memory: int
    memory_held: int
    gpus: int
    gpus_held: int
    working: int
    ready: int
    ready_sessions: int
    waiting: int
    people: int

    @classmethod
    def of(cls, machine: Machine) -> MachineJson:
        return cls.model_validate(machine)


class LimitJson(BaseModel):
    """Something that is off on this bench, or a way of working that is on, and why."""

    what: str
    why: str
    setting: str | None = None  # that decides it, where one does
    on: bool = False


class SessionAsk(Ask):
    """`name` is the environment's, or that with a number, when not given."""

    environment: str = "python"
    app: str = "lab"
    name: str | None = None
    size: str | None = None
    gpus: AskedGpus = []


class TellJson(Ask):
    """When one is told, and by which of one's channels; none named: by all of them."""

    on: str
    channels: Sequence[str] = ()


class RunAsk(Ask):
    """The field `request` of the form that asks for a run.

    Instead of a file the notebook can be named: by its `path` on the bench's machine, where runs are of the
    asker's own account, or by `from_run`, an earlier run of theirs.
    """

    path: str | None = Field(default=None, max_length=4000)
    from_run: str | None = Field(default=None, max_length=100)

    parameters: dict[str, Any] = {}
    name: str | None = None
    environment: str = "python"
    size: str | None = None
    gpus: AskedGpus = []
    timeout: float | None = None
    cell_timeout: float | None = None
    requirements: str = ""
    retries: int = 0
    retry_any: bool = False
    tags: list[str] = []
    priority: int = 0
    hold: float = 0
    tell: TellJson | None = None
    allow_errors: bool = False
    folder: str | None = None
    alone: bool = False
    cwd: str | None = None

    def request(self, notebook: bytes, notebook_name: str, requirements: str = "") -> RunRequest:
        """`requirements` came as a file of its own; else those that are written here count."""
        return RunRequest(
            notebook=notebook,
            notebook_name=notebook_name,
            parameters=self.parameters,
            name=self.name,
            environment=self.environment,
            size=self.size,
            gpus=tuple(one.vram for one in self.gpus),
            timeout=self.timeout,
            cell_timeout=self.cell_timeout,
            requirements=requirements or self.requirements,
            retries=self.retries,
            retry_any=self.retry_any,
            tags=tuple(self.tags),
            priority=self.priority,
            hold=self.hold,
            tell=Tell(self.tell.on, tuple(self.tell.channels)) if self.tell else None,
            allow_errors=self.allow_errors,
            folder=Path(self.folder) if self.folder else None,
            alone=self.alone,
            cwd=Path(self.cwd) if self.cwd else None,
        )


def _common(thing: Session | Run, ahead: int, cause: Cause | None) -> dict[str, Any]:
    task: TaskRow = thing.task
    return {
        "id": thing.id,
        "name": thing.name,
        "person": thing.person,
        "phase": task.phase.word,
        "wanted": task.wanted.value,
        "outcome": task.outcome and task.outcome.value,
        "reason": task.reason and task.reason.value,
        "detail": task.detail,
        "sentence": cause.sentence if cause else screen.silence(task),
        "next_step": cause.next_step if cause else "",
        "ahead": ahead,
        "environment": thing.environment,
        "size": thing.size,
        "gpus": GpuJson.of(task),
        "created_at": thing.created_at,
        "started_at": task.started_at,
        "ended_at": task.ended_at,
        "task": task.id,
    }
