"""Ask for a run and what can be done with it: what page, API and command line call."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drybench import gpus, planning
from drybench.asking import Desk
from drybench.errors import (
    DrybenchError,
    EnvironmentGone,
    NoSuchFolder,
    NoSuchKernel,
    NoSuchRun,
    NoSuchState,
    RecordUnreadable,
)
from drybench.files import seen_by
from drybench.folders import RunShelf
from drybench.ledger import Part
from drybench.model import RUN, Account, Environment, Person, Run, Size, Surroundings, Task
from drybench.people import permissions, seen_files
from drybench.people.hands import lend
from drybench.phases import Phase, Standing
from drybench.runs import notebooks, once_more, parameters, requests, requirement_lines
from drybench.runs.requests import Prepared, RunRequest
from drybench.runs.run_folder import RunFolders

DEFAULT_KERNEL = "python3"


@dataclass(frozen=True)
class Rules:
    """What the keeper says of runs."""

    notebook_limit: int  # bytes
    timeout: float | None = None  # seconds, where a run does not say itself
    requirements_from_anywhere: bool = False
    hold_most: float = 0.0  # seconds


class Runs:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(self, desk: Desk, folders: RunFolders, shelf: RunShelf, overlays: Path, rules: Rules) -> None:
        self._desk = desk
        self._folders = folders
        self._shelf = shelf
        self._overlays = overlays
        self._rules = rules

    def prepare(self, request: RunRequest) -> Prepared:
        """Read its notebook: what can be done once for many runs of it."""
        environment = self._desk.catalogue.environment(request.environment)
        file_name = notebooks.safe_name(request.notebook_name)
        notebook = notebooks.read_notebook(request.notebook, self._rules.notebook_limit, file_name)
        kernel = self._kernel(notebook, environment)
        spec = parameters.read_parameters(notebook)
        return Prepared(notebook, file_name, request.notebook_hash or requests.sha256(request.notebook), kernel, spec)

    def check(self, person: Person, request: RunRequest) -> None:
        """Refuse what can be refused before its notebook is read."""
        permissions.needs(person, permissions.RUNS)
        self._desk.environment(person, request.environment)
        requests.check(request, self._rules.hold_most)
        requirement_lines.check(request.requirements, self._rules.requirements_from_anywhere)
        self._check_folders(person, request)

    def submit(
        self,
        person: Person,
        request: RunRequest,
        key: str | None = None,
        origin: str = "api",
        prepared: Prepared | None = None,
    ) -> Run:
        """The one way in: a page, a command, a sweep's place and a schedule's time all end here."""
        self.check(person, request)
        prepared = prepared or self.prepare(request)
        environment = self._desk.catalogue.environment(request.environment)
        values = parameters.check(prepared.parameters, request.parameters)
        notebook = parameters.inject(prepared.notebook, values) if values else prepared.notebook
        said = requests.run_json(
            self._desk.new_id(), request, prepared, values, environment, self._rules.timeout, self._desk.now()
        )
        said["overlays"] = self._overlays_of(person, environment) if said["requirements"] else None
        files = {"notebook.ipynb": json.dumps(notebook, ensure_ascii=False).encode()}
        if said["requirements"]:
            files["requirements.txt"] = request.requirements.encode()
        return self._write_down(person, said, files, environment, request, key, origin)

    def cancel(self, person: Person, id: str, origin: str = "api") -> Run:
        permissions.needs(person)
        run = self.get(person, id)
        if run.task.phase is not Phase.ENDED:
            self._desk.ledger.want_stop(run.task.id, by=person.name)
            self._desk.done(person, "cancelled", RUN, id, origin)
        return self.get(person, id)

    def again(
        self, person: Person, id: str, key: str | None = None, origin: str = "api", environment: str = "newer"
    ) -> Run:
        """A new run of the same notebook with the same parameters; in today's environment, or in the same only."""
        permissions.needs(person, permissions.RUNS)
        old = self.get(person, id)
        if not self._folders.given_unchanged(id, old.task.spec.hashes):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        today = self._desk.environment(person, old.environment)
        place = _as_it_was(old, today) if environment == "same" else today
        said = {
            **self._folders.run_json(id),
            "id": self._desk.new_id(),
            "environment_digest": requests.digest(place),
            "created_at": self._desk.now().isoformat().replace("+00:00", "Z"),
        }
        files = {"notebook.ipynb": self._folders.given_notebook(id)}
        if said.get("requirements"):
            said["overlays"] = self._overlays_of(person, place)
            text = self._folders.given_file(id, "requirements.txt", requirement_lines.MOST_BYTES)
            files["requirements.txt"] = text or b""
        return self._write_down(person, said, files, place, _like(old), key, origin)

    def request_of(self, person: Person, id: str) -> RunRequest:
        """What was asked for, to be asked for once more with changes."""
        old = self.get(person, id)
        if not self._folders.given_unchanged(id, old.task.spec.hashes):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        said, notebook = self._folders.run_json(id), self._folders.given_notebook(id)
        text = self._folders.given_file(id, "requirements.txt", requirement_lines.MOST_BYTES)
        return once_more.asked_for(old, said, notebook, (text or b"").decode(errors="replace"))

    def star(self, person: Person, id: str, starred: bool, origin: str = "api") -> Run:
        """What is starred is never removed by itself."""
        permissions.needs(person)
        if (self.get(person, id).starred_at is not None) is not starred:
            self._desk.ledger.set_star(id, starred)
            self._desk.done(person, "starred" if starred else "unstarred", RUN, id, origin)
        return self.get(person, id)

    def on_the_shelf(self, run: Run) -> str:
        """The name of its folder, as a session sees it."""
        return self._shelf.entry(run)

    def get(self, person: Person, id: str) -> Run:
        permissions.needs(person, permissions.RUNS)
        return permissions.theirs(person, self._desk.ledger.run(id), NoSuchRun)

    def mine(
        self,
        person: Person,
        cursor: str | None = None,
        limit: int = 50,
        search: str = "",
        state: str = "",
        *,
        tag: str = "",
        starred: bool = False,
        loose: bool = False,
    ) -> Part[Run]:
        """One's own, the newest first; `loose` leaves out the runs of sweeps."""
        permissions.needs(person, permissions.RUNS)
        standing = _standing(state)
        return self._desk.ledger.runs(person.id, cursor, limit, search, standing, tag=tag, starred=starred, loose=loose)

    def ahead(self, run: Run) -> int:
        """How many stand before it in the line."""
        return self._desk.ahead(run.task)

    def _kernel(self, notebook: notebooks.Notebook, environment: Environment) -> str:
        name = notebooks.kernel_of(notebook) or DEFAULT_KERNEL
        there = self._desk.catalogue.kernels(environment)
        if name not in there and not environment.image:  # what is in an image is known inside only
            raise NoSuchKernel(name=name[:60], there=", ".join(there) or "none")
        return name

    def _check_folders(self, person: Person, request: RunRequest) -> None:
        """A notebook that a container does not see where it came from has no neighbours there, and its log says so."""
        if request.folder is None and request.cwd is None:
            return
        around = seen_by(self._desk, person, self._desk.catalogue.environment(request.environment))
        for folder in (request.folder if around is None else None, request.cwd):
            if folder and not (_is_open(folder) if around is None else seen_files.has_folder(around, folder)):
                raise NoSuchFolder(path=str(folder)[:200])

    def _overlays_of(self, person: Person, environment: Environment) -> str:
        """Nobody else's, and of this very environment."""
        root = planning.OVERLAYS_INSIDE if environment.image else self._overlays / person.id
        return str(root / (requests.digest(environment) or environment.name).replace(":", "-"))

    def _overlays_lent(self, person: Person, around: Surroundings) -> Path:
        """For containers of theirs to fill; what they lay over the environments of this machine is beside it."""
        overlays = self._overlays / f"{person.id}-in-containers"
        overlays.mkdir(mode=0o700, parents=True, exist_ok=True)
        lend(overlays, around.account)
        return overlays

    def _write_down(
        self,
        person: Person,
        said: Mapping[str, Any],
        files: Mapping[str, bytes],
        environment: Environment,
        request: RunRequest,
        key: str | None,
        origin: str,
    ) -> Run:
        """Folder first, then the row: the row is what counts, and it must find its folder."""
        id, size = said["id"], self._desk.catalogue.size(request.size, environment).with_gpus(request.gpus)
        task = self._planned(person, said, environment, size)
        self._desk.check(person, task, environment.engine)
        said = requests.as_seen_inside(said, task.mounts) if task.image else said
        task = replace(task, hashes=self._make_folder(id, said, files, task.account))
        row = self._desk.first_task(person, task, environment.engine, subject=id, priority=request.priority)
        run = self._add(requests.as_row(said, request, size, row), task, key)
        if run.id != id:  # the same request came before
            self._folders.remove(id)
            return run
        self._shelf.add(run)
        self._desk.done(person, "submitted", RUN, id, origin)
        return run

    def _planned(self, person: Person, said: Mapping[str, Any], environment: Environment, size: Size) -> Task:
        around, folder = self._desk.around(person, environment), self._folders.path(said["id"])
        overlays = self._overlays_lent(person, around) if said.get("requirements") and environment.image else None
        return planning.plan_run(self._desk.new_id(), person, environment, size, around, folder, 1, overlays)

    def _add(self, asked: Run, task: Task, key: str | None) -> Run:
        """Its folder goes only where it is certain that the ledger did not take it."""
        try:
            return self._desk.ledger.add_run(asked, task, key)
        except DrybenchError:
            self._folders.remove(asked.id)
            raise

    def _make_folder(
        self, id: str, said: Mapping[str, Any], files: Mapping[str, bytes], account: Account | None
    ) -> Mapping[str, str]:
        """Whole, or nothing of it is left: the disk may be full. The hashes of what was handed in."""
        try:
            hashes = self._folders.make(id, said, files)
            self._folders.new_attempt(id, 1, account)
            return hashes
        except OSError:
            self._folders.remove(id)
            raise


def _as_it_was(old: Run, today: Environment) -> Environment:
    """Environments of other days stay beside today's as long as nobody clears them away."""
    python = old.task.spec.python
    if today.image and old.task.spec.image:
        return replace(today, digest=old.task.spec.image)
    if python is None or today.python is None or not python.is_dir():
        raise EnvironmentGone(name=old.environment)
    return replace(today, python=python)


def _standing(state: str) -> Standing | None:
    try:
        return Standing(state) if state else None
    except ValueError:
        raise NoSuchState(name=state[:60], there=", ".join(Standing)) from None


def _is_open(folder: Path) -> bool:
    try:
        return folder.is_absolute() and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    except OSError:  # a name that is too long, or a folder above it that is closed to us
        return False


def _like(old: Run) -> RunRequest:
    """What the ledger knows of a run, to ask for it once more; its files are taken from its folder."""
    return RunRequest(
        notebook=b"",
        size=old.size,
        gpus=gpus.added(old.task.spec),
        retries=old.retries,
        retry_any=old.retry_any,
        tags=old.tags,
        priority=old.task.priority,
        tell=old.tell,
        again_of=old.id,
    )
