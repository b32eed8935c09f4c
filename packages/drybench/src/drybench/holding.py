"""The kernel of a failed run is kept: open a session on it, let the run go on, or let it go.

Only where the engine shares files: what is opened is the attempt's own folder `held/`.
"""

from __future__ import annotations

from pathlib import Path

from drybench.asking import Desk
from drybench.errors import NoSuchRun, NotHeld
from drybench.folders import RunShelf
from drybench.model import RUN, KeptKernel, Person, Run, Session
from drybench.people import permissions
from drybench.phases import Phase, Wanted
from drybench.runs.run_folder import RunFolders
from drybench.sessions import SessionRequest, Sessions

MOST_TIMES = 1000


class Holding:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(
        self, desk: Desk, sessions: Sessions, folders: RunFolders, shelf: RunShelf, link: str, tasks: Path
    ) -> None:
        self._desk = desk
        self._sessions = sessions
        self._folders = folders
        self._shelf = shelf
        self._link = link  # of the shelf, in the home
        self._tasks = tasks

    def attach(self, person: Person, id: str, origin: str = "api") -> Session:
        """An ordinary session of the same person, with the kept kernel beside it; a second click gives the same."""
        run = self._held(person, id)
        name = f"kernel-{run.id[-8:].lower()}"
        task = (self._tasks / run.task.id).resolve() / "own"  # the one that stood ready for it
        held = KeptKernel(self._folders.held(run.id, run.attempt), self.notebook(run), task)
        session = self._sessions.ask(
            person, SessionRequest(run.environment, name=name, size=run.size, held=held), None, origin
        )
        self._tell(run, "attached", {"at": self._desk.now().isoformat().replace("+00:00", "Z")})
        self._desk.done(person, "attached to its kernel", RUN, id, origin)
        return session

    def notebook(self, run: Run) -> str:
        """The copy that is to be mended, as a session sees it."""
        return f"{self._link}/{self._shelf.entry(run)}/{run.attempt}/made/held/notebook.ipynb" if self._link else ""

    def go_on(self, person: Person, id: str, with_next: bool = False, origin: str = "api") -> Run:
        """From the cell that failed, as it is now; or from the one after it."""
        run = self._held(person, id)
        times = next(n for n in range(1, MOST_TIMES) if not self._folders.was_told(id, run.attempt, f"go_on-{n}"))
        self._tell(run, f"go_on-{times}", {"from": (run.failed_cell or 0) + with_next})
        self._desk.done(person, "went on by hand", RUN, id, origin)
        return run

    def let_go(self, person: Person, id: str, origin: str = "api") -> Run:
        """It ends as it failed."""
        run = self._held(person, id)
        self._tell(run, "let_go", {})
        self._desk.done(person, "let its kernel go", RUN, id, origin)
        return run

    def _held(self, person: Person, id: str) -> Run:
        permissions.needs(person)
        run = permissions.theirs(person, self._desk.ledger.run(id), NoSuchRun)
        works = run.task.phase is Phase.RUNNING and run.task.wanted is Wanted.RUN
        if not works or run.held_until is None or not self._desk.engines[run.task.engine].can.shares_files:
            raise NotHeld()
        return run

    def _tell(self, run: Run, word: str, said: dict[str, object]) -> None:
        self._folders.tell(run.id, run.attempt, word, said)
