"""Who may do what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from drybench.errors import KeeperOnly, NotAllowed, NotFound, OneAccount
from drybench.model import Person

ALL = "custom:drybench:all"
RUNS = "custom:drybench:runs"


class Owned(Protocol):
    @property
    def person_id(self) -> str: ...


Thing = TypeVar("Thing", bound=Owned)


def theirs(person: Person, thing: Thing | None, missing: type[NotFound]) -> Thing:
    """What is not theirs does not exist for them: nobody can guess at others' ids."""
    if thing is None or thing.person_id != person.id:
        raise missing()
    return thing


def needs(person: Person, *scopes: str) -> None:
    """Whoever holds `all` holds the others too."""
    if not person.scopes & {ALL, *scopes}:
        raise NotAllowed()


def keeper_only(person: Person, keeper: str, deed: str) -> None:
    """The keeper is known by name: who brought the bench up, or was the first to sign in where it serves one person."""
    if person.name != keeper:
        raise KeeperOnly(deed=deed, keeper=keeper)


def may_share_an_account(person: Person, people: Sequence[Person], trusted: bool) -> None:
    """Tasks of one account can read one another's files: it serves the first person only."""
    if not trusted and people and min(people, key=lambda one: one.id).id != person.id:
        raise OneAccount()
