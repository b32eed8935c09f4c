"""The values everything speaks in: frozen, and free of any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from drybench.phases import Outcome, Phase, Reason, State, Wanted

SESSION: Literal["session"] = "session"
RUN: Literal["run"] = "run"
READY: Literal["ready"] = "ready"  # started ahead, and given its work by a claim
TaskKind = Literal["session", "run", "ready"]
LAB, DESKTOP, TERMINAL = "lab", "desktop", "terminal"  # apps that every session's own server knows how to show


@dataclass(frozen=True)
class Person:
    """Who asks. `id` is ours: a name deleted and made again is somebody new."""

    id: str
    name: str
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset({"custom:drybench:all"})


@dataclass(frozen=True)
class Size:
    name: str
    title: str
    cores: float
    memory: int  # bytes
    gpus: tuple[int, ...] = ()  # the least memory of each, in bytes; 0: any will do
    added_gpus: int = 0  # how many of them, the last ones, somebody asked for beside the size's

    def with_gpus(self, more: tuple[int, ...]) -> Size:
        return replace(self, gpus=(*self.gpus, *more), added_gpus=len(more))


@dataclass(frozen=True)
class App:
    name: str  # lab, desktop, terminal mean what they say; any other is the environment's own
    title: str
    command: tuple[str, ...] = ()  # of one program with a screen to itself

    @property
    def has_screen(self) -> bool:
        return self.name == DESKTOP or bool(self.command)


@dataclass(frozen=True)
class Link:
    """An address that lies on every desktop."""

    title: str
    url: str


@dataclass(frozen=True)
class Environment:
    name: str
    title: str
    summary: str
    engine: str  # the engine's name in the settings
    apps: tuple[App, ...]
    python: Path | None = None  # a Python environment on this machine: its folder
    size: str = "default"
    preload: tuple[str, ...] = ()  # modules that a kernel which stands ready has imported
    image: str | None = None  # what its containers are made from: a name with a tag
    digest: str | None = None  # of that image as it is here now; None: it is not here
    entrypoint: bool = False  # keep the image's own: it prepares what the command needs
    on: str | None = None  # the environment that it is built on
    picture: str = ""  # a file in its folder
    needs: tuple[str, ...] = ()  # in words
    background: Path | None = None  # of its desktop, where the keeper has one
    links: tuple[Link, ...] = ()  # the keeper's, on its desktop


@dataclass(frozen=True)
class Account:
    """Who a task is on its engine: numbers, for no passwd need know them."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Gpu:
    id: str
    memory: int = 0  # bytes; 0: nobody knows
    title: str = ""


@dataclass(frozen=True)
class Mount:
    source: Path
    target: Path
    read_only: bool = False


@dataclass(frozen=True)
class Surroundings:
    """Of a person's tasks on one engine: who they are there, where their home is, what they see."""

    home: Path  # as the task sees it
    account: Account | None = None  # None: the portal's own
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True)
class KeptKernel:
    """Of a failed run, for a session that is opened on it."""

    folder: Path  # `kernels/` with how to speak to it, and the copy of the notebook
    notebook: str  # that copy, as the session sees it; empty where it sees no runs
    task: Path | None = None  # what the run's task has for itself: the kernel's sockets may lie there


@dataclass(frozen=True)
class Task:
    """One command in one environment of one size: all that an engine knows."""

    id: str
    person: str  # the person's name at the Hub
    kind: TaskKind
    command: tuple[str, ...]
    workdir: Path | None = None
    python: Path | None = None  # the folder of a Python environment on this machine
    image: str | None = None  # by its digest where that is known
    entrypoint: bool = False  # keep the image's own
    account: Account | None = None  # None: the portal's own
    home: Path | None = None  # as the task sees it; None: the engine's one home
    cores: float = 1.0
    memory: int = 2 << 30
    gpu_count: int = 0  # asked for
    vram: tuple[int, ...] = ()  # bytes that each of these has at least; fewer: the rest may be any
    added_gpus: int = 0  # how many of them, the last ones, were asked for beside the size's
    gpus: tuple[str, ...] = ()  # given, when it starts
    mounts: tuple[Mount, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])  # no secret ever lies here
    needs_address: bool = False
    becomes: TaskKind = RUN  # of one that stands ready: what it can be given
    hashes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class TaskRow:
    """A task as the ledger keeps it."""

    id: str
    person_id: str
    person: str
    kind: TaskKind
    subject: str  # the session's or the run's id
    attempt: int
    engine: str
    spec: Task
    phase: Phase
    wanted: Wanted
    created_at: datetime
    cores: float
    memory: int
    gpus: tuple[str, ...] = ()
    priority: int = 0
    outcome: Outcome | None = None
    reason: Reason | None = None
    detail: str = ""
    handle: Mapping[str, Any] | None = None
    address: str | None = None
    answers: bool = False
    silent_since: datetime | None = None
    exit_code: int | None = None
    memory_used: int | None = None
    cpu_used: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stopped_by: str | None = None
    machine: str | None = None  # where the engine put it
    claimed: str | None = None  # the ready task that it took

    @property
    def stands_ready(self) -> bool:
        """Nothing is going on with it."""
        return self.kind == READY and self.phase is Phase.RUNNING and self.wanted is Wanted.RUN

    @property
    def state(self) -> State:
        return State(
            phase=self.phase,
            wanted=self.wanted,
            has_handle=self.handle is not None,
            answers=self.answers,
            needs_address=self.spec.needs_address,
            keeps_record=self.kind == RUN,
            outcome=self.outcome,
            reason=self.reason,
            detail=self.detail,
            silent_since=self.silent_since,
        )


@dataclass(frozen=True)
class Session:
    """A task with a web address; JupyterHub sees it as a named server."""

    id: str
    person_id: str
    person: str
    name: str  # 1 to 30 of a-z, 0-9 and hyphen: the Hub's server name
    environment: str
    app: str
    size: str
    created_at: datetime
    task: TaskRow
    ahead_since: datetime | None = None  # started before its person asked for it, who has not done so yet


@dataclass(frozen=True)
class Tell:
    """Who shall hear of a run's end."""

    on: str  # failure, success, both, never
    channels: tuple[str, ...] = ()  # their ids; none: all of one's own


@dataclass(frozen=True)
class Run:
    """What ends with results. It has attempts; each attempt is a task."""

    id: str
    person_id: str
    person: str
    group: str | None
    name: str
    kind: str  # notebook
    environment: str
    size: str
    parameters: Mapping[str, Any]
    created_at: datetime
    attempt: int
    task: TaskRow
    cell: int = 0  # progress: cell n of m
    cells: int = 0
    failed_cell: int | None = None
    tags: tuple[str, ...] = ()
    starred_at: datetime | None = None
    sweep_id: str | None = None
    place: int | None = None  # in its sweep
    schedule_id: str | None = None
    again_of: str | None = None  # the run that it repeats
    retries: int = 0  # further attempts, at most
    retry_any: bool = False  # also when the notebook itself failed
    notebook_hash: str = ""  # of what was handed in, before its parameters went in
    values: Mapping[str, Any] | None = None  # what it returned
    tell: Tell | None = None  # None: as its person usually wants it
    duration: float | None = None  # seconds, of one that is done
    held_until: datetime | None = None  # it failed, and its kernel is kept
    settled_at: datetime | None = None  # all that follows from its end has been done


@dataclass(frozen=True)
class Deed:
    """Who did what to what, when and from where."""

    id: str
    at: datetime
    person_id: str | None
    person: str
    origin: str  # browser, api, command line, bench itself
    deed: str
    subject_kind: str
    subject: str
    detail: str = ""
