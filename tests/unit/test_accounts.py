"""Who a person's tasks are: an account of the machine, or a number that is theirs for good. Never root."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drybench.database import sqlite_url
from drybench.errors import NoAccount
from drybench.ledger import Ledger
from drybench.model import Account, Person
from drybench.people import accounts as accounts_module
from drybench.people.accounts import Accounts, Numbers, of_the_machine
from drybench.settings_folders import Accounts as Said
from tests.ledger import Clock, fresh_ledger

ON_THE_MACHINE = {"ada": (1001, 1001), "root": (0, 0), "www-data": (33, 33), "nobody": (65534, 65534), "odd": (1002, 0)}
GROUPS = {"ada": [1001, 0, 27, 3000], "odd": [0]}
NAMED = {"lab": 3000, "docker": 111}
PORTAL = Account(1000, 1000, (27,))


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with fresh_ledger(sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        yield ledger


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own, with these accounts."""

    def account(name: str) -> Any:
        name.encode()
        uid, gid = ON_THE_MACHINE[name]
        return SimpleNamespace(pw_uid=uid, pw_gid=gid)

    monkeypatch.setattr(pwd, "getpwnam", account)
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: GROUPS.get(name, [gid]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=NAMED[name]))
    monkeypatch.setattr(accounts_module, "portals_own", lambda: PORTAL)


Of = Callable[..., Accounts]


@pytest.fixture
def of(ledger: Ledger, machine: None) -> Of:
    def accounts(of: str = "auto", one_person: bool = False, **said: Any) -> Accounts:
        return Accounts(Said(of=of, **said), ledger, one_person)

    return accounts


def test_a_bench_for_one_person_works_as_who_started_it(of: Of, ledger: Ledger) -> None:
    accounts = of(one_person=True)
    assert accounts.of(ledger.person_seen("bob")) == PORTAL
    assert accounts.are_one(PORTAL)
    assert not of().are_one(PORTAL)


def test_but_never_as_root(of: Of, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "portals_own", lambda: Account(0, 0))
    accounts = of(one_person=True)
    account = accounts.of(ledger.person_seen("root"))
    assert account.uid >= 20_000
    assert not accounts.are_one(account)


def test_an_account_of_the_machine_with_its_groups_but_roots(of: Of, ledger: Ledger) -> None:
    assert of().of(ledger.person_seen("ada")) == Account(1001, 1001, (27, 3000))
    assert of("unix").of(ledger.person_seen("ada")).uid == 1001


@pytest.mark.parametrize("name", ["root", "www-data", "nobody", "odd", "nobody-knows", "\udc80", "a\0b"])
def test_those_that_are_nobodys(of: Of, name: str) -> None:
    assert of_the_machine(name) is None


def test_who_has_none_gets_a_number_for_good(of: Of, ledger: Ledger) -> None:
    bob, eve = ledger.person_seen("bob"), ledger.person_seen("../eve @")
    assert of().of(bob) == of("range").of(bob) == Account(20_000, 20_000)
    assert of().of(eve).uid == 20_001
    assert of().of(bob).uid == 20_000
    assert of("range").of(ledger.person_seen("ada")).uid == 20_002
    with pytest.raises(NoAccount, match="none of that name"):
        of("unix").of(bob)


def test_all_have_one_where_the_keeper_says_so(of: Of, ledger: Ledger) -> None:
    shared = of("shared", shared_uid=4000)
    assert shared.of(ledger.person_seen("ada")) == shared.of(ledger.person_seen("bob")) == Account(4000, 4000)


def test_a_name_made_again_is_somebody_new(of: Of, ledger: Ledger, clock: Clock) -> None:
    accounts, first = of(), ledger.person_seen("bob")
    old = accounts.of(first)
    ledger.person_gone("bob")
    clock.pass_by(hours=1)
    second = ledger.person_seen("bob")
    assert accounts.of(second).uid != old.uid
    assert accounts.has_namesake(second, accounts.of(second))
    assert not accounts.has_namesake(first, old)


def test_groups_have_numbers_too_and_none_is_given_twice(of: Of, ledger: Ledger) -> None:
    accounts = of()
    bob = accounts.of(ledger.person_seen("bob"))
    imaging, eve = accounts.group("imaging"), accounts.of(ledger.person_seen("eve"))
    assert (bob.uid, imaging, eve.uid) == (20_000, 20_001, 20_002)
    assert accounts.group("imaging") == imaging
    assert accounts.group("lab") == 3000
    assert of("range").group("lab") == 20_003


def test_the_group_of_a_service_is_nobodys(of: Of) -> None:
    assert of().group("docker") >= 20_000


def test_who_belongs_to_a_group(of: Of, ledger: Ledger) -> None:
    accounts = of()
    ada, bob = ledger.person_seen("ada"), ledger.person_seen("bob", frozenset({"imaging"}))
    assert accounts.is_member(ada, accounts.of(ada), "lab")
    assert accounts.is_member(bob, accounts.of(bob), "imaging")
    assert not accounts.is_member(bob, accounts.of(bob), "lab")
    assert accounts.with_groups(Person(bob.id, "bob")).groups == {"imaging"}


def test_a_number_that_the_machine_uses_is_left_alone_and_a_full_range_is_said(ledger: Ledger) -> None:
    numbers = Numbers(ledger, range(65_532, 65_537), lambda number: number == 65_533)
    given = [numbers.of_person(ledger.person_seen(name)) for name in ("ada", "bob")]
    assert given == [65_532, 65_536]
    with pytest.raises(NoAccount, match="all numbers from 65532 to 65536 are given away"):
        numbers.of_person(ledger.person_seen("eve"))
    with pytest.raises(NoAccount):
        numbers.of_group("lab")
    assert numbers.of_person(ledger.person_seen("ada")) == 65_532
