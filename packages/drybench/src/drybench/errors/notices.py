"""Being told of a run's end."""

from __future__ import annotations

from drybench.errors.base import DrybenchError, NotFound, Refused


class ChannelWrong(Refused):
    """This is no address for {title}: {problem}."""

    next_step = "It looks like {example}"


class TooManyChannels(Refused):
    """You have {most} channels already, which is as many as one person may have."""

    next_step = "Remove one that you no longer need."


class NoMailHere(Refused):
    """This bench sends no mail."""

    next_step = "Choose another way, or ask the keeper to name a mail server under [mail] in drybench.toml."


class PlaceNotAllowed(Refused):
    """{host} leads into this bench or the network around it, so nothing is sent there."""

    next_step = "Give an address on the internet, or ask the keeper to list it: `may_reach` under [notices]."


class NoSuchHost(Refused):
    """There is no host {host}."""

    next_step = "Look for a slip in the address."


class NoSuchChannel(NotFound):
    """There is no such channel of yours."""

    next_step = "The page “Tell me” and `drybench channels` list those that you have."


class NotTaken(DrybenchError):
    """{where} did not take the message: {why}."""

    status = 502
    next_step = "It is tried again for some hours; if it stays so, look at the channel's address."
