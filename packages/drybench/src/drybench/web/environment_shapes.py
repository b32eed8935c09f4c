"""The JSON of environments, builds and wishes."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from drybench.images.pruning import Leftover, Leftovers
from drybench.images.records import Build
from drybench.images.tending import Trial
from drybench.images.wishes import Wish
from drybench.web.environment_view import Card, Whole
from drybench.web.log_text import readable
from drybench.web.shapes import AppJson, Ask, EnvironmentJson, Problem, Time

LONGEST = 200


class BringAsk(Ask):
    """Where an environment comes from: one of an image's name, a repository, a folder, or the files that are sent."""

    name: str = Field(max_length=LONGEST)
    title: str = Field(default="", max_length=LONGEST)
    summary: str = Field(default="", max_length=LONGEST)
    on: str = Field(default="base", max_length=LONGEST, description="The environment that it is built on")
    image: str = Field(default="", max_length=400)
    repository: str = Field(default="", max_length=1000, description="Of git, by https")
    branch: str = Field(default="", max_length=LONGEST)
    folder: str = Field(default="", max_length=4000, description="On the bench's own machine")
    everybody: bool = Field(default=False, description="Offer it to everybody: for the keeper")
    build: bool = Field(default=False, description="Begin to build it at once")


class OfferAsk(Ask):
    everybody: bool


class BuildAsk(Ask):
    fresh: bool = Field(default=False, description="Without what earlier builds left")


class WishAsk(Ask):
    what: str = Field(max_length=1000)
    why: str = Field(max_length=10_000)


class AnswerAsk(Ask):
    answer: str = Field(default="", max_length=10_000)


class OfferedJson(EnvironmentJson):
    """An environment, whether it can be used now, and what could be done for it. Sizes in bytes."""

    usable: bool
    why_not: str
    next_step: str
    remedy: str = Field(description="What would make it usable, or newer: build, pull, mend, or nothing")
    state: str
    image: str | None
    digest: str | None
    on: str | None
    needs: Sequence[str]
    bytes: int | None
    built_at: Time | None
    build: str | None = Field(description="The id of its last build")
    whose: str | None = Field(description="Who brought it; null: it is the bench's")
    everybody: bool
    source: str | None

    @classmethod
    def of_card(cls, card: Card, kernels: Sequence[str]) -> OfferedJson:
        one, offer, brought = card.offer.environment, card.offer, card.brought
        return cls(
            name=one.name,
            title=one.title,
            summary=one.summary,
            engine=one.engine,
            size=one.size,
            apps=[AppJson.model_validate(app) for app in one.apps],
            kernels=kernels,
            usable=offer.usable,
            why_not=offer.why_not.sentence if offer.why_not else "",
            next_step=offer.why_not.step if offer.why_not else "",
            remedy=offer.remedy,
            state=card.look.word,
            image=one.image,
            digest=one.digest,
            on=one.on,
            needs=one.needs,
            bytes=card.size,
            built_at=card.built_at,
            build=card.build.id if card.build else None,
            whose=brought.person if brought else None,
            everybody=brought.everybody if brought else True,
            source=brought.source if brought else None,
        )


class PackageJson(BaseModel):
    name: str
    version: str
    of: str


class BuildJson(BaseModel):
    id: str
    environment: str
    image: str
    fresh: bool
    pull: bool = Field(description="It is got from where it is shared, not built")
    state: str
    began_at: Time
    ended_at: Time | None
    now: str = Field(description="The environment whose image is being built: its parents come first")
    ahead: int | None = Field(description="So many builds go first, while it waits in line")
    step: int
    steps: int
    doing: str
    problem: str
    digest: str
    url: str

    @classmethod
    def of(cls, build: Build, public: str) -> BuildJson:
        return cls(**vars(build), url=f"{public}/builds/{build.id}")


class TriedJson(BaseModel):
    title: str
    passed: bool
    seconds: float
    said: str = Field(description="Its last lines")


class TrialJson(BaseModel):
    """What an image said when it was tried, and what it lacks to be used for sessions and runs."""

    began_at: Time
    goes_on: bool
    well: bool
    problem: str
    tried: Sequence[TriedJson]
    lacks: Sequence[Problem]

    @classmethod
    def of(cls, trial: Trial) -> TrialJson:
        checked = trial.checked
        return cls(
            began_at=trial.began_at,
            goes_on=trial.goes_on,
            well=bool(checked and checked.well),
            problem=trial.problem,
            tried=[
                TriedJson(
                    title=one.smoke.title, passed=one.passed, seconds=one.seconds, said=readable(one.said.encode())
                )
                for one in (checked.tried if checked else ())
            ],
            lacks=[Problem.model_validate(one.as_json()) for one in (checked.lacks if checked else ())],
        )


class VersionJson(BaseModel):
    id: str
    names: Sequence[str]
    bytes: int
    built_at: Time
    used: int = Field(description="By so many sessions and runs that have not ended")


class LeftoverJson(BaseModel):
    id: str
    names: Sequence[str]
    bytes: int


class LeftoversJson(BaseModel):
    """Images that nothing uses any more, and the bytes that become free without them."""

    images: Sequence[LeftoverJson]
    freed: int
    kept: Sequence[LeftoverJson] = Field(default=(), description="What Docker has kept, for something is made from it")

    @classmethod
    def of(cls, found: Leftovers, kept: Sequence[Leftover] = ()) -> LeftoversJson:
        return cls(
            images=[_leftover(one) for one in found.images], freed=found.freed, kept=[_leftover(one) for one in kept]
        )


class WholeJson(OfferedJson):
    packages: Sequence[PackageJson]
    builds: Sequence[BuildJson]
    versions: Sequence[VersionJson]
    trial: TrialJson | None

    @classmethod
    def of_whole(cls, whole: Whole, public: str) -> WholeJson:
        offered = OfferedJson.of_card(whole.card, whole.kernels)
        packages = [PackageJson(**vars(one)) for one in whole.packages]
        return cls(
            **vars(offered),
            packages=packages,
            builds=[BuildJson.of(one, public) for one in whole.builds],
            versions=[
                VersionJson(
                    id=one.image.id,
                    names=one.image.names,
                    bytes=one.image.size,
                    built_at=one.image.created_at,
                    used=one.used,
                )
                for one in whole.versions
            ],
            trial=TrialJson.of(whole.trial) if whole.trial else None,
        )


def _leftover(found: Leftover) -> LeftoverJson:
    return LeftoverJson(id=found.id, names=found.names, bytes=found.size)


class WishJson(BaseModel):
    id: str
    person: str
    what: str
    why: str
    at: Time
    answer: str
    answered_at: Time | None

    @classmethod
    def of(cls, wish: Wish) -> WishJson:
        return cls(**{name: getattr(wish, name) for name in cls.model_fields})
