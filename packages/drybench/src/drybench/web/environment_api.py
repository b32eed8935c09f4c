"""/api/v1/environments, /builds and /wishes: the JSON twins of the Environments pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from drybench.web.bringing_form import bringing, sent_ask
from drybench.web.door import ForAll, ForRuns
from drybench.web.downloads import plain_text
from drybench.web.environment_shapes import (
    AnswerAsk,
    BringAsk,
    BuildAsk,
    BuildJson,
    LeftoversJson,
    OfferAsk,
    OfferedJson,
    TrialJson,
    WholeJson,
    WishAsk,
    WishJson,
)
from drybench.web.environment_view import Card, builds_seen, cards, whole, wishes_seen
from drybench.web.form_description import several
from drybench.web.log_text import part
from drybench.web.portal import Here, Portal
from drybench.web.shapes import Items, Problem

FILES = "A file that it is made of, named by its path"
MOST_OF_A_LOG = 1 << 20  # bytes in one look
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}
Since = Annotated[int, Query(ge=0, le=1 << 40, description="Bytes that are known already")]

router = APIRouter(
    prefix="/api/v1",
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 502, 503)},
)


@router.get("/environments")
def environments(portal: Here, asker: ForRuns, all: bool = False) -> Items[OfferedJson]:
    """Those that can be used now; with `all` also those that cannot, with the reason."""
    found = cards(portal, asker.person)
    return Items(items=[_json(portal, card) for card in found if all or card.offer.usable])


@router.post("/environments", status_code=201, openapi_extra=several("files", FILES, request=BringAsk))
async def bring(request: Request, portal: Here, asker: ForAll) -> WholeJson:
    """Bring one's own: a form with the field `request` (JSON) and a field `files` for each file, named by its path."""
    ask, files = await sent_ask(request)
    asked = await bringing(portal, asker.person, ask, files)
    made = await run_in_threadpool(portal.workshop.own.add, asker.person, asked, asker.origin)
    if ask.build and portal.workshop.own.may_build(asker.person, made.name):
        await portal.workshop.make(asker.person, made.name)
    return await run_in_threadpool(environment, portal, asker, made.name)


@router.get("/environments/{id}")
def environment(portal: Here, asker: ForRuns, id: str) -> WholeJson:
    """What is inside, and its latest builds."""
    return WholeJson.of_whole(whole(portal, asker.person, id), portal.addresses.public)


@router.delete("/environments/{id}", status_code=204)
def remove(portal: Here, asker: ForAll, id: str) -> None:
    """One that somebody brought."""
    portal.workshop.own.remove(asker.person, id, asker.origin)


@router.post("/environments/{id}/build", status_code=201)
async def build(portal: Here, asker: ForAll, id: str, ask: BuildAsk | None = None) -> BuildJson:
    """Begin to build its image, or give back the build that goes on."""
    begun = await portal.workshop.make(asker.person, id, ask.fresh if ask else False)
    return BuildJson.of(begun, portal.addresses.public)


@router.post("/environments/{id}/check", status_code=202)
async def check(portal: Here, asker: ForAll, id: str) -> TrialJson:
    """Begin to try its image; the environment then says how it went."""
    return TrialJson.of(await portal.workshop.try_image(asker.person, id))


@router.post("/environments/{id}/offer")
def offer(portal: Here, asker: ForAll, id: str, ask: OfferAsk) -> WholeJson:
    """Offer what somebody brought to everybody, or to them alone again."""
    portal.workshop.own.offer_to(asker.person, id, ask.everybody, asker.origin)
    return environment(portal, asker, id)


@router.get("/images/unused")
async def unused(portal: Here, asker: ForAll) -> LeftoversJson:
    """For the keeper: images that nothing uses any more, and how much room they take."""
    return LeftoversJson.of(await portal.workshop.leftovers(asker.person))


@router.post("/images/prune")
async def prune(portal: Here, asker: ForAll) -> LeftoversJson:
    """Remove them."""
    return LeftoversJson.of(*await portal.workshop.prune(asker.person))


@router.get("/builds")
def builds(portal: Here, asker: ForRuns) -> Items[BuildJson]:
    """The newest first."""
    return Items(items=[BuildJson.of(one, portal.addresses.public) for one in builds_seen(portal, asker.person)])


@router.get("/builds/{id}")
def one_build(portal: Here, asker: ForRuns, id: str) -> BuildJson:
    return BuildJson.of(portal.workshop.build(asker.person, id), portal.addresses.public)


@router.get("/builds/{id}/log", response_class=Response, responses=TEXT)
def log(portal: Here, asker: ForRuns, id: str, since: Since = 0) -> Response:
    """What the build said, as plain text in whole lines; the header `drybench-next` says from where to ask on."""
    found = portal.workshop.build(asker.person, id)
    said = part(portal.workshop.builds.log(id, since, MOST_OF_A_LOG), found.is_over)
    return plain_text(said.text.encode(), {"drybench-next": str(since + said.taken)})


@router.post("/builds/{id}/cancel", status_code=202)
async def cancel(portal: Here, asker: ForAll, id: str) -> BuildJson:
    await portal.workshop.cancel(asker.person, id)
    return await run_in_threadpool(one_build, portal, asker, id)


@router.get("/wishes")
def wishes(portal: Here, asker: ForAll) -> Items[WishJson]:
    """The programs that one has asked for; the keeper sees those of all."""
    return Items(items=[WishJson.of(one) for one in wishes_seen(portal, asker.person)])


@router.post("/wishes", status_code=201)
def ask_for(portal: Here, asker: ForAll, ask: WishAsk) -> WishJson:
    """Ask the keeper for a program."""
    return WishJson.of(portal.workshop.wishes.ask(asker.person, ask.what, ask.why))


@router.post("/wishes/{id}/answer")
def answer(portal: Here, asker: ForAll, id: str, ask: AnswerAsk | None = None) -> WishJson:
    portal.workshop.must_answer(asker.person, id)
    return WishJson.of(portal.workshop.wishes.answer(id, ask.answer if ask else ""))


def _json(portal: Portal, card: Card) -> OfferedJson:
    return OfferedJson.of_card(card, portal.catalogue.kernels(card.offer.environment))
