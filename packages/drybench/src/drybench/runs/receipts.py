"""The receipt of a run: with what it worked, on what, and what came of it, so that it can be had again.

What the portal knows itself comes from ledger and `given/`. What only the task could see is in its
receipt.json, and that is hostile: bounded, checked field by field, and left out where it makes no sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, TypeAdapter, ValidationError

from drybench import gpus
from drybench.errors import RecordUnreadable
from drybench.model import Run
from drybench.runs.requirement_lines import MOST_BYTES
from drybench.runs.run_folder import OutputFile, RunFolders

MOST_OF_A_RECEIPT = 8 << 20  # bytes of receipt.json
MOST_OUTPUTS = 10_000

_Word = Annotated[str, Field(max_length=300)]
_Long = Annotated[str, Field(max_length=5000)]
_Count = Annotated[int, Field(ge=0, lt=1 << 63)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Machine:
    host: _Word = ""
    cpu: _Word = ""
    cores: _Count | None = None
    memory: _Count | None = None  # bytes


@dataclass(frozen=True)
class Gpu:
    name: _Word = ""
    memory: _Count | None = None  # bytes
    driver: _Word = ""


@dataclass(frozen=True)
class Input:
    path: _Long
    size: _Count | None = None
    sha256: _Sha256 | None = None
    note: _Word = ""  # why there is no hash


@dataclass(frozen=True)
class Git:
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
    dirty: bool | None = None
    remote: _Long | None = None


@dataclass(frozen=True)
class Output:
    path: str
    size: int


@dataclass(frozen=True)
class Receipt:
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
    environment_digest: str | None  # what was installed: another digest is another environment
    packages: Mapping[str, str]  # all that the notebook found, those above the environment too
    packages_added: Mapping[str, str]  # by requirements.txt or %pip
    requirements: str | None  # as it was handed in
    notebook: str
    notebook_sha256: str
    kernel: str | None
    parameters: Mapping[str, Any]
    inputs: Sequence[Input]
    git: Git | None
    python: str
    platform: str
    machine: Machine | None
    gpus: Sequence[Gpu]  # those that it saw
    gpus_asked: Sequence[int]  # the least memory of each, in bytes; 0: any
    size: str
    cores: float
    memory: int
    values: Mapping[str, Any]
    outputs: Sequence[Output]
    notes: Sequence[str] = ()  # what is missing here, and why


@dataclass(frozen=True)
class Left:
    """receipt.json, as the runner leaves it."""

    format: Literal[1]
    python: _Word = ""
    implementation: _Word = ""
    platform: _Word = ""
    machine: Machine | None = None
    gpus: Annotated[Sequence[Gpu], Field(max_length=64)] | None = None
    packages: Annotated[Mapping[_Word, _Word], Field(max_length=5000)] = field(default_factory=dict[str, str])
    inputs: Annotated[Sequence[Input], Field(max_length=1000)] = ()
    git: Git | None = None


_LEFT = TypeAdapter(Left)


def receipt(folders: RunFolders, run: Run) -> Receipt:
    """What is known of it by now; RecordUnreadable where even what was handed in is not what it was."""
    left, notes = _left(folders, run)
    python = run.task.spec.python
    there: Mapping[str, str] = packages_of(python) if python is not None else {}
    if python is not None and not there:
        notes = (*notes, "The environment is no longer here, so its packages are not listed.")
    outputs = folders.outputs(run.id, run.attempt, MOST_OUTPUTS)
    return assemble(
        run, folders.run_json(run.id), _result(folders, run), left, there, outputs, _list(folders, run), notes
    )


def assemble(
    run: Run,
    asked: Mapping[str, Any],
    result: Mapping[str, Any] | None,
    left: Left | None,
    environment: Mapping[str, str],
    outputs: Sequence[OutputFile],
    requirements: str | None,
    notes: Sequence[str],
) -> Receipt:
    """Pure."""
    task, told = run.task, result or {}
    seen = left or Left(format=1)
    return Receipt(
        run=run.id,
        name=run.name,
        person=run.person,
        attempt=run.attempt,
        again_of=run.again_of,
        outcome=task.outcome.value if task.outcome else None,
        reason=task.reason.value if task.reason else None,
        created_at=_moment(run.created_at) or "",
        started_at=_moment(task.started_at),
        ended_at=_moment(task.ended_at),
        seconds=(task.ended_at - task.started_at).total_seconds() if task.started_at and task.ended_at else None,
        environment=run.environment,
        environment_digest=task.spec.python.name if task.spec.python else None,
        packages={**environment, **seen.packages},
        packages_added=seen.packages,
        requirements=requirements,
        notebook=str(asked.get("notebook_name", "notebook.ipynb")),
        notebook_sha256=run.notebook_hash or task.spec.hashes.get("notebook.ipynb", ""),
        kernel=_name_of(told.get("kernel")) or asked.get("kernel"),
        parameters=run.parameters,
        inputs=seen.inputs or [Input(str(path), note="not looked at") for path in asked.get("inputs") or ()],
        git=seen.git,
        python=seen.python,
        platform=seen.platform,
        machine=seen.machine,
        gpus=seen.gpus or (),
        gpus_asked=gpus.asked(task.spec),
        size=run.size,
        cores=task.cores,
        memory=task.memory,
        values=run.values or told.get("values") or {},
        outputs=[Output(file.path, file.size) for file in outputs],
        notes=notes,
    )


def read_left(data: bytes) -> Left:
    """ValueError for what the runner would not have written."""
    try:
        return _LEFT.validate_json(data)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:100]
        raise ValueError(f"{place}: {first['msg']}".removeprefix(": ")) from None


@lru_cache(maxsize=64)
def packages_of(python: Path) -> Mapping[str, str]:
    """What is installed there, read once: an environment's folder is named by what is in it, and never changes."""
    found = (entry.name for place in python.glob("lib/python3*/site-packages") for entry in place.iterdir())
    matches = (re.fullmatch(r"(.+)-([^-]+)\.(?:dist|egg)-info", name) for name in found)
    return dict(sorted((re.sub(r"[-_.]+", "-", one[1]).lower(), one[2]) for one in matches if one))


def _left(folders: RunFolders, run: Run) -> tuple[Left | None, Sequence[str]]:
    try:
        data = folders.made_file(run.id, run.attempt, "receipt.json", MOST_OF_A_RECEIPT)
        return (read_left(data), ()) if data is not None else (None, ("The run has left no receipt of its own.",))
    except (RecordUnreadable, ValueError):
        return None, ("What the run left as its receipt cannot be read, so it is left out.",)


def _result(folders: RunFolders, run: Run) -> Mapping[str, Any] | None:
    try:
        return folders.result(run.id, run.attempt)
    except RecordUnreadable:
        return None


def _list(folders: RunFolders, run: Run) -> str | None:
    """Its requirements.txt, if it had one."""
    data = folders.given_file(run.id, "requirements.txt", MOST_BYTES)
    return None if data is None else data.decode(errors="replace")


def _name_of(kernel: Any) -> str | None:
    return cast(dict[str, Any], kernel).get("name") if isinstance(kernel, dict) else None


def _moment(then: datetime | None) -> str | None:
    return None if then is None else then.isoformat().replace("+00:00", "Z")
