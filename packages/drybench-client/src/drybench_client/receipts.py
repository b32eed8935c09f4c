"""The part of `Bench` that tells with what a run worked, keeps it, repeats it and compares it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Literal, TypedDict
from uuid import uuid4

from drybench_client import errors
from drybench_client.answers import Run
from drybench_client.calling import Calling


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
        target, id = Path(file), self._run_id(run)
        try:
            descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.absolute().parent)
        except OSError as error:
            raise _not_written(target, error) from None
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as new, self._calling.stream(f"/runs/{id}/crate.zip") as blocks:
                for block in blocks:
                    new.write(block)
            aside.replace(target)
        except OSError as error:
            raise _not_written(target, error) from None
        finally:
            aside.unlink(missing_ok=True)
        return target

    def again(self, run: str | Run, *, environment: Literal["same", "newer"] = "newer") -> Run:
        """The same notebook with the same parameters: in today's environment, or in the very one that it had."""
        asked, key = {"environment": environment}, {"Idempotency-Key": uuid4().hex}
        return self._calling.json("POST", f"/runs/{self._run_id(run)}/again", json=asked, headers=key)

    def differences(self, a: str | Run, b: str | Run) -> Differences:
        """What differs between two runs."""
        asked = {"a": self._run_id(a), "b": self._run_id(b)}
        return self._calling.json("GET", "/runs/differences", params=asked)


def _not_written(file: Path, error: OSError) -> errors.Refused:
    step = "Name a file in a folder that is there and where you may write."
    return errors.Refused("output_wrong", f"{file} cannot be written: {error.strerror}.", step)
