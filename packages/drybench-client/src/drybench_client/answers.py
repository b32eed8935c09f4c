"""What a bench answers, as it comes: plain JSON with these names."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Gpu(TypedDict):
    vram: int  # bytes that were asked for at least
    id: str | None  # which one it is, once it has been given


class Task(TypedDict):
    """What sessions and runs have in common. Times are RFC 3339 in UTC."""

    id: str
    name: str
    person: str
    phase: str  # waiting starting running ended
    wanted: str  # run stop
    outcome: str | None  # done failed stopped lost
    reason: str | None
    detail: str
    sentence: str
    next_step: str
    ahead: int
    url: str
    environment: str
    size: str
    gpus: NotRequired[list[Gpu]]  # an older bench does not say them
    created_at: str
    started_at: str | None
    ended_at: str | None
    task: str


class SessionApp(TypedDict):
    name: str
    title: str
    url: str


class Session(Task):
    app: str
    apps: NotRequired[list[SessionApp]]  # an older bench does not say them
    asked_at: NotRequired[str]  # for the last time; an older bench does not say it


class Run(Task):
    kind: str
    cell: int
    cells: int
    failed_cell: int | None
    parameters: dict[str, Any]
    attempt: int
    tags: list[str]
    priority: int
    retries: int
    starred: bool
    values: dict[str, Any] | None  # what the notebook returned
    sweep: str | None
    place: int | None  # in its sweep
    schedule: str | None
    again_of: str | None
    held_until: str | None  # it failed, and its kernel is kept
    settled: NotRequired[bool]  # its values are there, and it is not tried again; an older bench does not say it


class Parameter(TypedDict):
    name: str
    type: str
    kind: str  # whole number yes_no text lines list mapping nothing path choice other
    takes: str  # the same in words
    default: str  # as it is written in the notebook
    start: str  # the default as somebody would type it
    label: str
    help: str  # the whole comment beside it
    choices: list[Any]
    minimum: float | None
    maximum: float | None
    step: float | None
    optional: bool  # it may be nothing


class Inspected(TypedDict):
    """What a notebook says of itself."""

    parameters: list[Parameter]
    has_cell: bool
    note: str
    kernel: str | None
    language: str | None
