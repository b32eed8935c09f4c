"""Where this bench works, what is off on it, why, and by which setting: said on the page that explains engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drybench.catalogue import Offer
from drybench.settings import Settings
from drybench.web.portal import Portal
from drybench.web.shapes import LimitJson

IN_CONTAINERS = LimitJson(
    what="Work in containers",
    why="Each session and each run has a container of its own and its person's own account. It sees that person's home "
    "and what the keeper mounts, and reaches the internet, but neither its neighbours nor this machine.",
    setting="engines.docker.use",
    on=True,
)
ON_THE_MACHINE = LimitJson(
    what="Work on this machine itself",
    why="What has no container works under the account that the bench has, with all that this account can do.",
    on=True,
)
NOT_GUARDED = LimitJson(
    what="The rules that keep containers from this machine",
    why="The keeper lets containers start also where these rules cannot be set. Then they reach whatever listens here.",
    setting="engines.docker.without_firewall",
)
ONE_NUMBER = LimitJson(
    what="Accounts of their own for people in containers",
    why="The keeper gives all containers one and the same account. Only the containers keep people apart then: each "
    "sees its own person's home, and whatever several people can reach belongs to all of them.",
    setting="accounts.of",
)
ONE_ACCOUNT = LimitJson(
    what="Sessions and runs of a second person on this machine itself",
    why="Everything that works there has one and the same account, so whoever runs something could read and change "
    "what another person has. So one person is served there.",
    setting="engines.local.people_trust_each_other",
)
TRUSTED = LimitJson(
    what="Protection from one another of those who work on this machine itself",
    why="The keeper has said that they trust each other with everything: all that works there has one and the same "
    "account, so each of them can read and change everything of the others.",
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
    why="What works on this machine itself could change its own notebook and settings after it was asked for, and "
    "reach the socket by which this account commands the bench. The two halves of a run folder guard against "
    "accidents; the ledger keeps the hash of what was given, so a change shows. In a container neither is possible.",
)


def limits_of(portal: Portal) -> Sequence[LimitJson]:
    return limits(portal.settings, portal.workshop.shelf.away, portal.catalogue.offered())


def limits(settings: Settings, no_containers: str, offered: Sequence[Offer]) -> Sequence[LimitJson]:
    """`no_containers`: why there are none; empty where there are."""
    around = _without(no_containers) if no_containers else _within(settings, offered)
    return sorted((*around, ON_THE_MACHINE, *_of_people(settings), RECORD), key=lambda one: not one.on)


def _without(why: str) -> Iterator[LimitJson]:
    whole = f"{why[:1].upper()}{why[1:]}. So environments with an image cannot be used, and everything works on this "
    yield LimitJson(what="Work in containers", why=f"{whole}machine itself.", setting="engines.docker.use")


def _within(settings: Settings, offered: Sequence[Offer]) -> Iterator[LimitJson]:
    yield IN_CONTAINERS
    if missing := [
        offer.environment.title for offer in offered if not offer.usable and offer.remedy in ("build", "pull")
    ]:
        why = "Their images are not on this machine. The keeper builds them, or gets them, on the page Environments."
        yield LimitJson(what=f"Environments without an image: {', '.join(missing)}", why=why)
    if settings.engines.docker.without_firewall:
        yield NOT_GUARDED
    if settings.accounts.of == "shared":
        yield ONE_NUMBER


def _of_people(settings: Settings) -> Iterator[LimitJson]:
    yield TRUSTED if settings.engines.local.people_trust_each_other else ONE_ACCOUNT
    if not settings.bench.own_host_names:
        yield SHARED_HOST if settings.bench.people_share_one_host_name else ONE_PERSON
