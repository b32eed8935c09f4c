"""Ask for a sweep and what can be done with it: what page, API and command line call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from drybench import planning
from drybench.asking import Desk
from drybench.changes import Change
from drybench.errors import Conflict, DrybenchError, NoSuchSweep
from drybench.files import seen_by
from drybench.ledger import Part
from drybench.model import RUN, Person, Surroundings, Tell
from drybench.people import permissions
from drybench.runs import notebooks, sweep_reading
from drybench.runs.attempts import next_attempt
from drybench.runs.parameters import Parameters
from drybench.runs.requests import Prepared, RunRequest
from drybench.runs.run_folder import RunFolders
from drybench.runs.submitting import Runs
from drybench.runs.sweep_folder import SweepFolders
from drybench.runs.sweep_reading import SweepSaid
from drybench.runs.sweeps import Plan, label
from drybench.sweep_book import SWEEP, Place, Sweep, SweepBook, Totals

ORIGIN = "sweep"  # of the runs: their person asked for the whole
NOBODY = Tell("never")  # or a thousand runs would be a thousand mails, where nobody has asked for them
KEPT = 4  # prepared notebooks: parsing one again for each run would cost more than all the rest


class Sweeps:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, book: SweepBook, folders: SweepFolders, runs: Runs, run_folders: RunFolders, most: int
    ) -> None:
        self._desk = desk
        self._book = book
        self._folders = folders
        self._runs = runs
        self._run_folders = run_folders
        self.most = most
        self.troubles: dict[str, DrybenchError] = {}  # why one does not go on at the moment
        self._prepared: dict[str, tuple[RunRequest, Prepared]] = {}

    def plan(self, person: Person, request: RunRequest, said: SweepSaid) -> Plan:
        """What it would be, checked as when it is submitted; nothing is written."""
        self._runs.check(person, request)
        return self._planned(person, request, self._runs.prepare(request), said)

    def counted(self, person: Person, environment: str, said: SweepSaid, known: Parameters) -> Plan:
        """While it is typed: whether its values fit is not looked at."""
        return sweep_reading.read_plan(said, {}, known, self.most, self._seen_by(person, environment, said))

    def submit(
        self, person: Person, request: RunRequest, said: SweepSaid, key: str | None = None, origin: str = "api"
    ) -> Sweep:
        """All of it or nothing: what was handed in lies in its folder before the row counts."""
        self._runs.check(person, request)
        prepared = self._runs.prepare(request)
        plan = self._planned(person, request, prepared, said)
        sweep = self._checked(person, request, prepared, plan)
        sweep = replace(sweep, hashes=self._folders.make(sweep.id, request, plan))
        kept = self._add(sweep, key)
        if kept.id == sweep.id:
            self._desk.done(person, "submitted", SWEEP, sweep.id, origin)
        return kept

    def get(self, person: Person, id: str) -> Sweep:
        permissions.needs(person, permissions.RUNS)
        return permissions.theirs(person, self._book.get(id), NoSuchSweep)

    def mine(self, person: Person, cursor: str | None = None, limit: int = 20) -> Part[Sweep]:
        permissions.needs(person, permissions.RUNS)
        return self._book.of_person(person.id, cursor, limit)

    def totals(self, sweeps: Sequence[Sweep]) -> Mapping[str, Totals]:
        return self._book.totals(sweeps) if sweeps else {}

    def places(self, sweep: Sweep) -> Sequence[Place]:
        return self._book.places(sweep.id)

    def plan_of(self, sweep: Sweep) -> Plan:
        return self._folders.plan(sweep.id)

    def request_of(self, sweep: Sweep) -> RunRequest:
        return self._folders.request(sweep.id, sweep.hashes)

    def cancel(self, person: Person, id: str, origin: str = "api") -> Sweep:
        """Again and again if one likes."""
        permissions.needs(person)
        self.get(person, id)
        self._book.stop(id, by=person.name)
        self._desk.done(person, "cancelled", SWEEP, id, origin)
        return self.get(person, id)

    def rerun_failed(self, person: Person, id: str, origin: str = "api") -> Sweep:
        """What did not get done, once more; also while the others run."""
        permissions.needs(person)
        self.get(person, id)
        self._book.rerun(id, self._desk.now())
        self._desk.done(person, "run again", SWEEP, id, origin)
        return self.get(person, id)

    def lay_out(self, sweep: Sweep, place: int) -> None:
        """The run of this place, by the one way in; its key makes sure that there is only one."""
        request, prepared = self._prepared_for(sweep)
        chosen = self._folders.plan(sweep.id).at(place)
        one = replace(
            request,
            name=_name(sweep, place, chosen),
            parameters={**request.parameters, **chosen},
            tell=request.tell or NOBODY,
            sweep_id=sweep.id,
            place=place,
        )
        self._runs.submit(self._person(sweep), one, f"sweep:{sweep.id}:{place}", ORIGIN, prepared)
        self._book.note_laid(sweep.id, place + 1)
        if place + 1 == sweep.planned:
            self._prepared.pop(sweep.id, None)

    def try_again(self, run_id: str) -> None:
        """A further attempt of a run that ended; one that goes on by now is left alone."""
        run = self._desk.ledger.run(run_id)
        if run is not None:
            with suppress(Conflict):
                next_attempt(self._desk, self._run_folders, run)
                self._desk.changes.tell(Change(RUN, run.id, run.person_id))

    def _planned(self, person: Person, request: RunRequest, prepared: Prepared, said: SweepSaid) -> Plan:
        around = self._seen_by(person, request.environment, said)
        plan = sweep_reading.read_plan(said, request.parameters, prepared.parameters, self.most, around)
        sweep_reading.check(plan, request.parameters, prepared.parameters)
        return plan

    def _seen_by(self, person: Person, environment: str, said: SweepSaid) -> Surroundings | None:
        return seen_by(self._desk, person, self._desk.catalogue.environment(environment)) if said.files else None

    def _checked(self, person: Person, request: RunRequest, prepared: Prepared, plan: Plan) -> Sweep:
        """Refused here is what no engine would take, before any of it is queued."""
        environment = self._desk.catalogue.environment(request.environment)
        size = self._desk.catalogue.size(request.size, environment).with_gpus(request.gpus)
        id = self._desk.new_id()
        around = self._desk.around(person, environment)
        task = planning.plan_run(id, person, environment, size, around, Path("/"), attempt=1)
        self._desk.check(person, task, environment.engine)
        return Sweep(
            id=id,
            person_id=person.id,
            person=person.name,
            name=notebooks.safe_name(request.name or prepared.file_name.removesuffix(".ipynb")),
            environment=environment.name,
            size=size.name,
            notebook_name=prepared.file_name,
            axes=plan.names,
            planned=plan.count,
            created_at=self._desk.now(),
        )

    def _add(self, sweep: Sweep, key: str | None) -> Sweep:
        try:
            kept = self._book.add(sweep, key)
        except DrybenchError:
            self._folders.remove(sweep.id)
            raise
        if kept.id != sweep.id:  # the same request came before
            self._folders.remove(sweep.id)
        return kept

    def _person(self, sweep: Sweep) -> Person:
        found = next((one for one in self._desk.ledger.people() if one.id == sweep.person_id), None)
        if found is None:  # gone in this moment
            raise NoSuchSweep()
        return found

    def _prepared_for(self, sweep: Sweep) -> tuple[RunRequest, Prepared]:
        if sweep.id not in self._prepared:
            if len(self._prepared) >= KEPT:
                self._prepared.pop(next(iter(self._prepared)))
            request = self.request_of(sweep)
            self._prepared[sweep.id] = (request, _without_outputs(self._runs.prepare(request)))
        return self._prepared[sweep.id]


def _without_outputs(prepared: Prepared) -> Prepared:
    """What a former run left in the notebook would lie in each folder again, and each run clears it first."""
    bare: dict[str, Any] = {"outputs": [], "execution_count": None}
    cells: list[Any] = [
        {**cell, **bare} if cell["cell_type"] == "code" else cell for cell in prepared.notebook["cells"]
    ]
    return replace(prepared, notebook={**prepared.notebook, "cells": cells})


def _name(sweep: Sweep, place: int, chosen: Mapping[str, Any]) -> str:
    """wing-disc 0007 alpha=0.1"""
    number = f"{place + 1:0{len(str(sweep.planned))}}"
    return notebooks.safe_name(f"{sweep.name[:100]} {number} {label(chosen)}".strip())
