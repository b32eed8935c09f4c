"""/api/v1/channels: the JSON twin of the page “Tell me”; and what was told of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from drybench.notices import kinds as notice_kinds
from drybench.notices.channels import ChannelRequest
from drybench.notices.messages import Channel, Notice, On
from drybench.web.door import ForAll, ForRuns
from drybench.web.portal import Here, Portal
from drybench.web.shapes import Ask, Items, Problem


class ChannelAsk(Ask):
    kind: str = Field(description=", ".join(notice_kinds.KINDS))
    address: str = Field(max_length=4000)
    name: str = Field(default="", max_length=200)
    on: On = "failure"


class OnAsk(Ask):
    on: On


class ChannelJson(BaseModel):
    """Its address is never told again; `hint` is enough to know which one it is."""

    id: str
    name: str
    kind: str
    hint: str
    on: On
    last_problem: str
    created_at: datetime

    @classmethod
    def of(cls, channel: Channel, hint: str) -> ChannelJson:
        shared = {name: value for name, value in vars(channel).items() if name in cls.model_fields}
        return cls(hint=hint, **shared)


class NewChannelJson(ChannelJson):
    secret: str = Field(description="Of a webhook, for its signatures: told this once.")


class NoticeJson(BaseModel):
    channel: str
    name: str
    kind: str
    state: Literal["waiting", "sent", "failed"]
    tries: int
    next_at: datetime | None
    problem: str
    sent_at: datetime | None

    @classmethod
    def of(cls, notice: Notice) -> NoticeJson:
        waits = notice.state == "waiting"
        return cls(
            channel=notice.channel.id,
            name=notice.channel.name,
            kind=notice.channel.kind,
            state=notice.state,
            tries=notice.tries,
            next_at=notice.next_at if waits else None,
            problem=notice.said,
            sent_at=notice.sent_at,
        )


router = APIRouter(
    prefix="/api/v1",
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 502, 503)},
)


@router.get("/channels")
def channels(portal: Here, asker: ForRuns) -> Items[ChannelJson]:
    return Items(items=[channel_json(portal, one) for one in portal.channels.mine(asker.person)])


@router.post("/channels", status_code=201)
async def add(portal: Here, asker: ForAll, ask: ChannelAsk) -> NewChannelJson:
    wanted = ChannelRequest(ask.kind, ask.address, ask.name, ask.on)
    made = await portal.channels.add(asker.person, wanted, asker.origin)
    hint = portal.channels.hint(made.channel)
    return NewChannelJson(secret=made.secret, **ChannelJson.of(made.channel, hint).model_dump())


@router.post("/channels/{id}/on")
def tell_on(portal: Here, asker: ForAll, id: str, ask: OnAsk) -> ChannelJson:
    """For all runs that do not say it themselves."""
    return channel_json(portal, portal.channels.tell_on(asker.person, id, ask.on, asker.origin))


@router.post("/channels/{id}/test", status_code=204)
async def test(portal: Here, asker: ForAll, id: str) -> None:
    """Send a message now."""
    await portal.channels.test(asker.person, id)


@router.delete("/channels/{id}", status_code=204)
def remove(portal: Here, asker: ForAll, id: str) -> None:
    portal.channels.remove(asker.person, id, asker.origin)


@router.get("/runs/{id}/notices")
def notices(portal: Here, asker: ForRuns, id: str) -> Items[NoticeJson]:
    """Who was told how it ended, and what went wrong with it."""
    run = portal.runs.get(asker.person, id)
    return Items(items=[NoticeJson.of(notice) for notice in portal.channels.of_run(run)])


def channel_json(portal: Portal, channel: Channel) -> ChannelJson:
    return ChannelJson.of(channel, portal.channels.hint(channel))
