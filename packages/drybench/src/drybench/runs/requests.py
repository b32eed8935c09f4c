"""What somebody asks for when they ask for a run, and what of it is written into run.json and the ledger. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from drybench.errors import RunAskWrong, TimeoutWrong
from drybench.model import Environment, Mount, Run, Size, TaskRow, Tell
from drybench.people.mounting import inside
from drybench.runs import notebooks
from drybench.runs.parameters import Parameters

LONGEST = 366 * 86400  # seconds
MOST_TAGS, LONGEST_TAG = 20, 40
MOST_RETRIES = 10
FOREMOST = 10  # priority among one's own
TELL_ON = ("failure", "success", "both", "never")


@dataclass(frozen=True)
class RunRequest:
    notebook: bytes
    notebook_name: str = "notebook.ipynb"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None
    environment: str = "python"
    size: str | None = None
    gpus: tuple[int, ...] = ()  # beside the size's: the least memory of each, in bytes
    timeout: float | None = None  # seconds, for the whole run
    cell_timeout: float | None = None  # seconds, for each cell
    requirements: str = ""  # the text of a requirements.txt
    retries: int = 0  # further attempts where it was not the notebook's fault
    retry_any: bool = False  # also where it was
    tags: tuple[str, ...] = ()
    priority: int = 0  # among one's own: higher is sooner
    hold: float = 0  # seconds that the kernel of a failed run is kept
    tell: Tell | None = None  # None: as its person usually wants it
    allow_errors: bool = False
    folder: Path | None = None  # where the notebook came from, when it is the person's own file
    alone: bool = False
    cwd: Path | None = None
    sweep_id: str | None = None
    place: int | None = None
    schedule_id: str | None = None
    again_of: str | None = None
    notebook_hash: str = ""  # of what was handed in first, where this was made from a run's own record


@dataclass(frozen=True)
class Prepared:
    """A notebook that has been read once, for one run or for thousands."""

    notebook: notebooks.Notebook
    file_name: str
    hash: str
    kernel: str
    parameters: Parameters


def check(request: RunRequest, hold_most: float) -> None:
    """All but the notebook, its parameters and its requirements."""
    _check_times(request, hold_most)
    if not 0 <= request.retries <= MOST_RETRIES:
        raise RunAskWrong(problem=f"it can be tried again 0 to {MOST_RETRIES} times")
    if not -FOREMOST <= request.priority <= FOREMOST:
        raise RunAskWrong(problem=f"a priority is a whole number from {-FOREMOST} to {FOREMOST}")
    if len(request.tags) > MOST_TAGS:
        raise RunAskWrong(problem=f"a run has at most {MOST_TAGS} tags")
    if any(not tag.strip() or len(tag) > LONGEST_TAG or not tag.isprintable() for tag in request.tags):
        raise RunAskWrong(problem=f"a tag is a word or some, of at most {LONGEST_TAG} letters")
    if request.tell is not None and request.tell.on not in TELL_ON:
        raise RunAskWrong(problem=f"one is told on {', '.join(TELL_ON)}")


def run_json(
    id: str,
    request: RunRequest,
    prepared: Prepared,
    values: Mapping[str, Any],
    environment: Environment,
    timeout: float | None,
    now: datetime,
) -> dict[str, Any]:
    """All that the runner and the record need; what only the ledger needs is not in it."""
    return {
        "format": 1,
        "id": id,
        "kind": "notebook",
        "name": notebooks.safe_name(request.name or prepared.file_name.removesuffix(".ipynb")),
        "notebook": "notebook.ipynb",
        "notebook_name": prepared.file_name,
        "notebook_hash": prepared.hash,
        "parameters": values,
        "environment": environment.name,
        "environment_digest": digest(environment),
        "kernel": prepared.kernel,
        "timeout": request.timeout or timeout,
        "cell_timeout": request.cell_timeout,
        "requirements": "requirements.txt" if request.requirements.strip() else None,
        "hold": request.hold,
        "allow_errors": request.allow_errors,
        "inputs": _inputs(prepared.parameters, values, request),
        "tags": list(request.tags),
        "folder": _text(request.folder),
        "alone": request.alone,
        "cwd": _text(request.cwd),
        "created_at": now.isoformat().replace("+00:00", "Z"),
    }


def as_row(said: Mapping[str, Any], request: RunRequest, size: Size, task: TaskRow) -> Run:
    return Run(
        id=said["id"],
        person_id=task.person_id,
        person=task.person,
        group=None,
        name=said["name"],
        kind=said["kind"],
        environment=said["environment"],
        size=size.name,
        parameters=said["parameters"],
        created_at=task.created_at,
        attempt=1,
        task=task,
        tags=tuple(dict.fromkeys(tag.strip() for tag in request.tags)),
        sweep_id=request.sweep_id,
        place=request.place,
        schedule_id=request.schedule_id,
        again_of=request.again_of,
        retries=request.retries,
        retry_any=request.retry_any,
        notebook_hash=said.get("notebook_hash", ""),
        tell=request.tell,
    )


def digest(environment: Environment) -> str | None:
    """Of an image; a Python environment's folder is named by what is in it."""
    return environment.python.resolve().name if environment.python else environment.digest


def as_seen_inside(said: Mapping[str, Any], mounts: Sequence[Mount]) -> dict[str, Any]:
    """Its folders as a task in a container finds them; one that it does not see is left as it is."""

    def there(path: str | None) -> str | None:
        return path and str(inside(Path(path), mounts) or path)

    inputs = [there(path) for path in said.get("inputs", ())]
    return {**said, "folder": there(said.get("folder")), "cwd": there(said.get("cwd")), "inputs": inputs}


def sha256(notebook: bytes) -> str:
    return hashlib.sha256(notebook).hexdigest()


def _check_times(request: RunRequest, hold_most: float) -> None:
    for asked in (request.timeout, request.cell_timeout):
        if asked is not None and not 0 < asked < LONGEST:
            raise TimeoutWrong()
    if not (math.isfinite(request.hold) and 0 <= request.hold <= hold_most):
        raise RunAskWrong(problem=f"a kernel is kept for at most {hold_most / 60:g} minutes")


def _inputs(parameters: Parameters, values: Mapping[str, Any], request: RunRequest) -> list[str]:
    """The files that its path parameters name; a relative one as the notebook will see it."""
    beside = request.cwd or (None if request.alone else request.folder)
    named = [values[one.name] for one in parameters if one.kind == "path" and isinstance(values.get(one.name), str)]
    return [str(beside / path if beside else path) for path in named if path and (beside or path.startswith("/"))]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
