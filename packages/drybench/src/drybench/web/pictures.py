"""The last figure of a run, as a small picture. A task wrote it: only what is a PNG or a JPEG by its first bytes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from drybench.errors import NotFound, RecordUnreadable
from drybench.web.door import ForRuns
from drybench.web.downloads import INERT
from drybench.web.portal import Here, Portal
from drybench.web.routing import PageRoute

MOST = 2 << 20  # bytes; the runner keeps no larger one
NAMES = {"picture.png": ("image/png", b"\x89PNG\r\n\x1a\n"), "picture.jpg": ("image/jpeg", b"\xff\xd8\xff")}
FOR_A_DAY = "private, max-age=86400, immutable"  # an attempt that has ended does not change

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/runs/{id}/picture", response_class=Response)
@router.get("/api/v1/runs/{id}/picture", response_class=Response)
def picture(portal: Here, asker: ForRuns, id: str, attempt: Annotated[int | None, Query(ge=1)] = None) -> Response:
    run = portal.runs.get(asker.person, id)
    if attempt is not None and attempt > run.attempt:
        raise NotFound(what="picture")
    kind, content = _read(portal, id, attempt or run.attempt)
    keep = {"cache-control": FOR_A_DAY} if attempt else {}
    return Response(content, media_type=kind, headers={**INERT, **keep})


def picture_of(portal: Portal, run_id: str, attempt: int) -> str | None:
    """The name of the file, without looking into it."""
    return next((name for name in NAMES if portal.run_folders.has_made(run_id, attempt, name)), None)


def _read(portal: Portal, id: str, attempt: int) -> tuple[str, bytes]:
    for name, (kind, beginning) in NAMES.items():
        try:
            content = portal.run_folders.made_file(id, attempt, name, MOST)
        except RecordUnreadable:
            continue  # a link, a pipe, or too large
        if content is not None and content.startswith(beginning):
            return kind, content
    raise NotFound(what="picture")
