"""Who a person's tasks are in containers: an account of this machine, or a number that the ledger keeps. Never root."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Executable, Select, insert, select, update

from drybench import settings_folders
from drybench.errors import NoAccount
from drybench.ledger import Ledger
from drybench.model import Account, Person
from drybench.settings_folders import LEAST_UID, NOBODY
from drybench.tables import group_numbers, people


class Accounts:
    """Synchronous; raises errors.NoAccount with a sentence."""

    def __init__(self, said: settings_folders.Accounts, ledger: Ledger, one_person: bool) -> None:
        self._said = said
        self._numbers = Numbers(ledger, said.numbers, _is_known_here)
        self._one_person = one_person
        self._portal = portals_own()

    def of(self, person: Person) -> Account:
        said = self._said
        if said.of == "shared":
            return Account(said.shared_uid, said.shared_uid)
        if said.of == "auto" and self._one_person and self._portal.uid != 0:
            return self._portal
        account = None if said.of == "range" else of_the_machine(person.name)
        if account is None and said.of == "unix":
            raise NoAccount(name=person.name, why=f"none of that name has a number of {LEAST_UID} or more")
        if account is None:
            number = self._numbers.of_person(person)
            account = Account(number, number)
        return account

    def are_one(self, account: Account) -> bool:
        """It is the portal's own, and all tasks have it."""
        return account.uid == self._portal.uid and self._one_person

    def group(self, name: str) -> int:
        """The machine's group of that name, else a number; those of its own services are nobody's."""
        with suppress(KeyError, ValueError):
            if self._said.of in ("auto", "unix") and (gid := grp.getgrnam(name).gr_gid) >= LEAST_UID:
                return gid
        return self._numbers.of_group(name)

    def with_groups(self, person: Person) -> Person:
        """As the ledger knows them: who asks once more in somebody's name may not have asked for these."""
        return person if person.groups else replace(person, groups=self._numbers.groups_of(person))

    def is_member(self, person: Person, account: Account, name: str) -> bool:
        """At the Hub, or on the machine."""
        return name in person.groups or self.group(name) in account.groups

    def has_namesake(self, person: Person, account: Account) -> bool:
        """Somebody had that name here before, and what is left of them is not this person's.

        An account of the machine is the keeper's to give away, with all that belongs to it.
        """
        return account not in (self._portal, of_the_machine(person.name)) and self._numbers.had_before(person)


class Numbers:
    """One for each person and group, from one range and for good: nobody ever owns what another left behind."""

    def __init__(self, ledger: Ledger, numbers: range, is_taken: Callable[[int], bool]) -> None:
        self._ledger = ledger
        self._numbers = numbers
        self._is_taken = is_taken

    def of_person(self, person: Person) -> int:
        this = people.c.id == person.id
        own, theirs = select(people.c.uid).where(this), update(people).where(this)
        return self._number(own, person.name, lambda uid: theirs.values(uid=uid))

    def of_group(self, name: str) -> int:
        own = select(group_numbers.c.gid).where(group_numbers.c.name == name)
        return self._number(own, name, lambda gid: insert(group_numbers).values(name=name, gid=gid))

    def groups_of(self, person: Person) -> frozenset[str]:
        with self._ledger.reading() as connection:
            return frozenset(connection.scalar(select(people.c.groups).where(people.c.id == person.id)) or ())

    def had_before(self, person: Person) -> bool:
        """Ids are in the order in which people came."""
        before = select(people.c.id).where(people.c.name == person.name, people.c.id < person.id)
        with self._ledger.reading() as connection:
            return connection.execute(before.limit(1)).first() is not None

    def _number(self, own: Select[Any], name: str, keep: Callable[[int], Executable]) -> int:
        """`own` asks for the number that is there already."""
        with self._ledger.reading() as connection:
            known = connection.scalar(own)
        if known is not None:
            return int(known)
        with self._ledger.writing() as connection:
            known = connection.scalar(own)
            if known is None:
                known = self._next(connection, name)
                connection.execute(keep(known))
            return int(known)

    def _next(self, connection: Connection, name: str) -> int:
        used = {*connection.scalars(select(people.c.uid)), *connection.scalars(select(group_numbers.c.gid)), *NOBODY}
        for number in self._numbers:
            if number not in used and not self._is_taken(number):
                return number
        first, last = self._numbers[0], self._numbers[-1]
        raise NoAccount(name=name, why=f"all numbers from {first} to {last} are given away")


def portals_own() -> Account:
    return Account(os.geteuid(), os.getegid(), _without_root(os.getgroups()))


def of_the_machine(name: str) -> Account | None:
    """With its groups; root's and the services' are nobody's."""
    try:
        found = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return None
    if found.pw_uid < LEAST_UID or found.pw_uid in NOBODY or found.pw_gid == 0:
        return None
    return Account(found.pw_uid, found.pw_gid, _without_root(os.getgrouplist(name, found.pw_gid), found.pw_gid))


def _without_root(groups: list[int], own: int = 0) -> tuple[int, ...]:
    return tuple(sorted(set(groups) - {0, own}))


def _is_known_here(number: int) -> bool:
    for look_up in (pwd.getpwuid, grp.getgrgid):
        with suppress(KeyError):
            look_up(number)
            return True
    return False
