"""Many runs at once, from one table."""

from __future__ import annotations

from drybench.errors.base import NotFound, Refused


class SweepWrong(Refused):
    """This sweep does not fit the notebook: {problems}."""

    next_step = "Mend what is named; nothing was started."


class SweepNotLater(Refused):
    """Many runs at once begin now, and not at a time to come."""

    next_step = "Choose “Now”, or leave the part “Many runs” empty."


class SweepEmpty(Refused):
    """This sweep has no runs in it."""

    next_step = "Give at least one parameter with at least one value."


class SweepTooLarge(Refused):
    """This sweep would be {count} runs, and this bench takes up to {limit} in one."""

    next_step = "Take fewer values or larger steps, or ask the keeper for more (`sweep_most` under `[runs]`)."


class NoFilesFound(Refused):
    """No file in {folder} matches {pattern}{links}."""

    next_step = "Give a folder that has such files, and a pattern such as `*.tif`; links are passed over."


class PatternWrong(Refused):
    """“{pattern}” is no pattern for the names of files."""

    next_step = "Give one such as `*.tif`; the folder is given by itself."


class NoSuchSweep(NotFound):
    """There is no such sweep of yours."""

    next_step = "The Runs page and `drybench sweeps` list those that you have."
