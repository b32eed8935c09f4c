"""The part of `Bench` that tells with what a run worked, keeps it, repeats it and compares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict
from uuid import uuid4

from drybench_client.answers import Run
from drybench_client.calling import Calling
from drybench_client.saving import save


class Input(TypedDict):
    path: str
    size: int | None
    sha256: str | None
    note: str


class Receipt(TypedDict):
    run: str
    name: str
    person: str
    attempt: int
    again_of: str | None
    outcome: str | None
    reason: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    environment: str
    environment_digest: str | None
    packages: dict[str, str]
    packages_added: dict[str, str]
    requirements: str | None
    notebook: str
    notebook_sha256: str
    kernel: str | None
    parameters: dict[str, Any]
    inputs: list[Input]
    git: dict[str, Any] | None
    python: str
    platform: str
    machine: dict[str, Any] | None
    gpus: list[dict[str, Any]]
    gpus_asked: NotRequired[list[int]]  # the least memory of each, in bytes; an older bench does not say it
    size: str
    cores: float
    memory: int
    values: dict[str, Any]
    outputs: list[dict[str, Any]]
    notes: list[str]


class Difference(TypedDict):
    name: str
    a: Any
    b: Any


class Subject(TypedDict):
    name: str
    rows: list[Difference]
    left_out: int


class CellDifference(TypedDict):
    a: int | None
    b: int | None
    lines: list[str]


class Differences(TypedDict):
    a: str
    b: str
    subjects: list[Subject]
    cells: list[CellDifference]
    same: list[str]


class Reproducing:
    _calling: Calling

    def _run_id(self, run: str | Run) -> str:
        raise NotImplementedError

    def receipt(self, run: str | Run) -> Receipt:
        """Environment, packages, notebook, parameters, inputs, machine and times."""
        return self._calling.json("GET", f"/runs/{self._run_id(run)}/receipt")

    def crate(self, run: str | Run, file: str | Path) -> Path:
        """A run that has ended as an RO-Crate, written to this file: whole, or not at all."""
        return save(self._calling, f"/runs/{self._run_id(run)}/crate.zip", file)

    def again(self, run: str | Run, *, environment: Literal["same", "newer"] = "newer") -> Run:
        """The same notebook with the same parameters: in today's environment, or in the very one that it had."""
        asked, key = {"environment": environment}, {"Idempotency-Key": uuid4().hex}
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/again", json=asked, headers=key)

    def differences(self, a: str | Run, b: str | Run) -> Differences:
        """What differs between two runs."""
        asked = {"a": self._run_id(a), "b": self._run_id(b)}
        return self._calling.json("GET", "/runs/differences", params=asked)
