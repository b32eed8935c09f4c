"""What Docker says while it builds or gets an image, one JSON object a line.

It goes on only as long as somebody listens, so the connection is closed with whoever does; aiodocker leaves it half
open.
"""

# pyright: standard, reportPrivateUsage=false

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import IO, Any

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerStreamError

AS_LONG_AS_IT_TAKES = aiohttp.ClientTimeout(sock_connect=3)
BLOCK = 1 << 18

Said = AsyncGenerator[Mapping[str, Any]]


def building(docker: Docker, context: IO[bytes], params: Mapping[str, str]) -> Said:
    return _said(docker, "build", params, {"content-type": "application/x-tar"}, _blocks(context))


def pulling(docker: Docker, image: str, auth: str | None) -> Said:
    headers = {"X-Registry-Auth": auth} if auth else {}
    return _said(docker, "images/create", {"fromImage": image}, headers, None)


async def _said(
    docker: Docker, path: str, params: Mapping[str, str], headers: Mapping[str, str], data: AsyncGenerator[bytes] | None
) -> Said:
    """aiodocker's DockerStreamError where it says in the middle that it failed."""
    asked = docker._query(path, "POST", params=params, headers=headers, data=data, timeout=AS_LONG_AS_IT_TAKES)
    async with asked as response:
        try:
            async for line in _lines(response.content):
                said: dict[str, Any] = json.loads(line)
                if "error" in said:
                    raise DockerStreamError(str(said["error"]), error_detail=said.get("errorDetail") or {})
                yield said
        finally:
            response.close()


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[bytes]:
    """However long: aiohttp's own reading of lines has a bound."""
    rest = b""
    async for block in content.iter_any():
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


async def _blocks(file: IO[bytes]) -> AsyncGenerator[bytes]:
    while block := file.read(BLOCK):
        yield block
