"""Folders and files that work cannot see, or that cannot be had."""

from __future__ import annotations

from drybench.errors.base import DrybenchError, Refused


class NoSuchFolder(Refused):
    """There is no folder {path} on this machine."""

    next_step = "Give the path of a folder that exists and that you can open."


class FolderNotShown(Refused):
    """The folder {path} is not among those that are shown here."""

    next_step = "Begin at one of: {there}. The keeper can show more: `shown` under [folders] in drybench.toml."


class NoFilesHere(Refused):
    """What runs on this bench is of other accounts, so it has no files of yours to choose from."""

    next_step = "Choose the notebook from your own computer, or type paths as your runs see them."


class MountNotHere(Refused):
    """On this engine {source} cannot appear as {target}: what runs here sees the machine's folders as they are."""

    next_step = "Use the folder by its own name, or choose an environment on an engine with containers."


class MountNotAllowed(Refused):
    """The folder {source} has Docker's own socket in it, by which one is root on this machine, so no task sees it."""

    next_step = "The keeper takes it out of `[folders]` in drybench.toml, or names the folders in it that are needed."


class FolderNotGiven(DrybenchError):
    """The folder {source} cannot appear as {target} in your work: {why}."""

    status = 503
    next_step = "Ask the keeper of this bench: it is said below `[folders]` in drybench.toml."


class FolderNotMade(DrybenchError):
    """The folder {folder} could not be made for your work: {why}."""

    status = 507
    next_step = "Ask the keeper of this bench to mend that, then try it again."


class HandsTied(DrybenchError):
    """What another account owns in {folder} cannot be had just now: {problem}."""

    status = 503
    next_step = "It is tried again; if that does not help, ask the keeper of this bench whether Docker runs."
