"""Runs that begin by themselves."""

from __future__ import annotations

from drybench.errors.base import Conflict, NotFound, Refused


class CronWrong(Refused):
    """“{cron}” names no times: {problem}."""

    next_step = "Give five fields, minute hour day month weekday: `30 7 * * 1-5` is every weekday at 07:30."


class CronTooFine(CronWrong):
    """“{cron}” has a sixth field, for seconds; nothing comes more often than every minute here."""

    next_step = "Give five fields, minute hour day month weekday: `* * * * *` is every minute."


class CronNeverComes(CronWrong):
    """“{cron}” names a day that never comes."""

    next_step = "Choose a day that its months have; `L` is the last one of a month."


class NoSuchZone(Refused):
    """There is no time zone “{zone}”."""

    next_step = "Give a name such as Europe/Berlin, America/New_York or UTC."


class NoTime(Refused):
    """“{typed}” is no day and time."""

    next_step = "Give it as 2030-01-31 07:30, with a time zone beside it or at its end."


class TimeIsOver(Refused):
    """{time} is over already."""

    next_step = "Choose a time to come; what shall run at once needs no schedule."


class TwoTimes(Refused):
    """A time and a cron expression were both given, or neither."""

    next_step = "Give one of the two."


class TooManySchedules(Refused):
    """You have {most} schedules already, which is as many as one person may have."""

    next_step = "Remove those that you no longer need."


class FileNotReadAgain(Refused):
    """The notebook {path} cannot be read each time anew: {why}."""

    next_step = "Put it where it was, or make the schedule again with the notebook as it is now."


class NoSuchSchedule(NotFound):
    """There is no such schedule of yours."""

    next_step = "The Schedules page and `drybench schedules` list those that you have."


class ScheduleOver(Conflict):
    """This schedule has no time to come."""

    next_step = "Remove it, and make a new one from the notebook."


class PreviousGoesOn(Conflict):
    """Its run of the time before was still going, so the time {time} was left out."""

    next_step = "Choose times that lie further apart, or look at what keeps that run."
