"""HTTP to a bench: by its address or its Unix socket, with errors as exceptions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from drybench_client import errors
from drybench_client.finding import Place

_LONGEST_SOCKET = 107  # a Unix socket's path, in bytes
_PATIENCE = 3.0  # seconds: a portal that is started again is back within one
_HUB_PATIENCE = 20.0  # for what signs people in: a bench is there that says so
_AWAY = {502, 503, 504}  # what answers is there, what it needs behind it is not
_KINDS: dict[int, type[errors.BenchError]] = {
    401: errors.NotAllowed,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.Refused,
    422: errors.Refused,
}


class Calling:
    """One connection to one bench. Everything raises errors.BenchError and nothing else."""

    def __init__(self, place: Place, patience: float = _PATIENCE) -> None:
        self.place = place
        self._patience = patience
        self._folder: int | None = None
        self._http = self._client()

    def close(self) -> None:
        self._http.close()
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def json(self, method: str, path: str, **content: Any) -> Any:
        """Asked again when the connection breaks: only for what may be asked twice."""
        try:
            return self._patiently(lambda: self._answer(method, path, **content)).json()
        except ValueError:
            raise self._away("what answers there is no bench") from None

    def bytes(self, path: str, method: str = "GET") -> bytes:
        return self._patiently(lambda: self._answer(method, path)).content

    def text(self, path: str, since: int) -> tuple[str, int]:
        """A part of a log, and from where to ask on."""
        answer = self._patiently(lambda: self._answer("GET", path, params={"since": since}))
        following = answer.headers.get("drybench-next", "")
        return answer.text, int(following) if following.isdecimal() else since

    @contextmanager
    def stream(self, path: str, **params: Any) -> Generator[Iterator[bytes]]:
        """Blocks as they come, without an end where the bench goes on sending."""
        try:
            with self._http.stream("GET", f"/api/v1{path}", params=params, timeout=_timeout(None)) as response:
                if response.is_error:
                    response.read()
                yield self._checked(response).iter_bytes()
        except httpx.TransportError as error:
            raise self._away(_words(error)) from error

    def _patiently(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        began = time.monotonic()
        while True:
            try:
                return ask()
            except errors.BenchAway as away:
                patience = _HUB_PATIENCE if away.code == "hub_away" else self._patience
                if time.monotonic() > began + patience or not self._may_come_back():
                    raise
                time.sleep(0.2)

    def _may_come_back(self) -> bool:
        return self.place.socket is None or self.place.socket.exists()

    def _answer(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self._checked(self._http.request(method, f"/api/v1{path}", **content))
        except httpx.TransportError as error:
            raise self._away(_words(error)) from error

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        said = _said(response)
        if said is None and response.status_code in _AWAY:
            raise self._away("only its proxy answers")
        if said is None:
            raise self._away(f"what answers there is no bench (HTTP {response.status_code})")
        raise _kind(response.status_code)(said["code"], said["sentence"], said["next_step"])

    def _away(self, why: str) -> errors.BenchAway:
        step = "Start it with `drybench up`, or name another one with --bench URL or --data DIR."
        return errors.BenchAway("bench_away", f"No bench answers at {self.place}: {why}.", step)

    def _client(self) -> httpx.Client:
        if self.place.socket is not None:
            transport = httpx.HTTPTransport(uds=self._short(self.place.socket), verify=False)
            return httpx.Client(base_url="http://bench", transport=transport, timeout=_timeout(30), trust_env=False)
        return self._client_by_address(self.place.url or "")

    def _client_by_address(self, address: str) -> httpx.Client:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            sentence = f"{address} is no address of a bench."
            raise errors.Refused("address_wrong", sentence, "Give it as http://HOST:PORT or https://HOST.")
        headers = {"Authorization": f"token {self.place.token}"} if self.place.token else {}
        local = parts.hostname == "localhost" or parts.hostname.endswith(".localhost")
        if local and parts.scheme == "http":  # the C library resolves no NAME.localhost
            headers["Host"] = parts.netloc
            address = f"http://127.0.0.1:{parts.port or 80}{parts.path}"
        return httpx.Client(base_url=address, headers=headers, timeout=_timeout(30), trust_env=not local)

    def _short(self, socket: Path) -> str:
        """The socket's path, or one through its open folder where it is too long for the kernel."""
        if len(os.fsencode(socket)) <= _LONGEST_SOCKET:
            return str(socket)
        try:
            self._folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise self._away("there is no such folder") from None
        return f"/proc/self/fd/{self._folder}/{socket.name}"


def _kind(status: int) -> type[errors.BenchError]:
    return errors.BenchAway if status in _AWAY else _KINDS.get(status, errors.BenchError)


def _timeout(read: float | None) -> httpx.Timeout:
    return httpx.Timeout(read, connect=5.0)


def _said(response: httpx.Response) -> dict[str, str] | None:
    """The bench's own words, where it is a bench that answers."""
    try:
        said = response.json()
        return {key: str(said[key]) for key in ("code", "sentence", "next_step")}
    except (ValueError, KeyError, TypeError):
        return None


def _words(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "nothing listens there"
    return "it did not answer in time" if isinstance(error, httpx.TimeoutException) else "the connection broke"
