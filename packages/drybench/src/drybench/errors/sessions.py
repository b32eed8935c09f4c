"""A session that is not there, or not as it was."""

from __future__ import annotations

from drybench.errors.base import Conflict, DrybenchError, NotFound, Refused


class SessionNameWrong(Refused):
    """“{name}” cannot be a session's name."""

    next_step = "Use 1 to 30 of a-z, 0-9 and hyphen, with a letter or digit at both ends."


class NameInUse(Conflict):
    """You have a session named {name} already."""

    next_step = "Open that one, or choose another name."


class NoSuchSession(NotFound):
    """There is no such session of yours."""

    next_step = "Home lists the sessions that you have."


class SessionNotRunning(DrybenchError):
    """This session is not running."""

    status = 424
    next_step = "Start it again on the bench's own page; what is saved is there."


class StillStopping(Conflict):
    """The session “{name}” is still stopping."""

    next_step = "Start it again in a moment."


class TaskMissing(Refused):
    """A session is started on the bench's own page, not here."""

    next_step = "Open the bench and start it there; or use its API: POST /api/v1/sessions."


class TaskNotWanted(Conflict):
    """This session was not asked for, or is not wanted any more."""

    next_step = "Start it from Home."
