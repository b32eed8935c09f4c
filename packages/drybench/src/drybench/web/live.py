"""One stream for a browser: what of this person's has changed. The pages then ask for what it is now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from drybench.changes import Change
from drybench.errors import DrybenchError
from drybench.web.door import Asker, ForAll, still_counts

QUIET = 15.0  # seconds; then a comment, so that nobody between us and the browser takes the stream for dead
ALL = Change("all", "", "")  # some were missed: look at everything

router = APIRouter(include_in_schema=False)


@router.get("/live")
async def live(request: Request, asker: ForAll) -> StreamingResponse:
    return StreamingResponse(
        _events(request, asker), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def next_changes(queue: asyncio.Queue[Change | None], ending: asyncio.Event) -> list[Change]:
    """What has come, all of it at once; nothing after a while without."""
    news, over = asyncio.create_task(queue.get()), asyncio.create_task(ending.wait())
    try:
        await asyncio.wait((news, over), timeout=QUIET, return_when=asyncio.FIRST_COMPLETED)
        found = [news.result()] if news.done() else []
    finally:
        news.cancel()
        over.cancel()
    with suppress(asyncio.QueueEmpty):
        while True:
            found.append(queue.get_nowait())
    return [change or ALL for change in found]


async def _events(request: Request, asker: Asker) -> AsyncIterator[str]:
    """Ends when the portal does, or when the sign-in no longer counts."""
    with request.app.state.portal.changes.listen() as queue:
        yield "retry: 1000\n\n"
        while not request.app.state.ending.is_set():
            changes = await next_changes(queue, request.app.state.ending)
            if not await _counts(request, asker):
                return
            mine = [one for one in changes if one.person_id in (asker.person.id, "")]
            yield "".join(map(_event, dict.fromkeys(mine))) or ": still here\n\n"


async def _counts(request: Request, asker: Asker) -> bool:
    """With the Hub away the stream goes on: silence is no sign-out."""
    try:
        return await still_counts(request, asker)
    except DrybenchError:
        return True


def _event(change: Change) -> str:
    return f"event: changed\ndata: {json.dumps({'kind': change.kind, 'id': change.id})}\n\n"
