"""What JupyterHub takes for a spawner: a thin client of the portal's ledger, which owns every session's task.

It starts nothing and ends nothing itself. Silence is never taken for death: while the portal is
away, a session counts as running.
"""

# pyright: standard

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jupyterhub.spawner import Spawner, SpawnException
from jupyterhub.utils import url_escape_path, url_path_join
from traitlets import Unicode

from drybench.errors import DrybenchError, PortalAway, TaskMissing
from drybench.hub.portal_socket import Look, PortalSocket

PAUSE = 0.1  # between two looks, while somebody waits for the session
SLOW_PAUSE = 0.5
SETTLED = 3.0  # seconds; an engine's start is back within two
ENDS_WITHIN = 60.0


class LedgerSpawner(Spawner):
    portal_socket = Unicode(help="The portal's Unix socket").tag(config=True)
    portal_url = Unicode(help="Where a session reaches the portal's API").tag(config=True)

    task = ""
    address = ""
    server: Any

    async def start(self) -> str:
        task = self.user_options.get("task")
        if not isinstance(task, str) or not task:
            raise _refusal(TaskMissing())
        await self._hand_over(task)
        self.task = task
        while not (look := await self._look()) or not look.answers or not look.address:
            if look and look.over:
                raise SpawnException(look.sentence or "It ended before it was ready.", reason="ended", status_code=424)
            if look and not look.handed_over:
                await self._hand_over(task)
            await asyncio.sleep(PAUSE)
        self.address = look.address
        return look.address

    async def stop(self, now: bool = False) -> None:
        """Stops once the portal has heard of it; its end itself is waited for a while only."""
        await _until(lambda: self._told_to_stop(now), SLOW_PAUSE)
        await _until(self._is_over, PAUSE, ENDS_WITHIN)

    async def poll(self) -> int | None:
        """None: it runs, or nobody can say. Must not raise, for the Hub drops a session whose poll fails."""
        if self.task and self._check_pending:
            return await self._poll_after_restart()
        look = await self._look() if self.task else Look("ended")
        return 0 if look and look.over else None

    async def get_url(self) -> str:
        """The ledger's address: a Hub killed in the middle of a start has none of its own."""
        look = await self._look()
        address = (look and look.address) or self.address
        return self.server.url if not address else address + self.server.base_url

    def get_env(self) -> dict[str, str]:
        """With what `drybench` needs to ask for runs in this session; the token can do that and no more.

        The portal is named by its own loopback address, as the Hub is: neither a name that only
        browsers resolve nor a certificate stands in the way then.
        """
        own = {"DRYBENCH_URL": self.portal_url, "DRYBENCH_TOKEN": self.api_token}
        return {**super().get_env(), **own}

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), **({"task": self.task} if self.task else {})}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """A Hub killed in the middle of a start has kept the options and no state yet."""
        super().load_state(state)
        half_started = self.orm_spawner.server is not None and self.user_options.get("task")
        self.task = state.get("task") or half_started or ""

    def clear_state(self) -> None:
        super().clear_state()
        self.task = self.address = ""

    def run_post_stop_hook(self) -> Awaitable[None] | None:
        """The Hub itself revokes only a token that it still remembers, and after a restart it remembers none.

        Known by the note that the Hub gives it, for a state is not yet written while a start goes on.
        """
        note = f"Server at {url_path_join(self.user.base_url, url_escape_path(self.name), '/')}"
        for token in [token for token in self.user.orm_user.api_tokens if token.note == note]:
            self.user.db.delete(token)
        return super().run_post_stop_hook()

    async def _hand_over(self, task: str) -> None:
        """As often as it takes: a portal that is away comes back, and it finds what it started before."""
        while True:
            try:
                return await self._portal.hand_over(
                    task, self.user.name, self.name, self.get_env(), [*self.cmd, *self.get_args()]
                )
            except PortalAway:
                await asyncio.sleep(SLOW_PAUSE)
            except DrybenchError as refusal:
                raise _refusal(refusal) from None

    async def _poll_after_restart(self) -> int | None:
        """The Hub would stop at once what does not answer now, so it is told when there is something to tell."""
        seen_without_start = 0.0
        while True:
            look = await self._look()
            if look and look.handed_over:
                seen_without_start = 0.0
            elif look:
                seen_without_start = seen_without_start or time.monotonic()
            if look and (look.over or not self._is_mine(look) or _long_ago(seen_without_start)):
                return self._let_go()
            if look and look.answers and look.address and await responds(look.address + self.server.base_url):
                self.address = look.address
                return None
            await asyncio.sleep(SLOW_PAUSE)

    def _let_go(self) -> int:
        """Without a task nothing is stopped: it has ended, is somebody else's, or the portal asks for it again."""
        self.task = ""
        return 0

    def _is_mine(self, look: Look) -> bool:
        """Options are anybody's words, and a Hub may have been killed before they were checked."""
        return (look.person, look.session) == (self.user.name, self.name)

    async def _told_to_stop(self, now: bool) -> bool:
        try:
            await self._portal.stop(self.task, now)
        except PortalAway:
            return False
        except DrybenchError:
            self.log.exception("The portal would not stop task %s", self.task)
        return True

    async def _is_over(self) -> bool:
        look = await self._look()
        return look is not None and look.over

    async def _look(self) -> Look | None:
        """None when nobody can say."""
        try:
            return await self._portal.look(self.task)
        except Exception as problem:
            self.log.info("No word of task %s: %s", self.task, problem)
            return None

    @property
    def _portal(self) -> PortalSocket:
        return _portal_at(self.portal_socket)


@cache
def _portal_at(socket: str) -> PortalSocket:
    """One for all sessions of a Hub."""
    return PortalSocket(Path(socket))


async def _until(true: Callable[[], Awaitable[bool]], pause: float, seconds: float = math.inf) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await true():
            return
        await asyncio.sleep(pause)


def _long_ago(moment: float) -> bool:
    return moment > 0 and time.monotonic() - moment > SETTLED


async def responds(url: str) -> bool:
    """The beginning of the answer says it, for it may have no end."""
    plain_http = httpx.AsyncClient(verify=False, trust_env=False)
    try:
        async with asyncio.timeout(2), plain_http as client, client.stream("GET", f"{url}api") as answer:
            return answer.status_code < 500
    except (TimeoutError, httpx.HTTPError):
        return False


def _refusal(refusal: DrybenchError) -> SpawnException:
    return SpawnException(str(refusal), reason=refusal.code, status_code=min(refusal.status, 499))
