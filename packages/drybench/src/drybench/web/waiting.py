"""Wait for news of one run: what a program asks for in place of looking again and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from drybench.changes import Change
from drybench.model import Person, Run
from drybench.phases import Phase
from drybench.progressing import OUTPUT
from drybench.web.live import ALL, next_changes
from drybench.web.portal import Portal
from drybench.within import within

SETTLED_WITHIN = 2.0  # seconds: what a run returned is there, or its next attempt waits
LONGEST = 25.0  # seconds: less than programs and proxies wait for an answer


async def news(
    portal: Portal, person: Person, id: str, known: str | None, seconds: float, ending: asyncio.Event
) -> Run:
    """The run, as soon as it is no longer what is known of it, or has ended, or the portal ends.

    It is listened for before it is looked at, so that nothing falls between the two. An end counts when it is
    settled: before that it has no values, and may be tried once more.
    """
    now = asyncio.get_running_loop().time
    with portal.changes.listen() as queue:
        until, told = now() + seconds, False
        while not ending.is_set():
            run = await run_in_threadpool(portal.runs.get, person, id)
            has_ended = run.task.phase is Phase.ENDED
            if run.settled_at if has_ended else told or known not in (None, mark(run)):
                return run
            until = min(until, now() + SETTLED_WITHIN) if has_ended else until
            with suppress(TimeoutError):
                await within(until - now(), _told(queue, id, ending))
                told = True
                continue
            break
    return await run_in_threadpool(portal.runs.get, person, id)


def mark(run: Run) -> str:
    """What a program says that it knows: PHASE:CELL."""
    return f"{run.task.phase.word}:{run.cell}"


async def _told(queue: asyncio.Queue[Change | None], id: str, ending: asyncio.Event) -> None:
    while not ending.is_set():
        changes = await next_changes(queue, ending)
        if any(change.id in (id, ALL.id) and change.kind != OUTPUT for change in changes):
            return
