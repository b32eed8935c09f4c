"""Ask for a session, stop it, start it again: what page, API and command line call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drybench.model import Person, Session


@dataclass(frozen=True)
class SessionRequest:
    environment: str = "python"
    app: str = "lab"
    name: str | None = None  # the environment's name, or that with a number, when not given
    size: str | None = None


class Sessions:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def ask(self, person: Person, request: SessionRequest, key: str | None = None, origin: str = "api") -> Session:
        """A new session, or the one of that name started again when it has ended."""
        raise NotImplementedError

    def stop(self, person: Person, id: str, origin: str = "api") -> Session:
        """wanted=stop; stopping twice is the same as once. Also how one cancels a place in the line."""
        raise NotImplementedError

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        """Take an ended session off the list."""

    def get(self, person: Person, id: str) -> Session:
        raise NotImplementedError

    def named(self, person: Person, name: str) -> Session | None: ...

    def mine(self, person: Person) -> Sequence[Session]:
        raise NotImplementedError

    def ahead(self, session: Session) -> int:
        """How many stand before it in the line."""
        raise NotImplementedError

    def url(self, session: Session) -> str:
        """Where it is reached through the proxy (whole address, on its person's own host name if there is one)."""
        raise NotImplementedError
