"""How long runs are kept: by the keeper's rule and the person's own. Pure.

A new rule shows for a week what it will remove before it removes anything, and what is starred stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

SHOWN_BEFORE = timedelta(days=7)
MOST_DAYS = 36500


@dataclass(frozen=True)
class Rule:
    days: int  # after the end of a run; 0: for ever
    since: datetime  # when it was made


def goes_at(ended_at: datetime, rules: Iterable[Rule]) -> datetime | None:
    """When a run that nobody stars is removed; the stricter rule counts."""
    times = [max(ended_at + timedelta(days=rule.days), rule.since + SHOWN_BEFORE) for rule in rules if rule.days]
    return min(times, default=None)


def ended_before(now: datetime, rules: Iterable[Rule]) -> datetime | None:
    """Who ended before that moment goes now; None: nobody does."""
    ends = [now - timedelta(days=rule.days) for rule in rules if rule.days and rule.since + SHOWN_BEFORE <= now]
    return max(ends, default=None)
