"""Whom a shared desktop is for, and whether they may see it now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import NoSuchLength, NoSuchZone
from drybench.model import Person, Session
from drybench.phases import Outcome, Phase, Wanted
from drybench.sharing import rules
from drybench.sharing.rules import GROUP, PERSON, Share, Standing
from tests.ledger import a_session

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA = Person("1", "ada", frozenset({"lab"}))
BOB = Person("2", "bob", frozenset({"lab", "course"}))
SHARE = Share("s", "x", "desktop", "1", "ada", PERSON, "2", "bob", False, NOW, NOW + timedelta(hours=1))
WITH_LAB = replace(SHARE, with_kind=GROUP, with_id=None, with_name="lab")


def running(**changes: Any) -> Session:
    session = a_session(ADA, NOW)
    return replace(session, task=replace(session.task, phase=Phase.RUNNING, answers=True, **changes))


def test_it_is_for_the_colleague_and_nobody_of_the_same_name() -> None:
    assert rules.is_for(SHARE, BOB)
    assert not rules.is_for(SHARE, replace(BOB, id="3"))
    assert not rules.is_for(SHARE, Person("4", "carl"))


def test_a_groups_are_those_who_are_in_it_now() -> None:
    assert rules.is_for(WITH_LAB, BOB)
    assert not rules.is_for(WITH_LAB, replace(BOB, groups=frozenset({"course"})))
    assert not rules.is_for(WITH_LAB, ADA)  # her own


@given(after=st.timedeltas(timedelta(days=-40), timedelta(days=40)), ended=st.booleans())
def test_it_is_open_only_within_its_time(after: timedelta, ended: bool) -> None:
    share = replace(SHARE, ended_at=NOW if ended else None)
    is_open = rules.standing(share, running(), NOW + after) is Standing.OPEN
    assert is_open == (not ended and NOW + after < SHARE.until)


@pytest.mark.parametrize(
    ("session", "standing"),
    [
        (running(), Standing.OPEN),
        (None, Standing.ENDED),
        (running(wanted=Wanted.STOP), Standing.STOPPED),
        (replace(running(), ahead_since=NOW), Standing.NOT_YET),  # its owner has not been there
        (a_session(ADA, NOW), Standing.NOT_YET),
    ],
)
def test_how_it_stands_with_its_session(session: Session | None, standing: Standing) -> None:
    assert rules.standing(SHARE, session, NOW) is standing


def test_a_session_that_has_ended_is_stopped() -> None:
    ended = running()
    ended = replace(ended, task=replace(ended.task, phase=Phase.ENDED, outcome=Outcome.DONE))
    assert rules.standing(SHARE, ended, NOW) is Standing.STOPPED


@pytest.mark.parametrize(
    ("typed", "time"),
    [
        ("1 h", timedelta(hours=1)),
        ("2h", timedelta(hours=2)),
        ("week", timedelta(days=7)),
        ("31 d", timedelta(days=31)),
    ],
)
def test_a_length_as_it_is_typed(typed: str, time: timedelta) -> None:
    assert rules.until(typed, "UTC", NOW) == NOW + time


def test_today_ends_at_midnight_where_one_is() -> None:
    assert rules.until("today", "Europe/Berlin", NOW) == datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert rules.until("today", "UTC", NOW) == datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(NoSuchZone):
        rules.until("today", "Europe/Atlantis", NOW)


@pytest.mark.parametrize("typed", ["", "0", "1 s", "32 d", "-1 h", "for ever", "1e9 d", "9" * 400 + " d", "x" * 5000])
def test_what_is_no_length_is_refused(typed: str) -> None:
    with pytest.raises(NoSuchLength) as refused:
        rules.until(typed, "UTC", NOW)
    assert len(str(refused.value)) < 300


def test_the_screens_are_those_that_the_task_was_told_of() -> None:
    apps = [
        {"name": "lab", "title": "JupyterLab", "command": None},
        {"name": "desktop", "title": "Desktop", "command": None},
        {"name": "terminal", "title": "Terminal", "command": None},
        {"name": "napari", "title": "napari", "command": ["napari"]},
    ]
    session = running()
    told = replace(session.task.spec, env={"DRYBENCH_APPS": json.dumps(apps)})
    assert rules.screens(replace(session, task=replace(session.task, spec=told))) == ["desktop", "napari"]
    assert rules.screens(session) == []


def test_a_key_opens_one_task_of_one_bench() -> None:
    key = rules.guest_key("a secret", "a task")
    assert key == rules.guest_key("a secret", "a task")
    assert len({key, rules.guest_key("a secret", "another"), rules.guest_key("another", "a task")}) == 3
    assert "secret" not in key
