"""The bench, asked with the session's own token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import httpx

from drybench_session.errors import BenchAway

PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Answer:
    """The bench's own words, also where it refuses."""

    status: int
    said: dict[str, Any]


class Bench:
    """The token goes to this one address, in a header; redirects are not followed and no proxy is asked."""

    def __init__(self, url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = f"{url.rstrip('/')}/api/v1"
        self._headers = {"Authorization": f"token {token}"}
        self._transport = transport

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        """Made when somebody asks, for it takes time that a session's start does not have to spare."""
        return httpx.AsyncClient(
            base_url=self._address,
            headers=self._headers,
            timeout=PATIENCE,
            trust_env=False,
            transport=self._transport,
        )

    async def ask(self, method: str, path: str, **content: Any) -> Answer:
        try:
            response = await self._http.request(method, path, **content)
            return Answer(response.status_code, _object(response))
        except httpx.TransportError as error:
            raise BenchAway(problem=str(error) or type(error).__name__) from error
        except ValueError:
            raise BenchAway(problem="what answers there is no bench") from None

    async def send_notebook(
        self, path: str, name: str, notebook: bytes, request: dict[str, Any], key: str = ""
    ) -> Answer:
        """`key` lets the bench know a request that it has had before: then nothing runs twice."""
        files = {"notebook": (name, notebook, "application/x-ipynb+json")}
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask("POST", path, data={"request": json.dumps(request)}, files=files, headers=headers)

    async def items(self, path: str) -> list[dict[str, Any]]:
        """A list of a few; nothing where the bench has none to tell, such as an older one."""
        answer = await self.ask("GET", path)
        return answer.said.get("items", [])


def _object(response: httpx.Response) -> dict[str, Any]:
    said: Any = response.json()
    if not isinstance(said, dict) or response.is_redirect:
        raise ValueError
    return cast("dict[str, Any]", said)
