"""The book of people, sessions, runs, tasks and deeds. Only the portal writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from drybench.model import Deed, Person, Run, Session, Task, TaskRow

Row = TypeVar("Row")


@dataclass(frozen=True)
class Part(Generic[Row]):
    """One part of a long list; `next` is the cursor of the part after it, None at the end."""

    rows: Sequence[Row]
    next: str | None


class Ledger:
    """Every method is one short transaction and may be called from any thread."""

    def person_seen(self, name: str, groups: frozenset[str] = frozenset()) -> Person:
        """The living person of that name, made when there is none; its groups brought up to date."""
        raise NotImplementedError

    def person_gone(self, name: str) -> None:
        """The name was deleted at the Hub: what it owned stays, whoever comes next is somebody new."""
        raise NotImplementedError

    def people(self) -> Sequence[Person]:
        """Everybody who is not gone."""
        raise NotImplementedError

    def add_session(self, session: Session, task: Task, key: str | None = None) -> Session:
        """A new session with its first task in WAITING. The same person and key give the first one back."""
        raise NotImplementedError

    def add_run(self, run: Run, task: Task, key: str | None = None) -> Run:
        raise NotImplementedError

    def add_attempt(self, subject: Session | Run, task: Task) -> TaskRow:
        """The next attempt of a session or run whose task has ENDED (else errors.Conflict)."""
        raise NotImplementedError

    def session(self, id: str) -> Session | None: ...

    def session_named(self, person_id: str, name: str) -> Session | None: ...

    def sessions(self, person_id: str | None = None) -> Sequence[Session]:
        """Not removed, newest first; None for everybody's."""
        raise NotImplementedError

    def remove_session(self, id: str) -> None:
        """Forget a session whose task has ENDED; its name is free again."""

    def run(self, id: str) -> Run | None: ...

    def runs(
        self, person_id: str | None = None, cursor: str | None = None, limit: int = 50, search: str = ""
    ) -> Part[Run]: ...

    def note_progress(self, run_id: str, cell: int, cells: int, failed_cell: int | None = None) -> None: ...

    def task(self, id: str) -> TaskRow | None: ...

    def open_tasks(self) -> Sequence[TaskRow]:
        """All that have not ENDED, oldest first."""
        raise NotImplementedError

    def write_task(self, id: str, changes: Mapping[str, Any]) -> TaskRow:
        """Change some columns of a task, in one transaction that keeps the laws.

        The phase never falls and an ENDED task never changes: then errors.Conflict. Sets
        started_at on the way to RUNNING and ended_at on the way to ENDED.
        """
        raise NotImplementedError

    def want_stop(self, id: str, by: str) -> TaskRow:
        """wanted=stop, once and for good; on an ENDED task nothing changes."""
        raise NotImplementedError

    def ended_not_forgotten(self) -> Sequence[TaskRow]:
        """ENDED tasks whose engine has not yet been told to forget them."""
        raise NotImplementedError

    def forgotten(self, id: str) -> None:
        """The engine has removed what was left of it."""

    def write_deed(self, deed: Deed) -> None: ...

    def deeds(self, person_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Part[Deed]: ...


def open_ledger(url: str, now: Callable[[], datetime]) -> Ledger:
    """The ledger in this database, which must be migrated already (`database.migrate`)."""
    raise NotImplementedError
