"""The Hub's way to the portal: its Unix socket, which nobody but the bench's own account can open."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx

from drybench.errors import PortalAway, Refused

LONGEST_PATH = 107  # bytes that the kernel takes for a socket's path
OVER = "ended"


@dataclass(frozen=True)
class Look:
    """A task as the ledger has it. `handed_over`: the engine has its environment, nobody needs to give it again."""

    phase: str
    answers: bool = False
    address: str | None = None
    sentence: str = ""
    person: str | None = None
    session: str | None = None
    handed_over: bool = True

    @property
    def over(self) -> bool:
        return self.phase == OVER


class PortalSocket:
    """Raises PortalAway for silence and for whatever is no answer; refusals have the portal's own sentence."""

    def __init__(self, socket: Path) -> None:
        self._transport = httpx.AsyncHTTPTransport(uds=_short(socket), verify=False)
        self._client = httpx.AsyncClient(transport=self._transport, base_url="http://portal", timeout=10)

    async def hand_over(
        self, task: str, person: str, session: str, env: Mapping[str, str], command: Sequence[str]
    ) -> None:
        """May be said again: what has been started for this task is found, not started twice."""
        body = {"task": task, "person": person, "session": session, "env": dict(env), "command": list(command)}
        await self._ask("POST", "/hub/handover", body)

    async def look(self, task: str) -> Look:
        answer = await self._ask("GET", f"/hub/tasks/{quote(task, safe='')}", unknown_is_over=True)
        known = {name: answer[name] for name in Look.__dataclass_fields__ if name in answer}
        try:
            return Look(**known)
        except TypeError as problem:
            raise PortalAway() from problem

    async def stop(self, task: str, now: bool) -> None:
        await self._ask("POST", f"/hub/tasks/{quote(task, safe='')}/stop", {"now": now}, unknown_is_over=True)

    async def person_gone(self, name: str) -> None:
        await self._ask("POST", f"/hub/people/{quote(name, safe='')}/gone", {})

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: Any = None, unknown_is_over: bool = False) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.HTTPError as problem:
            raise PortalAway() from problem
        if answer.status_code >= 500:
            raise PortalAway()
        said = _json(answer)
        if answer.status_code == 404 and unknown_is_over:
            return {"phase": OVER, "sentence": said.get("sentence", "")}
        if answer.is_error:
            raise Refused(
                sentence=said.get("sentence", "The portal refused this."), next_step=said.get("next_step", "")
            )
        return said


def _json(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        said: Any = answer.json()
    except ValueError as problem:
        raise PortalAway() from problem
    return cast(dict[str, Any], said) if isinstance(said, dict) else {}


def _short(socket: Path) -> str:
    """A path that the kernel takes, whatever the data directory is called; the folder then stays open for good."""
    if len(os.fsencode(socket)) <= LONGEST_PATH:
        return str(socket)
    folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{folder}/{socket.name}"
