"""`drybench down`: end a bench from another terminal, with its tasks if that is wanted."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from drybench import settings
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.errors import NotUp, TasksGoOn
from drybench.settings import Settings
from drybench.settings_sections import Ready
from drybench.up import announcing
from drybench.up.announcing import Say
from drybench.up.bringing_up import must_be_own
from drybench.up.child_processes import end
from drybench.up.container_door import without_containers
from drybench.up.supervising import end_left_over, only_one, who_is_up

SECONDS_TO_END = 10  # for the supervisor, which takes five
SECONDS_FOR_TASKS = 60
PAUSE = 0.2


def bring_down(data: DataFolder, settings_file: Path | None, say: Say, tasks: bool = False) -> None:
    must_be_own(data)
    supervisor = who_is_up(data)
    was_up = supervisor is not None and end(supervisor, SECONDS_TO_END)
    if not data.supervisor_lock.exists():
        raise NotUp(data=data.path)
    with only_one(data):
        was_up = end_left_over(data, say) or was_up
        if tasks and data.bench.exists():
            os.umask(0o077)
            in_force = settings.load(data, settings_file)
            asyncio.run(_end_tasks(data, in_force))
            without_containers(Addresses.load(data.bench), in_force, say)
        elif not was_up:
            raise NotUp(data=data.path)
    say(announcing.is_down(data))


async def _end_tasks(data: DataFolder, in_force: Settings) -> None:
    """Everybody's, by the portal's own loop; so it works on a bench that was down already, too.

    The Hub is down by now. It learns at its next start which sessions have ended.
    """
    from drybench import composing, database

    url = in_force.database.url or database.sqlite_url(data.ledger)
    with database.hold(url, data.portal_lock):
        database.prepare(url, data.hub_database, data.backups, lambda: datetime.now(UTC))  # no portal may have been up
        nothing_new = in_force.model_copy(update={"ready": Ready(most=0, sessions=False)})
        works = composing.put_together(data, nothing_new, url)
        ledger = works.portal.ledger
        for task in ledger.open_tasks():
            ledger.want_stop(task.id, by="drybench down")
        loop = asyncio.create_task(works.reconciler.run())
        until = asyncio.get_running_loop().time() + SECONDS_FOR_TASKS
        while ledger.open_tasks() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(PAUSE)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        await works.endings.clear_all()
        for one in works.to_close:
            await one.close()
        if left := ledger.open_tasks():
            raise TasksGoOn(number=len(left))
