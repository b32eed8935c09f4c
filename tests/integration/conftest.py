"""What the tests with real processes and real databases share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drybench.database import sqlite_url
from drybench.ids import uuid7
from drybench.ledger import Ledger
from drybench.model import Person
from tests.bench import Bench, new_bench
from tests.ledger import Clock, fresh_ledger
from tests.python_environment import python_environment

__all__ = ["python_environment"]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Ledger]:
    """One for all tests of a module: each brings a person of its own."""
    folder, sqlite = tmp_path_factory.mktemp("ledger"), request.param == "sqlite"
    url = sqlite_url(folder / "portal.sqlite") if sqlite else request.getfixturevalue("postgres").new_database()
    with fresh_ledger(url, folder, clock) as ledger:
        yield ledger


@pytest.fixture
def ada(ledger: Ledger) -> Person:
    return ledger.person_seen(f"ada-{uuid7()}", frozenset({"lab"}))


@pytest.fixture(scope="session")
def own_bench() -> Iterator[Bench]:
    """One that tests may kill and bring up again."""
    with new_bench() as bench:
        yield bench


@pytest.fixture
def up(own_bench: Bench) -> Bench:
    own_bench.be_whole()
    return own_bench
