"""Ask for a run and what can be done with it: what page, API and command line call."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drybench import permissions, planning
from drybench.asking import Desk
from drybench.errors import (
    DrybenchError,
    NoSuchFolder,
    NoSuchKernel,
    NoSuchRun,
    NoSuchState,
    RecordUnreadable,
    TimeoutWrong,
)
from drybench.folders import RunShelf
from drybench.ledger import Part
from drybench.model import RUN, Environment, Person, Run, Task
from drybench.phases import Phase, Standing
from drybench.runs import notebooks, parameters
from drybench.runs.run_folder import RunFolders

DEFAULT_KERNEL = "python3"


@dataclass(frozen=True)
class RunRequest:
    notebook: bytes
    notebook_name: str = "notebook.ipynb"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    name: str | None = None
    environment: str = "python"
    size: str | None = None
    timeout: float | None = None  # seconds, for the whole run
    folder: Path | None = None  # where the notebook came from, when it is the person's own file
    alone: bool = False
    cwd: Path | None = None


class Runs:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, folders: RunFolders, shelf: RunShelf, notebook_limit: int, timeout: float | None
    ) -> None:
        self._desk = desk
        self._folders = folders
        self._shelf = shelf
        self._notebook_limit = notebook_limit
        self._timeout = timeout

    def submit(self, person: Person, request: RunRequest, key: str | None = None, origin: str = "api") -> Run:
        permissions.needs(person, permissions.RUNS)
        environment = self._desk.catalogue.environment(request.environment)
        file_name = notebooks.safe_name(request.notebook_name)
        notebook = notebooks.read_notebook(request.notebook, self._notebook_limit, file_name)
        kernel = self._kernel(notebook, environment)
        values = parameters.check(parameters.read_parameters(notebook), request.parameters)
        prepared = parameters.inject(notebook, values) if values else notebook
        _check_folders(request)
        id = self._desk.new_id()
        run_json = {
            "format": 1,
            "id": id,
            "kind": "notebook",
            "name": notebooks.safe_name(request.name) if request.name else file_name.removesuffix(".ipynb"),
            "notebook": "notebook.ipynb",
            "notebook_name": file_name,
            "parameters": values,
            "environment": environment.name,
            "kernel": kernel,
            "timeout": _timeout(request.timeout, self._timeout),
            "cell_timeout": None,
            "folder": _text(request.folder),
            "alone": request.alone,
            "cwd": _text(request.cwd),
            "created_at": self._desk.now().isoformat().replace("+00:00", "Z"),
        }
        files = {"notebook.ipynb": json.dumps(prepared, ensure_ascii=False).encode()}
        return self._write_down(person, run_json, files, request.size, key, origin)

    def cancel(self, person: Person, id: str, origin: str = "api") -> Run:
        permissions.needs(person)
        run = self.get(person, id)
        if run.task.phase is not Phase.ENDED:
            self._desk.ledger.want_stop(run.task.id, by=person.name)
            self._desk.done(person, "cancelled", RUN, id, origin)
        return self.get(person, id)

    def again(self, person: Person, id: str, key: str | None = None, origin: str = "api") -> Run:
        """A new run of the same notebook with the same parameters."""
        permissions.needs(person, permissions.RUNS)
        old = self.get(person, id)
        if not self._folders.given_unchanged(id, old.task.spec.hashes):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        said = {
            **self._folders.run_json(id),
            "id": self._desk.new_id(),
            "created_at": self._desk.now().isoformat().replace("+00:00", "Z"),
        }
        files = {"notebook.ipynb": self._folders.given_notebook(id)}
        return self._write_down(person, said, files, old.size, key, origin)

    def get(self, person: Person, id: str) -> Run:
        permissions.needs(person, permissions.RUNS)
        return permissions.theirs(person, self._desk.ledger.run(id), NoSuchRun)

    def mine(
        self, person: Person, cursor: str | None = None, limit: int = 50, search: str = "", state: str = ""
    ) -> Part[Run]:
        permissions.needs(person, permissions.RUNS)
        return self._desk.ledger.runs(person.id, cursor, limit, search, _standing(state))

    def ahead(self, run: Run) -> int:
        """How many stand before it in the line."""
        return self._desk.ahead(run.task)

    def _kernel(self, notebook: notebooks.Notebook, environment: Environment) -> str:
        name = notebooks.kernel_of(notebook) or DEFAULT_KERNEL
        there = self._desk.catalogue.kernels(environment)
        if name not in there:
            raise NoSuchKernel(name=name[:60], there=", ".join(there) or "none")
        return name

    def _write_down(
        self,
        person: Person,
        said: Mapping[str, Any],
        files: Mapping[str, bytes],
        size_name: str | None,
        key: str | None,
        origin: str,
    ) -> Run:
        """Folder first, then the row: the row is what counts, and it must find its folder."""
        id = said["id"]
        environment = self._desk.catalogue.environment(said["environment"])
        size = self._desk.catalogue.size(size_name, environment)
        task = planning.plan_run(self._desk.new_id(), person, environment, size, self._folders.path(id), attempt=1)
        self._desk.check(person, task, environment.engine)
        task = replace(task, hashes=self._make_folder(id, said, files))
        row = self._desk.first_task(person, task, environment.engine, subject=id)
        asked = Run(
            id=id,
            person_id=person.id,
            person=person.name,
            group=None,
            name=said["name"],
            kind=said["kind"],
            environment=environment.name,
            size=size.name,
            parameters=said["parameters"],
            created_at=row.created_at,
            attempt=1,
            task=row,
        )
        run = self._add(asked, task, key)
        if run.id != id:  # the same request came before
            self._folders.remove(id)
            return run
        self._shelf.add(run)
        self._desk.done(person, "submitted", RUN, id, origin)
        return run

    def _add(self, asked: Run, task: Task, key: str | None) -> Run:
        """Its folder goes only where it is certain that the ledger did not take it."""
        try:
            return self._desk.ledger.add_run(asked, task, key)
        except DrybenchError:
            self._folders.remove(asked.id)
            raise

    def _make_folder(self, id: str, said: Mapping[str, Any], files: Mapping[str, bytes]) -> Mapping[str, str]:
        """Whole, or nothing of it is left: the disk may be full. The hashes of what was handed in."""
        try:
            hashes = self._folders.make(id, said, files)
            self._folders.new_attempt(id, 1)
            return hashes
        except OSError:
            self._folders.remove(id)
            raise


def _standing(state: str) -> Standing | None:
    try:
        return Standing(state) if state else None
    except ValueError:
        raise NoSuchState(name=state[:60], there=", ".join(Standing)) from None


def _check_folders(request: RunRequest) -> None:
    for folder in (request.folder, request.cwd):
        if folder is not None and not (
            folder.is_absolute() and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
        ):
            raise NoSuchFolder(path=str(folder)[:200])


def _timeout(asked: float | None, default: float | None) -> float | None:
    if asked is not None and not 0 < asked < 366 * 86400:
        raise TimeoutWrong()
    return asked or default or None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
