"""Numbers of people and groups in the ledger, over SQLite and over PostgreSQL: one for each and for good."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from drybench.database import sqlite_url
from drybench.ledger import Ledger
from drybench.people.accounts import Numbers
from drybench.tables import people
from tests.ledger import Clock, fresh_ledger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    if request.param == "sqlite":
        url = sqlite_url(tmp_path / "portal.sqlite")
    else:
        url = request.getfixturevalue("postgres").new_database()
    with fresh_ledger(url, tmp_path, clock) as ledger:
        yield ledger


def test_many_who_come_at_once(ledger: Ledger) -> None:
    numbers = Numbers(ledger, range(20_000, 60_000), lambda number: number == 20_003)
    came = [ledger.person_seen(f"person {number}") for number in range(10)] * 3
    with ThreadPoolExecutor(8) as threads:
        of_people = list(threads.map(numbers.of_person, came))
        of_groups = list(threads.map(numbers.of_group, ["lab", "imaging"] * 5))
    assert of_people[:10] == of_people[10:20] == of_people[20:]
    assert sorted({*of_people, *of_groups}) == [20_000, 20_001, 20_002, *range(20_004, 20_013)]


def test_no_two_people_have_one(ledger: Ledger) -> None:
    ada, bob = ledger.person_seen("ada"), ledger.person_seen("bob")
    number = Numbers(ledger, range(20_000, 20_009), lambda _: False).of_person(ada)
    with pytest.raises(IntegrityError), ledger.writing() as connection:
        connection.execute(update(people).where(people.c.id == bob.id).values(uid=number))


def test_who_is_gone_keeps_it(ledger: Ledger, clock: Clock) -> None:
    numbers = Numbers(ledger, range(20_000, 20_009), lambda _: False)
    old = ledger.person_seen("ada")
    first = numbers.of_person(old)
    ledger.person_gone("ada")
    clock.pass_by(hours=1)
    new = ledger.person_seen("ada", frozenset({"lab"}))
    assert (first, numbers.of_person(new), numbers.of_person(old)) == (20_000, 20_001, 20_000)
    assert (numbers.had_before(old), numbers.had_before(new)) == (False, True)
    assert numbers.groups_of(new) == {"lab"}
