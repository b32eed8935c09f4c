"""The Hub's API, as the portal asks it: plain HTTP with the service's own token and its five scopes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from drybench.addresses import Addresses
from drybench.errors import HubAway, HubBusy, Refused, UnknownToTheHub

PAGE = 200
LETS_GO_WITHIN = 10.0  # seconds; it waits for the end in the ledger, which mostly has been written before
PAUSE = 0.1


@dataclass(frozen=True)
class HubPerson:
    name: str
    groups: frozenset[str]


@dataclass(frozen=True)
class HubServer:
    """A session as the Hub has it."""

    person: str
    session: str
    task: str | None
    ready: bool
    pending: str | None
    last_activity: datetime | None = None


class HubClient:
    def __init__(self, addresses: Addresses, portal_token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=addresses.hub_api,
            headers={
                "Authorization": f"token {portal_token}",
                "Accept": "application/jupyterhub-pagination+json",
            },
            timeout=15,
            trust_env=False,  # it is this machine; no proxy of the keeper's stands between
            verify=False,  # and plain HTTP: reading certificates would be all there is to wait for
        )

    async def start_server(self, person: str, session: str, task: str) -> None:
        """Ask; the Hub then comes and takes the task. Again for a server that is there already is no error."""
        answer = await self._ask("POST", _server(person, session), {"task": task})
        if answer.status_code == 404:
            raise UnknownToTheHub(name=person)
        if answer.status_code == 400:
            await self._is_there_or_busy(person, session, task, answer)
        elif answer.is_error:
            raise _refusal(answer)

    async def stop_server(self, person: str, session: str) -> None:
        """The Hub no longer has it when this returns, or HubAway."""
        deadline = time.monotonic() + LETS_GO_WITHIN
        while (answer := await self._ask("DELETE", _server(person, session))).status_code == 202:
            if time.monotonic() > deadline:
                raise HubBusy()
            await asyncio.sleep(PAUSE)
        if answer.is_error and answer.status_code != 404:
            raise HubBusy()

    async def servers(self) -> Sequence[HubServer]:
        """Everything that the Hub takes for alive, or for coming or going."""
        return [
            HubServer(
                person["name"],
                name,
                server["user_options"].get("task"),
                server["ready"],
                server["pending"],
                _moment(server.get("last_activity")),
            )
            async for person in self._people({"state": "active"})
            for name, server in person.get("servers", {}).items()
        ]

    async def people(self) -> Sequence[HubPerson]:
        return [HubPerson(person["name"], frozenset(person["groups"])) async for person in self._people({})]

    async def close(self) -> None:
        await self._client.aclose()

    async def _is_there_or_busy(self, person: str, session: str, task: str, refused: httpx.Response) -> None:
        """The Hub says 400 to three things: it runs, it is coming or going, and this must not be."""
        answer = await self._ask("GET", _server(person, session))
        server: dict[str, Any] = answer.json() if answer.is_success else {}
        if server.get("pending"):
            raise HubBusy()
        if not server.get("ready"):
            raise _refusal(refused)
        if server["user_options"].get("task") != task:
            raise HubBusy()  # the one before it has not been let go of

    async def _people(self, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        offset: int | None = 0
        while offset is not None:
            answer = await self._ask("GET", "/users", query={**query, "offset": str(offset), "limit": str(PAGE)})
            if answer.is_error:
                raise _refusal(answer)
            part = answer.json()
            for person in part["items"]:
                yield person
            following = part["_pagination"]["next"]
            offset = following["offset"] if following else None

    async def _ask(
        self, method: str, path: str, body: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, json=body, params=query)
        except httpx.HTTPError as problem:
            raise HubAway() from problem
        if answer.status_code >= 500:
            raise HubAway()
        return answer


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def _server(person: str, session: str) -> str:
    return f"/users/{quote(person, safe='@~')}/servers/{quote(session, safe='')}"


def _refusal(answer: httpx.Response) -> Refused:
    try:
        sentence = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        sentence = f"JupyterHub refused this ({answer.status_code})."
    return Refused(sentence=sentence[:500], next_step="Start it again from Home.")
