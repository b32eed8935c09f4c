"""What can be looked at and done with one run's results, from its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from drybench.errors import NotFound
from drybench.web.door import ForAll
from drybench.web.downloads import INERT
from drybench.web.portal import Here
from drybench.web.previews import MOST_OF_A_PICTURE, kind_of, picture_type, preview
from drybench.web.routing import PageRoute
from drybench.web.templating import page

BLOCK = 1 << 16
PICTURE = {**INERT, "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"}

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/runs/{id}/preview/{path:path}")
def look_at(request: Request, portal: Here, asker: ForAll, id: str, path: str) -> HTMLResponse:
    run = portal.runs.get(asker.person, id)
    with portal.run_folders.open_output(run.id, run.attempt, path) as file:
        size = _size(file)
        found = preview(path, file, size)
    return page(request, "preview.html", asker=asker, run=run, name=path, size=size, preview=found)


@router.get("/runs/{id}/picture/{path:path}")
def picture(portal: Here, asker: ForAll, id: str, path: str) -> Response:
    """For an <img>, in which no script runs; by itself it is in a sandbox. Decoded by the browser only."""
    run = portal.runs.get(asker.person, id)
    file = portal.run_folders.open_output(run.id, run.attempt, path)
    beginning = file.read(BLOCK)
    kind = picture_type(path, beginning)
    if kind is None or kind_of(path, _size(file)) != "picture":
        file.close()
        raise NotFound(what="picture")
    headers = {**PICTURE, "content-disposition": "inline", "cache-control": "private, max-age=60"}
    return StreamingResponse(_bounded(file, beginning), media_type=kind, headers=headers)


@router.post("/runs/{id}/star")
def star(portal: Here, asker: ForAll, id: str) -> Response:
    portal.runs.star(asker.person, id, True, asker.origin)
    return RedirectResponse(f"/runs/{id}", 303)


@router.post("/runs/{id}/unstar")
def unstar(portal: Here, asker: ForAll, id: str) -> Response:
    portal.runs.star(asker.person, id, False, asker.origin)
    return RedirectResponse(f"/runs/{id}", 303)


def _size(file: BinaryIO) -> int:
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def _bounded(file: BinaryIO, beginning: bytes) -> Iterator[bytes]:
    with file:
        yield beginning
        left = MOST_OF_A_PICTURE - len(beginning)
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
