"""Whom a shared desktop is for, and whether they may see it now. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from drybench import planning
from drybench.errors import NoSuchLength
from drybench.model import Person, Session
from drybench.phases import Phase, Wanted
from drybench.quantities import in_seconds
from drybench.schedules.times import When, following

Kind = Literal["person", "group", "teachers"]

PERSON: Kind = "person"
GROUP: Kind = "group"
TEACHERS: Kind = "teachers"  # of a group
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=31)


class Standing(StrEnum):
    """Of a share, as its page says it."""

    OPEN = "open"
    NOT_YET = "not yet"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(frozen=True)
class Share:
    id: str
    session_id: str
    app: str  # whose screen is seen
    person_id: str  # whose session it is
    person: str
    with_kind: Kind
    with_id: str | None  # of a colleague: a name deleted and made again is somebody new
    with_name: str
    control: bool  # else they only see
    created_at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def is_over(self, now: datetime) -> bool:
        return self.ended_at is not None or now >= self.until


def is_for(share: Share, person: Person, teaches: Collection[str] = ()) -> bool:
    """Groups are those that the person is in, or teaches, at this moment."""
    if share.person_id == person.id:
        return False
    if share.with_kind == TEACHERS:
        return share.with_name in teaches
    return share.with_name in person.groups if share.with_kind == GROUP else share.with_id == person.id


def standing(share: Share, session: Session | None, now: datetime) -> Standing:
    """A session that is started again is seen again, as long as there is time."""
    if session is None or share.is_over(now):
        return Standing.ENDED
    task = session.task
    if task.phase is Phase.ENDED or task.wanted is Wanted.STOP:
        return Standing.STOPPED
    is_there = task.phase is Phase.RUNNING and task.answers and session.ahead_since is None
    return Standing.OPEN if is_there else Standing.NOT_YET


def until(length: str, zone: str, now: datetime) -> datetime:
    """As it was typed: `2 h`, `3 d`, `week`, or `today`, which ends at midnight in that zone."""
    if length == "today":
        return following(When(zone, cron="0 0 * * *"), now) or now + timedelta(days=1)
    try:
        time = timedelta(days=7) if length == "week" else timedelta(seconds=in_seconds(length))
    except (ValueError, OverflowError):
        raise NoSuchLength(typed=length[:40]) from None
    if not SHORTEST <= time <= LONGEST:
        raise NoSuchLength(typed=length[:40])
    return now + time


def screens(session: Session) -> Sequence[str]:
    """The apps with a screen, of those with which this very task was started."""
    return [app.name for app in planning.apps_of(session.task.spec) if app.has_screen]


def guest_key(secret: str, task: str) -> str:
    """Opens the screens of this task to a guest: only the portal can make it, and it is worth nothing elsewhere."""
    return hmac.new(secret.encode(), task.encode(), hashlib.sha256).hexdigest()
