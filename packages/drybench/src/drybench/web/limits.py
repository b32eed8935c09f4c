"""What is off on this bench, why, and by which setting: said on the page that explains engines."""

from __future__ import annotations

from collections.abc import Sequence

from drybench.settings import Settings
from drybench.web.shapes import LimitJson

ONE_ACCOUNT = LimitJson(
    what="Sessions and runs of a second person",
    why="Everything that runs here has one and the same account of this machine, so whoever runs something could "
    "read and change what another person has. So this bench serves one person.",
    setting="engines.local.people_trust_each_other",
)
TRUSTED = LimitJson(
    what="Protection of the people of this bench from one another",
    why="The keeper has said that they trust each other with everything: all that runs here has one and the same "
    "account of this machine, so each of them can read and change everything of the others.",
    setting="engines.local.people_trust_each_other",
)
ONE_PERSON = LimitJson(
    what="Sign-in of a second person",
    why="Sessions and this portal share one host name, and a page on it can do whatever the one who looks at it can "
    "do. With a host name for each person's sessions several people can sign in.",
    setting="bench.own_host_names",
)
SHARED_HOST = LimitJson(
    what="Sharing a session and looking into somebody else's",
    why="The keeper lets several people share one host name: a page in one person's session could act as whoever "
    "opens it. Open nobody else's session; with host names of their own this ends.",
    setting="bench.own_host_names",
)
RECORD = LimitJson(
    what="Protection of a record from its own run",
    why="What runs here could change its own notebook and settings after it was asked for, and reach the socket by "
    "which this account commands the bench. The two halves of a run folder guard against accidents; the ledger keeps "
    "the hash of what was given, so a change shows.",
)


def limits(settings: Settings) -> Sequence[LimitJson]:
    account = TRUSTED if settings.engines.local.people_trust_each_other else ONE_ACCOUNT
    if settings.bench.own_host_names:
        return [account, RECORD]
    return [account, SHARED_HOST if settings.bench.people_share_one_host_name else ONE_PERSON, RECORD]
