"""Schedules as JSON, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel

from drybench.schedules import times as schedules
from drybench.schedules.times import Missed, Schedule, When
from drybench.web.shapes import Ask


class WhenAsk(Ask):
    """One of `at` and `cron`; a time without an offset is meant in `zone`."""

    cron: str | None = None
    at: str | None = None
    zone: str = "UTC"


class ScheduleAsk(WhenAsk):
    """The field `schedule` of the form that asks for one."""

    missed: Missed = "once"
    notebook: Literal["now", "then"] = "now"  # as it is now, or its own file as it is at each time


class ComingJson(BaseModel):
    """What a cron expression or a time means."""

    words: str
    next: Sequence[datetime]  # at most five

    @classmethod
    def of(cls, when: When, after: datetime | None = None) -> ComingJson:
        return cls(words=schedules.in_words(when), next=schedules.coming(when, after or datetime.now(UTC)))


class ScheduleJson(BaseModel):
    id: str
    name: str
    person: str
    words: str
    cron: str | None
    at: datetime | None
    zone: str
    missed: Missed
    notebook: Literal["now", "then"]
    paused: bool
    next_at: datetime | None
    next: Sequence[datetime]
    last_at: datetime | None
    last_run: str | None
    problem: str  # why its last time brought no run
    created_at: datetime
    url: str

    @classmethod
    def of(cls, schedule: Schedule, reads_again: bool, url: str) -> ScheduleJson:
        ahead = schedules.coming(schedule.when, datetime.now(UTC)) if schedule.next_at else []
        shared: dict[str, Any] = {name: value for name, value in vars(schedule).items() if name in cls.model_fields}
        when = schedule.when
        return cls(
            words=schedules.in_words(when),
            cron=when.cron,
            at=when.at,
            zone=when.zone,
            notebook="then" if reads_again else "now",
            paused=schedule.paused_at is not None,
            next=ahead,
            url=url,
            **shared,
        )
