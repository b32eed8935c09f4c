"""The part of `Bench` that says what there is: environments, sizes, the machine, one's own files on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NotRequired, TypedDict

from drybench_client.calling import Calling


class Person(TypedDict):
    name: str
    groups: list[str]
    scopes: list[str]


class App(TypedDict):
    name: str
    title: str


class Environment(TypedDict):
    name: str
    title: str
    summary: str
    engine: str
    size: str  # where nobody chooses
    apps: list[App]
    kernels: list[str]


class AskedGpu(TypedDict):
    vram: int  # bytes that it has at least; 0: any will do


class Size(TypedDict):
    name: str
    title: str
    cores: float
    memory: int  # bytes
    gpus: list[AskedGpu]


class Machine(TypedDict):
    cores: float
    cores_held: float
    memory: int  # bytes
    memory_held: int
    gpus: NotRequired[int]  # an older bench does not say it
    gpus_held: NotRequired[int]
    working: int  # sessions and runs
    ready: int
    waiting: int
    people: int


class Limit(TypedDict):
    """Something that is off on this bench, and why."""

    what: str
    why: str
    setting: str | None


class Finding(TypedDict):
    """`needed`: without it the bench does not do what its settings say."""

    part: str
    stands: str  # ok, missing, wrong, not looked at
    says: str
    command: str
    step: str
    needed: bool


class Doctor(TypedDict):
    well: bool
    findings: list[Finding]


class Looking:
    _calling: Calling

    def me(self) -> Person:
        """Who one is to the bench."""
        return self._calling.json("GET", "/me")

    def environments(self) -> Iterator[Environment]:
        yield from self._calling.json("GET", "/environments")["items"]

    def sizes(self) -> Iterator[Size]:
        """How much a session or a run may have."""
        yield from self._calling.json("GET", "/sizes")["items"]

    def machine(self) -> Machine:
        """What is free, and how many wait."""
        return self._calling.json("GET", "/machine")

    def doctor(self) -> Doctor:
        """For the keeper: looks at the bench's machine, which takes some seconds."""
        return self._calling.json("GET", "/doctor")

    def limits(self) -> Iterator[Limit]:
        yield from self._calling.json("GET", "/engines")["items"]
