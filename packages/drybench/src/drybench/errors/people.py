"""Who one is, and what one may."""

from __future__ import annotations

from drybench.errors.base import Conflict, DrybenchError, NotAllowed, Refused


class NotSignedIn(DrybenchError):
    """You are not signed in, or no longer."""

    status = 401
    next_step = "Sign in on the bench's own page, or send a token that is still good."


class SignInBroken(NotAllowed):
    """This sign-in began elsewhere, or too long ago."""

    next_step = "Sign in again."


class TicketUnknown(NotAllowed):
    """This one-time link is none of this bench's, or its code is not complete."""

    next_step = "Copy the whole link; or print a new one on the bench's machine: `drybench ticket`."


class TicketUsed(NotAllowed):
    """This one-time link has been used already."""

    next_step = "Each link signs in once. Print a new one on the bench's machine: `drybench ticket`."


class TicketExpired(NotAllowed):
    """This one-time link is too old; it was good for {minutes} minutes."""

    next_step = "Print a new one on the bench's machine: `drybench ticket`."


class TokenTooNarrow(NotAllowed):
    """This token may ask for runs and read them, and nothing else."""

    next_step = "Use a token of your own: the Hub's token page makes one."


class KeeperOnly(NotAllowed):
    """Only the keeper of this bench may {deed}."""

    next_step = "Ask {keeper}, who keeps this bench."


class SecondPerson(NotAllowed):
    """
    This bench serves one person, {first}, because a page in one person's session could act as whoever looks at it.
    """

    next_step = (
        "The keeper can give each person's sessions a host name of their own: `own_host_names = true` under [bench] "
        "in drybench.toml; or accept the risk: `people_share_one_host_name = true`."
    )


class OneAccount(NotAllowed):
    """Everything that runs here runs as one account of this machine, so it serves one person only."""

    next_step = (
        "If these people trust each other with everything, the keeper can set "
        "`people_trust_each_other = true` under `[engines.local]` in drybench.toml."
    )


class UnknownToTheHub(Refused):
    """{name} has never signed in here, so nothing can be started in that name."""

    next_step = "Sign in once in a browser: `drybench ticket` prints a link for the owner of the bench."


class JustDeleted(NotAllowed):
    """The account “{name}” was deleted a moment ago."""

    next_step = "An account of the same name is somebody new, and can work here in a minute."


class SessionsGoOn(Conflict):
    """The sessions of {name} have been told to end and have not ended yet."""

    next_step = "Delete {name} again in a moment."


class NoAccount(DrybenchError):
    """There is no account for {name} on this machine that its work could have: {why}."""

    status = 503
    next_step = "Ask the keeper of this bench: it is said below `[accounts]` in drybench.toml."
