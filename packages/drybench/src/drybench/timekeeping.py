"""Schedules and notices, put together: what asks for them, and the two loops that see to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from drybench.asking import Desk
from drybench.data_folder import DataFolder
from drybench.model import Run
from drybench.notices.book import NoticeBook
from drybench.notices.channels import Channels
from drybench.notices.destinations import Destinations
from drybench.notices.sending import Sending
from drybench.notices.telling import Telling
from drybench.notices.words import Describe, Words
from drybench.runs.submitting import Runs
from drybench.schedules.asking import Schedules
from drybench.schedules.book import ScheduleBook
from drybench.schedules.coming_due import Scheduling
from drybench.schedules.folder import ScheduleFolders
from drybench.schedules.times import Schedule
from drybench.settings import Settings
from drybench.vault import Vault


@dataclass(frozen=True)
class Timekeeping:
    schedules: Schedules
    channels: Channels
    notices: NoticeBook
    scheduling: Scheduling
    telling: Telling
    now: Callable[[], datetime]

    @property
    def loops(self) -> tuple[Scheduling, Telling]:
        return self.scheduling, self.telling

    def run_ended(self, connection: Connection, run: Run) -> None:
        """Within the transaction that settles it."""
        self.notices.enqueue(connection, run, self.now())
        self.telling.wake()

    def run_held(self, connection: Connection, run: Run) -> None:
        """Within the transaction that notes it: it failed, and its kernel is kept."""
        self.notices.enqueue_held(connection, run, self.now())
        self.telling.wake()


def timekeeping(
    desk: Desk, runs: Runs, data: DataFolder, in_force: Settings, public: str, describe: Describe
) -> Timekeeping:
    """`public` is the bench's own address: for links, and never to be sent to."""
    book, notices = ScheduleBook(desk.ledger), NoticeBook(desk.ledger)
    folders = ScheduleFolders(data.schedules, in_force.runs.notebook_limit)
    host = public.partition("://")[2].partition(":")[0]
    may_reach = tuple(one.lower() for one in in_force.notices.may_reach)
    sending = Sending(in_force, Destinations(may_reach, host), desk.now)
    channels = Channels(desk, notices, Vault(data), sending)
    words = Words(desk.ledger, notices, book, describe, public)
    telling = Telling(notices, channels, words, sending, desk.changes, desk.now)

    def tell_of_trouble(schedule: Schedule, why: str) -> None:
        notices.enqueue_trouble(schedule, desk.now())
        telling.wake()

    scheduling = Scheduling(book, folders, runs, desk.changes, desk.now, tell_of_trouble)
    asking = Schedules(desk, book, folders, runs, scheduling.wake)
    return Timekeeping(asking, channels, notices, scheduling, telling, desk.now)
