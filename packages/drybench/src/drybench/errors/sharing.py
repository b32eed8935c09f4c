"""A desktop that cannot be shared, or is not shared any more."""

from __future__ import annotations

from drybench.errors.base import Conflict, NotAllowed, NotFound, Refused


class SharingOff(NotAllowed):
    """
    Sessions cannot be shared on this bench, because they have no host names of their own: a page in one person's
    session could act as whoever looks at it.
    """

    next_step = (
        "The keeper can give each person's sessions a host name of their own: `own_host_names = true` under [bench] "
        "in drybench.toml."
    )


class NoSuchShare(NotFound):
    """Nothing of that address is shared with you, or not any more."""

    next_step = "Home lists what is shared with you. Ask whoever sent you the address to share it again."


class NotRunningYet(Conflict):
    """The session “{name}” is not running, so there is nothing to see in it."""

    next_step = "Start it on Home, and share it then."


class NothingToSee(Refused):
    """The session “{name}” has no desktop that could be shared."""

    next_step = "Start a session in an environment with a desktop, and share that one."


class NoSuchScreen(Refused):
    """The session “{name}” has no screen named “{app}”; it has {there}."""

    next_step = "Choose one of these."


class NobodyOfThatName(Refused):
    """Nobody named “{name}” can sign in here."""

    next_step = "Check the spelling; a colleague who is new here signs in once, and can then be chosen."


class NoGroupOfThatName(Refused):
    """There is nobody here who is in a group named “{name}”."""

    next_step = "Check the spelling; the keeper of this bench can say which groups there are."


class NobodyTeaches(Refused):
    """Nobody here teaches a group of yours named “{name}”."""

    next_step = "Share it with a colleague; the keeper says in drybench.toml who teaches which group."


class NoSuchWall(NotFound):
    """You teach no group of that name."""

    next_step = "The keeper says who does: `teachers` under [sharing] in drybench.toml."


class SharedWithOneself(Refused):
    """This session is your own: you see it already."""

    next_step = "Choose a colleague or a group."


class WithWhom(Refused):
    """A session is shared with one colleague or with one group."""

    next_step = "Name the one or the other."


class NoSuchLength(Refused):
    """“{typed}” is no time for which a session can be shared."""

    next_step = "Give it as 30 min, 2 h or 3 d, at most 31 d; or say `today` or `week`."


class TooManyShares(Conflict):
    """You share as much as you can: {most}."""

    next_step = "End a share that you do not need any more."
