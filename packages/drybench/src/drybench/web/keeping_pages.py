"""How long runs are kept: the page that shows what goes next, and its JSON twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.errors import DaysWrong
from drybench.keeping_runs import KeepingRuns
from drybench.model import Person
from drybench.runs.retention import MOST_DAYS
from drybench.web.door import ForAll, ForRuns
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.shapes import Ask, Problem, Time
from drybench.web.templating import page

router = APIRouter(include_in_schema=False, route_class=PageRoute)
api = APIRouter(prefix="/api/v1", responses={status: {"model": Problem} for status in (401, 403, 404, 409, 422, 503)})


class GoingJson(BaseModel):
    id: str
    name: str
    at: Time


class RetentionJson(BaseModel):
    """`days` is one's own wish, `bench_days` the keeper's rule; 0 keeps for ever. What is starred never goes."""

    days: int
    bench_days: int
    going: Sequence[GoingJson]


class RetentionAsk(Ask):
    days: Annotated[int, Field(ge=0, le=MOST_DAYS)]


@router.get("/runs/kept")
def kept(request: Request, portal: Here, asker: ForAll) -> HTMLResponse:
    return _page(request, portal.keeping, asker.person, asker)


@router.post("/runs/kept")
def choose(request: Request, portal: Here, asker: ForAll, days: Annotated[str, Form(max_length=20)] = "") -> Response:
    try:
        portal.keeping.set_wish(asker.person, _days(days), asker.origin)
    except DaysWrong as wrong:
        return _page(request, portal.keeping, asker.person, asker, days, wrong)
    return RedirectResponse("/runs/kept", 303)


@router.post("/runs/{id}/remove")
def remove(portal: Here, asker: ForAll, id: str) -> Response:
    portal.keeping.remove(asker.person, id, asker.origin)
    return RedirectResponse("/runs", 303)


@api.get("/retention")
def retention(portal: Here, asker: ForRuns) -> RetentionJson:
    """What is removed by itself, and what of one's own goes within the next thirty days."""
    return _json(portal.keeping, asker.person)


@api.put("/retention")
def set_retention(portal: Here, asker: ForAll, ask: RetentionAsk) -> RetentionJson:
    """One's own wish. A stricter one removes nothing in its first week."""
    portal.keeping.set_wish(asker.person, ask.days, asker.origin)
    return _json(portal.keeping, asker.person)


@api.delete("/runs/{id}", status_code=204)
def remove_run(portal: Here, asker: ForAll, id: str) -> None:
    """A run that has ended, with its notebook and all its files; for good."""
    portal.keeping.remove(asker.person, id, asker.origin)


def _days(typed: str) -> int:
    word = typed.strip()
    if word and not (word.isascii() and word.isdecimal()):
        raise DaysWrong(most=MOST_DAYS)
    return int(word or 0)


def _json(keeping: KeepingRuns, person: Person) -> RetentionJson:
    wish = keeping.wish(person)
    going = [GoingJson(id=one.run.id, name=one.run.name, at=one.at) for one in keeping.going(person)]
    return RetentionJson(days=wish.days if wish else 0, bench_days=keeping.bench_rule.days, going=going)


def _page(
    request: Request,
    keeping: KeepingRuns,
    person: Person,
    asker: object,
    typed: str | None = None,
    refusal: DaysWrong | None = None,
) -> HTMLResponse:
    wish = keeping.wish(person)
    return page(
        request,
        "runs_kept.html",
        status=refusal.status if refusal else 200,
        asker=asker,
        days=typed if typed is not None else (wish.days if wish else ""),
        bench_days=keeping.bench_rule.days,
        going=keeping.going(person),
        refusal=refusal,
    )
