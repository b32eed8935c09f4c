"""When a run begins: once at a time, or again and again by a cron expression in a named time zone. Pure.

A local time that a clock change leaves out comes once, at the moment after the gap; one that a clock change
brings twice comes once, the first time. An expression whose minute or hour begins with `*` goes by the time that
passes: every hour stays every hour. It is as Debian's cron does it (`cronsim`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from drybench.errors import CronNeverComes, CronTooFine, CronWrong, NoSuchZone, NoTime, TimeIsOver, TwoTimes

Missed = Literal["once", "skip"]

LATE = timedelta(minutes=1)  # what comes later than this has been missed: a portal that starts again takes seconds
LONGEST = 200  # characters of a cron expression
SHOWN = 5  # times to come, so that a slip in an expression is seen at once
NICKNAMES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}


@dataclass(frozen=True)
class When:
    """Once `at` a time, or by `cron` in `zone`: one of the two."""

    zone: str
    cron: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Schedule:
    id: str
    person_id: str
    person: str
    name: str
    when: When
    missed: Missed
    hashes: Mapping[str, str]  # of what was handed in for it
    created_at: datetime
    paused_at: datetime | None = None
    next_at: datetime | None = None  # None: paused, or over
    last_at: datetime | None = None  # when it was last asked for
    last_run: str | None = None
    problem: str = ""  # why the last time brought no run


@dataclass(frozen=True)
class Turn:
    """What is to be done now: a run for `due`, if any, and when to look again."""

    due: datetime | None
    next_at: datetime | None


def when(cron: str | None, at: str | None, zone: str, now: datetime) -> When:
    """As somebody typed it; errors.* say what is wrong with it."""
    cron, at, zone = (cron or "").strip(), (at or "").strip(), (zone or "").strip() or "UTC"
    _zone(zone)
    if bool(cron) == bool(at):
        raise TwoTimes()
    if cron:
        wanted = When(zone, cron=NICKNAMES.get(cron.lower(), cron))
        if following(wanted, now) is None:
            raise CronNeverComes(cron=cron[:LONGEST])
        return wanted
    wanted = When(zone, at=_at(at, zone))
    if following(wanted, now) is None:
        raise TimeIsOver(time=in_words(wanted).removeprefix("Once, on "))
    return wanted


def following(when: When, after: datetime) -> datetime | None:
    """The first time later than `after`, in UTC."""
    return next(iter(coming(when, after, 1)), None)


def coming(when: When, after: datetime, most: int = SHOWN) -> list[datetime]:
    """The next times later than `after`, in UTC."""
    if when.at is not None:
        return [when.at] if when.at > after else []
    times = (time.astimezone(UTC) for time in _cron(when.cron or "", after.astimezone(_zone(when.zone))))
    return list(
        islice((time for time in times if time > after), most)
    )  # not the hour again that a change of clocks brings twice


def in_words(when: When) -> str:
    if when.at is not None:
        local = when.at.astimezone(_zone(when.zone))
        return f"Once, on {local:%A} {local.day} {local:%B %Y} at {local:%H:%M} ({when.zone})"
    explained = _cron(when.cron or "", datetime(2000, 1, 1, tzinfo=UTC)).explain()
    explained = re.sub(r"\b(?!1[123]th)(\d*[123])th\b", _ordinal, explained)
    days = re.fullmatch(r"At (.+) (every day|on Monday through Friday)", explained)
    if days:
        explained = f"Every {'day' if days[2] == 'every day' else 'weekday'} at {days[1]}"
    return f"{explained} ({when.zone})"


def in_its_zone(when: When, times: Iterable[datetime]) -> list[str]:
    """As a calendar beside the person has them."""
    local = (time.astimezone(_zone(when.zone)) for time in times)
    return [f"{time:%a} {time.day} {time:%b %Y}, {time:%H:%M}" for time in local]


def turn(when: When, missed: Missed, next_at: datetime, now: datetime) -> Turn:
    """What a time that has come brings, be it just now or long ago.

    However many were missed, one run makes up for them, or none. Asked again with the same `next_at` it
    names the same `due`, so that what was begun before a kill -9 is found again by it.
    """
    following_now = following(when, now)
    if next_at > now:
        return Turn(None, next_at)
    if missed == "once" or now - next_at <= LATE:
        return Turn(next_at, following_now)
    latest = following(when, now - LATE)
    return Turn(latest if latest is not None and latest <= now else None, following_now)


def _cron(expression: str, after: datetime) -> CronSim:
    fields = len(expression.split())
    if fields == 6:
        raise CronTooFine(cron=expression[:LONGEST])
    if fields != 5 or len(expression) > LONGEST:
        raise CronWrong(cron=expression[:LONGEST], problem=f"it has {fields} fields")
    try:
        return CronSim(expression, after)
    except CronSimError as error:
        raise _wrong(expression, str(error)) from None


def _wrong(expression: str, said: str) -> CronWrong:
    """cronsim counts a day beyond the months' ends as a bad day; that it never comes says more."""
    field = said.removeprefix("Bad ").replace("day-of-month", "day").replace("day-of-week", "weekday")
    day = expression.split()[2]
    if field == "day" and all(part.isdecimal() and 1 <= int(part) <= 31 for part in re.split(r"[,/-]", day)):
        return CronNeverComes(cron=expression)
    return CronWrong(cron=expression, problem=f"its {field} cannot be read")


def _at(typed: str, zone: str) -> datetime:
    try:
        local = datetime.fromisoformat(typed)
        return (local if local.tzinfo else _real(local, _zone(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoTime(typed=typed[:60]) from None


def _real(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment that there is, at this local time or after it."""
    while (time := local.replace(tzinfo=zone)).astimezone(UTC).astimezone(zone) != time:
        local = local.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return time


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        raise NoSuchZone(zone=name[:60])
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    """Asked by name among these only: ZoneInfo itself opens a file by what it is given."""
    return frozenset(available_timezones())


def zones() -> list[str]:
    """For people to choose from."""
    return sorted(name for name in _zones() if "/" in name or name == "UTC")


def _ordinal(number: re.Match[str]) -> str:
    return number[1] + {"1": "st", "2": "nd", "3": "rd"}[number[1][-1]]
