"""/api/v1/shares: the JSON twin of the pages around shared desktops. The picture itself is for browsers alone."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from drybench.sharing.asking import Seen, ShareRequest
from drybench.sharing.rules import Kind, Standing
from drybench.web.door import Asker, ForAll
from drybench.web.portal import Here, Portal
from drybench.web.shapes import Ask, Items, Problem, Time


class ShareAsk(Ask):
    person: str = Field(default="", max_length=200, description="A colleague's name; or")
    group: str = Field(default="", max_length=200, description="All who are in it; or")
    teachers: str = Field(default="", max_length=200, description="A group: those who teach it")
    control: bool = Field(default=False, description="They may use mouse and keyboard, too.")
    length: str = Field(default="1 h", max_length=40, description="`30 min`, `2 h`, `3 d`, `today` or `week`")
    zone: str = Field(default="UTC", max_length=60, description="The time zone of `today`")
    app: str = Field(default="", max_length=60, description="Whose screen; without it the first that there is")


class GuestJson(BaseModel):
    name: str
    since: Time


class ShareJson(BaseModel):
    """`watching` is told to the owner alone."""

    id: str
    session: str
    session_name: str
    app: str
    person: str
    with_kind: Kind
    with_name: str
    control: bool
    created_at: Time
    until: Time
    standing: Standing
    url: str
    watching: list[GuestJson]


router = APIRouter(
    prefix="/api/v1",
    responses={status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 503)},
)


@router.get("/sessions/{id}/shares")
def of_session(portal: Here, asker: ForAll, id: str) -> Items[ShareJson]:
    """With whom it is shared, and who looks at it now."""
    return Items(items=[share_json(portal, asker, seen) for seen in portal.shares.of_session(asker.person, id)])


@router.post("/sessions/{id}/shares", status_code=201)
async def share(portal: Here, asker: ForAll, id: str, ask: ShareAsk) -> ShareJson:
    """With the same colleague or group once more: from now on as it is said now."""
    request = ShareRequest(**ask.model_dump())
    return share_json(portal, asker, await portal.shares.share(asker.person, id, request, asker.origin))


@router.delete("/sessions/{id}/shares", status_code=204)
def end_all(portal: Here, asker: ForAll, id: str) -> None:
    """Nobody but its owner sees it from now on."""
    portal.shares.end_all(asker.person, id, asker.origin)


@router.get("/shares")
def shares(portal: Here, asker: ForAll, whose: Literal["mine", "others"] = "mine") -> Items[ShareJson]:
    """What one shares, or what others share with one."""
    found = portal.shares.mine if whose == "mine" else portal.shares.with_me
    return Items(items=[share_json(portal, asker, seen) for seen in found(asker.person)])


@router.get("/walls/{id}")
def wall(portal: Here, asker: ForAll, id: str) -> Items[ShareJson]:
    """The desktops that are shown to who teaches this group."""
    return Items(items=[share_json(portal, asker, seen) for seen in portal.shares.wall(asker.person, id)])


@router.get("/shares/{id}")
def one(portal: Here, asker: ForAll, id: str) -> ShareJson:
    return share_json(portal, asker, portal.shares.seen(asker.person, id))


@router.delete("/shares/{id}", status_code=204)
def end(portal: Here, asker: ForAll, id: str) -> None:
    """Who looks is cut off at once."""
    portal.shares.end(asker.person, id, asker.origin)


def share_json(portal: Portal, asker: Asker, seen: Seen) -> ShareJson:
    share, is_mine = seen.share, seen.share.person_id == asker.person.id
    shared = {name: value for name, value in vars(share).items() if name in ShareJson.model_fields}
    return ShareJson(
        session=share.session_id,
        session_name=seen.session.name if seen.session else "",
        standing=seen.standing,
        url=f"{portal.addresses.public}/shared/{share.id}",
        watching=[GuestJson(name=guest.name, since=guest.since) for guest in seen.watching] if is_mine else [],
        **shared,
    )
