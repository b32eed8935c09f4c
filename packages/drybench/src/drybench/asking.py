"""What asking for a session and asking for a run have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from drybench import allocating, permissions
from drybench.catalogue import Catalogue
from drybench.changes import Change, Changes
from drybench.engines.base import Engine
from drybench.ledger import Ledger
from drybench.model import Deed, Person, Task, TaskRow
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
    home: Path
    people_trust_each_other: bool = False

    def check(self, person: Person, task: Task, engine: str) -> None:
        """Refuse what can never be done, before it is queued."""
        if self.engines[engine].can.one_account:
            permissions.may_share_an_account(person, self.ledger.people(), self.people_trust_each_other)
        self.engines[engine].check(task)

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
        """How many stand before it in the line of its engine."""
        if task.phase is not Phase.WAITING:
            return 0
        mates = [one for one in self.ledger.open_tasks() if one.engine == task.engine]
        waiting = [one for one in mates if one.phase is Phase.WAITING]
        held = [one for one in mates if one.phase is not Phase.WAITING]
        order = [one.id for one in allocating.line(waiting, held)]
        return order.index(task.id) if task.id in order else 0

    def done(self, person: Person, deed: str, kind: str, subject: str, origin: str) -> None:
        """Write the deed, wake the loop, tell the pages."""
        self.ledger.write_deed(Deed(self.new_id(), self.now(), person.id, person.name, origin, deed, kind, subject))
        self.changes.tell(Change(kind, subject, person.id))
        self.wake()
