"""A run that cannot be asked for, found or changed."""

from __future__ import annotations

from drybench.errors.base import Conflict, DrybenchError, NotFound, Refused


class RunAskWrong(Refused):
    """This cannot be asked of a run: {problem}."""

    next_step = "Change that and ask again."


class NameNotAllowed(Refused):
    """The name {name} cannot be used: {problem}."""

    next_step = "Give a name of 1 to 200 characters without slashes and control characters."


class RequirementsWrong(Refused):
    """This requirements.txt cannot be used: {problems}."""

    next_step = (
        "Name packages one a line, such as `scikit-image>=0.24`; where packages come from is the keeper's to set "
        "(`requirements_from_anywhere` under [runs])."
    )


class EnvironmentGone(Refused):
    """The environment {name} is no longer here as it was when this run was made."""

    next_step = "Run it again with today's environment; the receipts of both say what differs."


class DaysWrong(Refused):
    """Runs are kept for a whole number of days, at most {most}."""

    next_step = "Give such a number, or none to keep them for ever."


class TimeoutWrong(Refused):
    """A time limit is more than no time and at most a year."""

    next_step = "Give another one, or leave it out for the limit of the bench."


class TimeWrong(Refused):
    """“{typed}” is no time."""

    next_step = "Give it as 90 s, 30 min or 2 h."


class NoSuchState(Refused):
    """No run is ever “{name}”."""

    next_step = "Choose one of: {there}."


class ChooseTwo(Refused):
    """{count} runs are chosen, and two can be compared."""

    next_step = "Go back and mark two of them."


class NoSuchRun(NotFound):
    """There is no such run of yours."""

    next_step = "The Runs page and `drybench runs` list those that you have."


class NoSuchFile(NotFound):
    """There is no such file among the outputs of this run."""

    next_step = "The run's page lists the files that it made."


class NotHeld(Conflict):
    """The kernel of this run is not kept, or not any more."""

    next_step = "Run it again, and let its kernel be kept when it fails."


class HasEnded(Conflict):
    """It has ended, and what has ended does not change any more."""

    next_step = "Look at how it ended; to have it once more, start it again."


class OnlyForward(Conflict):
    """It is {now} already and does not go back to {asked}."""

    next_step = "Look at it again: something else has changed it meanwhile."


class StillOpen(Conflict):
    """It has not ended yet."""

    next_step = "Stop it first, and wait until it says that it has ended."


class RecordUnreadable(DrybenchError):
    """The run's record {file} cannot be read: {problem}."""

    next_step = "Look at the run's log, and run it again; if this comes back, tell the keeper of this bench."
