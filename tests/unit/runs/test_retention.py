"""How long runs are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from drybench.runs.retention import SHOWN_BEFORE, Rule, ended_before, goes_at

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A_WHILE = some.timedeltas(timedelta(0), timedelta(days=400))
RULES = some.lists(some.builds(Rule, some.integers(0, 300), A_WHILE.map(lambda ago: NOW - ago)), max_size=3)


@given(A_WHILE, RULES)
def test_what_the_ledger_is_asked_for_is_what_goes(ago: timedelta, rules: list[Rule]) -> None:
    ended = NOW - ago
    at, last = goes_at(ended, rules), ended_before(NOW, rules)
    assert (at is not None and at <= NOW) == (last is not None and ended <= last)


@given(A_WHILE, RULES)
def test_nothing_goes_in_the_first_week_of_a_rule(ago: timedelta, rules: list[Rule]) -> None:
    at = goes_at(NOW - ago, rules)
    in_force = [rule for rule in rules if rule.days]
    assert (at is None) == (not in_force)
    assert at is None or at >= min(rule.since for rule in in_force) + SHOWN_BEFORE


def test_the_stricter_rule_counts_and_none_keeps_for_ever() -> None:
    long_ago = NOW - timedelta(days=300)
    assert goes_at(NOW, [Rule(30, long_ago), Rule(10, long_ago), Rule(0, long_ago)]) == NOW + timedelta(days=10)
    assert goes_at(NOW, []) is None
    assert ended_before(NOW, [Rule(0, long_ago)]) is None
