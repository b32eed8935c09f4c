"""The page of the ledger for shares, in SQLite and in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from drybench.errors import TooManyShares
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import Person, Session
from drybench.sharing.book import ShareBook
from drybench.sharing.rules import GROUP, PERSON, Share
from tests.ledger import Clock, a_session

SOON = timedelta(hours=1, microseconds=123_456)


@pytest.fixture
def book(ledger: Ledger) -> ShareBook:
    return ShareBook(ledger)


@pytest.fixture
def bob(ledger: Ledger) -> Person:
    return ledger.person_seen(f"bob-{uuid7()}", frozenset({f"course-{uuid7()}"}))


@pytest.fixture
def session(ledger: Ledger, ada: Person, clock: Clock) -> Session:
    made = a_session(ada, clock())
    return ledger.add_session(made, made.task.spec)


def with_bob(session: Session, bob: Person, clock: Clock, control: bool = False) -> Share:
    return Share(
        id=uuid7(),
        session_id=session.id,
        app="desktop",
        person_id=session.person_id,
        person=session.person,
        with_kind=PERSON,
        with_id=bob.id,
        with_name=bob.name,
        control=control,
        created_at=clock(),
        until=clock() + SOON,
    )


def with_group(session: Session, group: str, clock: Clock) -> Share:
    return Share(
        uuid7(), session.id, "desktop", session.person_id, session.person, GROUP, None, group, False, clock(),
        clock() + SOON,
    )  # fmt: skip


def test_it_comes_back_as_it_was_put_in(book: ShareBook, session: Session, bob: Person, clock: Clock) -> None:
    share = book.put(with_bob(session, bob, clock))
    assert book.get(share.id) == share
    assert list(book.of_session(session.id, clock())) == [share]
    assert list(book.of_person(session.person_id, clock())) == [share]
    assert list(book.with_person(bob, clock())) == [share]


def test_with_the_same_once_more_the_address_stays(
    book: ShareBook, session: Session, bob: Person, clock: Clock
) -> None:
    first = book.put(with_bob(session, bob, clock))
    again = book.put(replace(with_bob(session, bob, clock, control=True), until=clock() + 2 * SOON))
    assert again.id == first.id
    assert book.get(first.id) == replace(first, control=True, until=clock() + 2 * SOON)
    book.end(first.id, "ada", clock())
    assert book.put(with_bob(session, bob, clock)).id != first.id


def test_groups_are_those_that_one_is_in(book: ShareBook, session: Session, bob: Person, clock: Clock) -> None:
    share = book.put(with_group(session, *bob.groups, clock))
    assert list(book.with_person(bob, clock())) == [share]
    assert list(book.with_person(replace(bob, groups=frozenset()), clock())) == []
    assert list(book.with_person(replace(bob, groups=frozenset({"another"})), clock())) == []


def test_it_is_over_by_its_time_and_by_its_end(book: ShareBook, session: Session, bob: Person, clock: Clock) -> None:
    share = book.put(with_bob(session, bob, clock))
    assert list(book.with_person(bob, share.until - timedelta(microseconds=1))) == [share]
    assert list(book.with_person(bob, share.until)) == []
    assert book.end(share.id, "ada", clock())
    assert not book.end(share.id, "somebody", clock())
    assert list(book.with_person(bob, clock())) == []
    assert book.get(share.id) == replace(share, ended_at=clock(), ended_by="ada")


def test_what_somebody_shared_who_is_gone_is_gone(
    ledger: Ledger, book: ShareBook, session: Session, bob: Person, clock: Clock
) -> None:
    share = book.put(with_bob(session, bob, clock))
    ledger.person_gone(session.person)
    assert book.get(share.id) is None
    assert list(book.with_person(bob, clock())) == []


def test_nobody_shares_without_end(
    book: ShareBook, session: Session, bob: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drybench.sharing.book.MOST", 1)
    book.put(with_bob(session, bob, clock))
    book.put(with_bob(session, bob, clock, control=True))  # the same one
    with pytest.raises(TooManyShares):
        book.put(with_group(session, *bob.groups, clock))
