"""Environments: what there is, what is inside, how it is built; one's own; and what the keeper is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench import beneath
from drybench.errors import DrybenchError, NotFound, Refused
from drybench.images import own
from drybench.quantities import bytes_in_words
from drybench.web.bringing_form import bringing, typed_ask
from drybench.web.door import Asker, ForAll
from drybench.web.downloads import INERT
from drybench.web.environment_shapes import BringAsk, WishAsk
from drybench.web.environment_view import build_look, builds_seen, cards, whole, wishes_seen
from drybench.web.log_text import readable
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.templating import page

LATEST = 10  # builds on the list
MOST_OF_A_LOG = 256 << 10  # bytes that are in the page itself; the rest comes by script, or as plain text
PICTURES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
LARGEST_PICTURE = 2 << 20

Typed = Annotated[str, Form(max_length=10_000)]
router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/environments")
def environments(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return _list(request, portal, asker)


@router.get("/environments/new")
def new(request: Request, portal: Here, asker: ForAll, on: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    return _new(request, portal, asker, BringAsk(name="", on=on or "base"))


@router.post("/environments/new")
async def bring(request: Request, portal: Here, asker: ForAll) -> Response:
    """What was typed stays when it is refused; a browser wants its files chosen anew."""
    ask = BringAsk(name="")
    try:
        ask, files = await typed_ask(request)
        asked = await bringing(portal, asker.person, ask, files)
        made = await run_in_threadpool(portal.workshop.own.add, asker.person, asked, asker.origin)
    except DrybenchError as refusal:
        if refusal.status >= 500:
            raise
        return await run_in_threadpool(_new, request, portal, asker, ask, refusal)
    if ask.build and portal.workshop.own.may_build(asker.person, made.name):
        return RedirectResponse(f"/builds/{(await portal.workshop.make(asker.person, made.name)).id}", 303)
    return RedirectResponse(f"/environments/{made.name}", 303)


@router.post("/environments/wishes")
def wish(request: Request, portal: Here, asker: ForAll, what: Typed, why: Typed) -> Response:
    try:
        portal.workshop.wishes.ask(asker.person, what, why)
    except Refused as refusal:
        return _list(request, portal, asker, refusal=refusal, wish=WishAsk(what=what[:1000], why=why))
    return _list(request, portal, asker, done="The keeper has it. The answer will stand below.")


@router.post("/environments/wishes/{id}/answer")
def answer(portal: Here, asker: ForAll, id: str, answer: Typed = "") -> Response:
    portal.workshop.must_answer(asker.person, id)
    portal.workshop.wishes.answer(id, answer)
    return RedirectResponse(f"/environments#wish-{id}", 303)


@router.get("/environments/unused")
async def unused(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    """Asked of Docker itself, and so a page of its own: the list waits for nobody."""
    found = await portal.workshop.leftovers(asker.person)
    return page(request, "environments_unused.html", asker=asker, found=found, removed=None, kept=())


@router.post("/environments/unused")
async def prune(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    removed, kept = await portal.workshop.prune(asker.person)
    found = await portal.workshop.leftovers(asker.person)
    return page(request, "environments_unused.html", asker=asker, found=found, removed=removed, kept=kept)


@router.get("/environments/{id}")
def environment(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    return _one(request, portal, asker, id)


@router.get("/environments/{id}/picture", response_class=Response)
def picture(portal: Here, asker: ForAll, id: str) -> Response:
    """Anybody's, who brings one: it is shown as a picture and does nothing else."""
    recipe = portal.workshop.own.offer(asker.person, id).recipe
    kind = PICTURES.get(recipe.picture.suffix.lower()) if recipe and recipe.picture else None
    if recipe is None or recipe.picture is None or kind is None:
        raise NotFound(what="picture")
    try:
        content = beneath.read_beneath(recipe.folder, recipe.picture.name, LARGEST_PICTURE)
    except OSError:
        raise NotFound(what="picture") from None
    return Response(content, media_type=kind, headers={**INERT, "cache-control": "private, max-age=3600"})


@router.post("/environments/{id}/build")
async def build(portal: Here, asker: ForAll, id: str, fresh: Annotated[bool, Form()] = False) -> Response:
    return RedirectResponse(f"/builds/{(await portal.workshop.make(asker.person, id, fresh)).id}", 303)


@router.post("/environments/{id}/check")
async def check(portal: Here, asker: ForAll, id: str) -> Response:
    await portal.workshop.try_image(asker.person, id)
    return RedirectResponse(f"/environments/{id}#trial", 303)


@router.post("/environments/{id}/offer")
def offer(portal: Here, asker: ForAll, id: str, everybody: Annotated[bool, Form()] = False) -> Response:
    portal.workshop.own.offer_to(asker.person, id, everybody, asker.origin)
    return RedirectResponse(f"/environments/{id}", 303)


@router.post("/environments/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.workshop.own.remove(asker.person, id, asker.origin)
    return RedirectResponse("/environments", 303)


@router.get("/builds/{id}")
def the_build(request: Request, portal: Here, asker: ForAll, id: str) -> HTMLResponse:
    found = portal.workshop.build(asker.person, id)
    log = portal.workshop.builds.log(id, 0, MOST_OF_A_LOG)
    return page(
        request,
        "build.html",
        asker=asker,
        build=found,
        look=build_look(found),
        may_build=portal.workshop.own.may_build(asker.person, found.environment),
        next_step="Mend that and build it again; the steps before it are not done again.",
        log=readable(log),
    )


@router.post("/builds/{id}/cancel")
async def cancel(portal: Here, asker: ForAll, id: str) -> Response:
    await portal.workshop.cancel(asker.person, id)
    return RedirectResponse(f"/builds/{id}", 303)


def _list(
    request: Request,
    portal: Portal,
    asker: Asker,
    refusal: Refused | None = None,
    done: str = "",
    wish: WishAsk | None = None,
) -> HTMLResponse:
    return page(
        request,
        "environments.html",
        status=refusal.status if refusal else 200,
        asker=asker,
        cards=cards(portal, asker.person),
        builds=[(one, build_look(one)) for one in builds_seen(portal, asker.person)[:LATEST]],
        keeps=portal.workshop.own.keeps(asker.person),
        away=portal.workshop.shelf.away,
        wishes=wishes_seen(portal, asker.person),
        wish=wish or WishAsk(what="", why=""),
        refusal=refusal,
        done=done,
    )


def _one(
    request: Request, portal: Portal, asker: Asker, name: str, refusal: DrybenchError | None = None
) -> HTMLResponse:
    found = whole(portal, asker.person, name)
    return page(
        request,
        "environment.html",
        asker=asker,
        whole=found,
        card=found.card,
        builds=[(one, build_look(one)) for one in found.builds],
        keeps=portal.workshop.own.keeps(asker.person),
        refusal=refusal,
    )


def _new(
    request: Request, portal: Portal, asker: Asker, ask: BringAsk, refusal: DrybenchError | None = None
) -> HTMLResponse:
    below = [one.environment for one in portal.workshop.own.offered(asker.person) if one.environment.image]
    return page(
        request,
        "environment_new.html",
        status=refusal.status if refusal else 200,
        asker=asker,
        ask=ask,
        below=below,
        refusal=refusal,
        by_name=portal.settings.images.allow_by_name,
        keeps=portal.workshop.own.keeps(asker.person),
        builds_own=portal.workshop.own.keeps(asker.person) or portal.settings.images.people_build,
        files_shown=portal.files.are_shown(asker.person),
        limit=bytes_in_words(own.MOST_BYTES),
    )
