"""What asking for a session and asking for a run have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from drybench import allocating
from drybench.catalogue import Catalogue
from drybench.changes import Change, Changes
from drybench.engines.base import Capabilities, Engine
from drybench.errors import EngineNotHere, NoEnvironmentThere
from drybench.ledger import Ledger
from drybench.machines import machine_of
from drybench.model import Deed, Environment, Person, Surroundings, Task, TaskRow
from drybench.people import permissions
from drybench.phases import Phase, Wanted


@dataclass(frozen=True)
class Desk:
    """Where requests are taken: checked first, then written into the ledger, then told to the loop."""

    ledger: Ledger
    engines: Mapping[str, Engine]
    catalogue: Catalogue
    changes: Changes
    wake: Callable[[], None]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    home: Path  # of tasks that have the portal's own account
    people_trust_each_other: bool = False
    surroundings: Callable[[Person, Capabilities], Surroundings] | None = None  # of all others
    may_use: Callable[[Person, str], bool] = lambda person, environment: True  # what somebody else brought

    def environment(self, person: Person, name: str, startable: bool = False) -> Environment:
        """One that this person may use, now, or start; of what is not theirs they hear nothing more."""
        if not self.may_use(person, name):
            raise NoEnvironmentThere(name=name[:60])
        return self.catalogue.environment(name, partial(self.may_use, person), startable)

    def around(self, person: Person, environment: Environment) -> Surroundings:
        """Who they are there and what they see; made now, where it is not there yet."""
        if not self.may_use(person, environment.name):
            raise NoEnvironmentThere(name=environment.name)
        can = self._engine(environment.engine).can
        if can.one_account or self.surroundings is None:
            return Surroundings(self.home)
        return self.surroundings(person, can)

    def check(self, person: Person, task: Task, engine: str) -> None:
        """Refuse what can never be done, before it is queued."""
        if self._engine(engine).can.one_account:
            permissions.may_share_an_account(person, self.ledger.people(), self.people_trust_each_other)
        self._engine(engine).check(task)

    def first_task(self, person: Person, task: Task, engine: str, subject: str, priority: int = 0) -> TaskRow:
        return TaskRow(
            id=task.id,
            person_id=person.id,
            person=person.name,
            kind=task.kind,
            subject=subject,
            attempt=1,
            engine=engine,
            spec=task,
            phase=Phase.WAITING,
            wanted=Wanted.RUN,
            created_at=self.now(),
            cores=task.cores,
            memory=task.memory,
            priority=priority,
        )

    def ahead(self, task: TaskRow) -> int:
        """How many stand before it in the line of its machine."""
        return self._lines.ahead(task) if task.phase is Phase.WAITING else 0

    def done(self, person: Person, deed: str, kind: str, subject: str, origin: str) -> None:
        """Write the deed, wake the loop, tell the pages."""
        self.ledger.write_deed(Deed(self.new_id(), self.now(), person.id, person.name, origin, deed, kind, subject))
        self.changes.tell(Change(kind, subject, person.id))
        self.wake()

    def _engine(self, name: str) -> Engine:
        try:
            return self.engines[name]
        except KeyError:
            raise EngineNotHere(name=name) from None

    @cached_property
    def _lines(self) -> _Lines:
        return _Lines(self.ledger, self.engines)


class _Lines:
    """Who stands where, worked out once for each state of the ledger: a long list asks for every row of it."""

    def __init__(self, ledger: Ledger, engines: Mapping[str, Engine]) -> None:
        self._ledger = ledger
        self._engines = engines
        self._known: tuple[int, Mapping[str, int]] = (-1, {})

    def ahead(self, task: TaskRow) -> int:
        version = self._ledger.version
        if self._known[0] != version:
            self._known = (version, _places(self._ledger.open_tasks(), self._engines))
        return self._known[1].get(task.id, 0)


def _places(open_tasks: Iterable[TaskRow], engines: Mapping[str, Engine]) -> Mapping[str, int]:
    """How many stand before each one that waits, in the line of its machine."""
    mates: dict[str, list[TaskRow]] = defaultdict(list)
    for task in open_tasks:
        mates[machine_of(task.engine, engines)].append(task)
    places: dict[str, int] = {}
    for tasks in mates.values():
        waiting = [task for task in tasks if task.phase is Phase.WAITING]
        held = [task for task in tasks if task.phase is not Phase.WAITING]
        places |= {task.id: place for place, task in enumerate(allocating.line(waiting, held))}
    return places
