"""Ask for a schedule and what can be done with it: what page, API and command line call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drybench import planning
from drybench.asking import Desk
from drybench.errors import DrybenchError, FileNotReadAgain, NoSuchSchedule, NotFound, ScheduleOver
from drybench.model import Person, Run
from drybench.people import permissions
from drybench.runs import notebooks, parameters
from drybench.runs.requests import RunRequest
from drybench.runs.submitting import Runs
from drybench.schedules import times as schedules
from drybench.schedules.book import SCHEDULE, ScheduleBook
from drybench.schedules.folder import Given, ScheduleFolders
from drybench.schedules.times import Missed, Schedule, When


@dataclass(frozen=True)
class ScheduleRequest:
    """As somebody typed it."""

    run: RunRequest
    cron: str | None = None
    at: str | None = None
    zone: str = "UTC"
    missed: Missed = "once"
    read_again: bool = False  # the notebook's own file, at each time


class Schedules:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, book: ScheduleBook, folders: ScheduleFolders, runs: Runs, wake: Callable[[], None]
    ) -> None:
        self._desk = desk
        self._book = book
        self._folders = folders
        self._runs = runs
        self._wake = wake

    def preview(self, cron: str | None, at: str | None, zone: str) -> When:
        return schedules.when(cron, at, zone, self._desk.now())

    def ask(self, person: Person, request: ScheduleRequest, key: str | None = None, origin: str = "api") -> Schedule:
        """Everything is checked now as it will be at its time, so that what cannot go is refused at once."""
        permissions.needs(person)
        when = self.preview(request.cron, request.at, request.zone)
        self._check(person, request.run)
        file, id = self._file(request), self._desk.new_id()
        schedule = Schedule(
            id=id,
            person_id=person.id,
            person=person.name,
            name=_name(request.run),
            when=when,
            missed=request.missed,
            hashes=self._folders.make(id, Given(request.run, file)),
            created_at=self._desk.now(),
            next_at=schedules.following(when, self._desk.now()),
        )
        kept = self._add(schedule, key)
        if kept.id == id:  # else the same request came before
            self._tell(person, "scheduled", schedule, origin)
        return kept

    def get(self, person: Person, id: str) -> Schedule:
        permissions.needs(person)
        return permissions.theirs(person, self._book.get(id), NoSuchSchedule)

    def mine(self, person: Person) -> Sequence[Schedule]:
        permissions.needs(person)
        return self._book.of_person(person.id)

    def file(self, schedule: Schedule) -> Path | None:
        """The one that is read at each time, if it is."""
        return self._folders.given(schedule).reads

    def last_run(self, person: Person, schedule: Schedule) -> Run | None:
        """It may have been removed meanwhile."""
        try:
            return self._runs.get(person, schedule.last_run) if schedule.last_run else None
        except NotFound:
            return None

    def pause(self, person: Person, id: str, origin: str = "api") -> Schedule:
        schedule = self.get(person, id)
        if schedule.paused_at is None:
            self._book.write(id, paused_at=self._desk.now(), next_at=None)
            self._tell(person, "paused", schedule, origin)
        return self.get(person, id)

    def resume(self, person: Person, id: str, origin: str = "api") -> Schedule:
        """From now on: what would have come meanwhile is not made up for."""
        schedule = self.get(person, id)
        next_at = schedules.following(schedule.when, self._desk.now())
        if next_at is None:
            raise ScheduleOver()
        if schedule.paused_at is not None:
            self._book.write(id, paused_at=None, next_at=next_at, problem="")
            self._tell(person, "resumed", schedule, origin)
        return self.get(person, id)

    def run_now(self, person: Person, id: str, key: str | None = None, origin: str = "api") -> Run:
        """Once more than it would come by itself; also of one that is paused or over."""
        schedule = self.get(person, id)
        run = self._runs.submit(person, self._folders.request(schedule), key, origin)
        self._book.write(id, last_at=self._desk.now(), last_run=run.id, problem="")
        self._tell(person, "run now", schedule, origin)
        return run

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        """The runs that it began stay."""
        schedule = self.get(person, id)
        self._book.write(id, removed_at=self._desk.now(), next_at=None)
        self._folders.remove(id)
        self._tell(person, "removed", schedule, origin)

    def _add(self, schedule: Schedule, key: str | None) -> Schedule:
        """Its folder goes only where it is certain that the ledger did not take it."""
        try:
            kept = self._book.add(schedule, key)
        except DrybenchError:
            self._folders.remove(schedule.id)
            raise
        if kept.id != schedule.id:
            self._folders.remove(schedule.id)
        return kept

    def _check(self, person: Person, request: RunRequest) -> None:
        """All that a run is checked for when it is asked for."""
        self._runs.check(person, request)
        prepared = self._runs.prepare(request)
        parameters.check(prepared.parameters, request.parameters)
        environment = self._desk.catalogue.environment(request.environment)
        size = self._desk.catalogue.size(request.size, environment).with_gpus(request.gpus)
        around = self._desk.around(person, environment)
        task = planning.plan_run(self._desk.new_id(), person, environment, size, around, Path("/"), attempt=1)
        self._desk.check(person, task, environment.engine)

    def _file(self, request: ScheduleRequest) -> Path | None:
        """Read by the portal's account, so only where that is the account that the run has too."""
        if not request.read_again:
            return None
        name = request.run.notebook_name
        if request.run.folder is None:
            raise FileNotReadAgain(path=name, why="it did not come from this machine")
        environment = self._desk.catalogue.environment(request.run.environment)
        if not self._desk.engines[environment.engine].can.one_account:
            raise FileNotReadAgain(path=name, why="what runs there is not of this account")
        file = request.run.folder / name
        self._folders.read(file)
        return file

    def _tell(self, person: Person, deed: str, schedule: Schedule, origin: str) -> None:
        self._desk.done(person, deed, SCHEDULE, schedule.id, origin)
        self._wake()


def _name(request: RunRequest) -> str:
    return notebooks.safe_name(request.name or request.notebook_name.removesuffix(".ipynb"))
