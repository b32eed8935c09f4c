"""Tell me: the ways in which one hears of the end of one's runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import DrybenchError, NotTaken, Refused
from drybench.notices import kinds as notice_kinds
from drybench.notices.channels import ChannelRequest, Made
from drybench.notices.messages import Channel, On
from drybench.web.door import Asker, ForAll
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute
from drybench.web.templating import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Typed = Annotated[str, Form(max_length=4000)]


@dataclass(frozen=True)
class ShownChannel:
    channel: Channel
    title: str
    hint: str


@router.get("/notices")
def notices(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return _page(request, portal, asker)


@router.post("/notices")
async def add(
    request: Request,
    portal: Here,
    asker: ForAll,
    kind: Typed,
    address: Typed,
    name: Typed = "",
    on: Annotated[On, Form()] = "failure",
) -> Response:
    """The answer is the page itself where a secret is to be shown: it lies nowhere else."""
    wanted = ChannelRequest(kind, address, name, on)
    try:
        made = await portal.channels.add(asker.person, wanted, asker.origin)
    except Refused as refusal:
        return await run_in_threadpool(_page, request, portal, asker, refusal=refusal, typed=wanted)
    if not made.secret:
        return RedirectResponse(f"/notices#channel-{made.channel.id}", 303)
    return await run_in_threadpool(_page, request, portal, asker, made=made)


@router.post("/notices/{id}/on")
def tell_on(portal: Here, asker: ForAll, id: str, on: Annotated[On, Form()]) -> Response:
    portal.channels.tell_on(asker.person, id, on, asker.origin)
    return RedirectResponse(f"/notices#channel-{id}", 303)


@router.post("/notices/{id}/test")
async def test(request: Request, portal: Here, asker: ForAll, id: str) -> Response:
    try:
        await portal.channels.test(asker.person, id)
    except (NotTaken, Refused) as refusal:
        return await run_in_threadpool(_page, request, portal, asker, refusal=refusal)
    return await run_in_threadpool(_page, request, portal, asker, done="The test is sent.")


@router.post("/notices/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.channels.remove(asker.person, id, asker.origin)
    return RedirectResponse("/notices", 303)


def _page(
    request: Request,
    portal: Portal,
    asker: Asker,
    refusal: DrybenchError | None = None,
    typed: ChannelRequest | None = None,
    made: Made | None = None,
    done: str = "",
) -> HTMLResponse:
    mail = bool(portal.settings.mail.server)
    return page(
        request,
        "notices.html",
        status=refusal.status if refusal else 200,
        asker=asker,
        channels=[_shown(portal, one) for one in portal.channels.mine(asker.person)],
        kinds=[one for one in notice_kinds.KINDS.values() if mail or one.name != notice_kinds.MAIL],
        mail=mail,
        typed=typed or ChannelRequest("", ""),
        refusal=refusal,
        made=made,
        done=done,
    )


def _shown(portal: Portal, channel: Channel) -> ShownChannel:
    return ShownChannel(channel, notice_kinds.KINDS[channel.kind].title, portal.channels.hint(channel))
