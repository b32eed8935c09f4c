"""Speaking to Docker, or to Podman by the same words: where it is, and whether it is there at all."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import aiodocker
import aiohttp

from drybench.errors import DockerAway

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")
ANSWERS_WITHIN = aiohttp.ClientTimeout(total=20, sock_connect=3)
AS_LONG_AS_IT_TAKES = aiohttp.ClientTimeout(sock_connect=3)
NOT_CONNECTED = 900  # aiodocker's own word for it, among statuses of HTTP


def connect(url: str) -> aiodocker.Docker:
    """Within a running loop. Nothing is asked yet."""
    return aiodocker.Docker(url, timeout=ANSWERS_WITHIN)


def found() -> str | None:
    """DOCKER_HOST, else the first socket that is there, of Docker before Podman."""
    if there := os.environ.get("DOCKER_HOST"):
        return there
    return next((f"unix://{socket}" for socket in _sockets() if socket.is_socket()), None)


def away(error: BaseException) -> bool:
    """Nobody answers, or only half: not a word about what was asked."""
    if isinstance(error, aiodocker.DockerError):
        return error.status == NOT_CONNECTED
    return isinstance(error, aiohttp.ClientError | OSError)  # TimeoutError is one of these


@contextmanager
def reaching() -> Generator[None, None, None]:
    """errors.DockerAway where it is away; what it refuses stays aiodocker's error."""
    try:
        yield
    except (aiodocker.DockerError, aiohttp.ClientError, OSError) as problem:
        if away(problem):
            raise DockerAway() from problem
        raise


async def ask(
    docker: aiodocker.Docker,
    path: str,
    method: str = "GET",
    *,
    params: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    within: aiohttp.ClientTimeout = ANSWERS_WITHIN,
) -> Any:
    """Its API as it is documented: of much that we ask, aiodocker has no method, or one that changes the answer."""
    with reaching():
        return await docker._query_json(path, method, params=params, data=body, timeout=within)  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def listening(
    docker: aiodocker.Docker,
    path: str,
    params: Mapping[str, Any],
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[aiohttp.StreamReader, None]:
    """An answer that comes bit by bit."""
    with reaching():
        async with docker._query(path, method, params=params, headers=headers, timeout=AS_LONG_AS_IT_TAKES) as response:  # pyright: ignore[reportPrivateUsage]
            try:
                yield response.content
            finally:
                response.close()


def part(record: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Deep in an answer; what is not there, or null, is empty."""
    for key in keys:
        record = cast("Mapping[str, Any]", record.get(key) or {})
    return record


def parts(record: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return cast("Sequence[Mapping[str, Any]]", record.get(key) or ())


def _sockets() -> Iterator[Path]:
    yield from map(Path, SOCKETS)
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "docker.sock"
        yield Path(runtime) / "podman" / "podman.sock"
