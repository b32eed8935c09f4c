"""What JupyterLab's server shows a browser, as the image starts it: an app's page, and the picture on its stream."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from urllib.parse import urlsplit

from PIL import Image
from rfb import keep, picture
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect


@contextmanager
def server(*apps: dict[str, object]):
    """Its link. Without apps it has what it finds."""
    told = {"DRYBENCH_APPS": json.dumps(apps)} if apps else {}
    command, environ = [sys.executable, "-m", "drybench_runner", "alone"], {**os.environ, **told}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield next(found[0] for line in started.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            started.terminate()


async def drawn(link: str, app: str, good: Callable[[Image.Image], bool], seconds: float = 90) -> Image.Image:
    place = urlsplit(link)
    page = await AsyncHTTPClient().fetch(f"http://{place.netloc}/{app}/?{place.query}")
    assert b"<html" in page.body.lower()
    async with asyncio.timeout(seconds):
        while not good(found := await look(place.netloc, place.query, app)):
            keep(found, f"{app}-so-far")
            await asyncio.sleep(0.5)
    return found


async def look(host: str, token: str, app: str) -> Image.Image:
    address = f"ws://{host}/drybench/screens/{app}/stream?mode=control&taken=take&{token}"
    socket = await websocket_connect(HTTPRequest(address, request_timeout=60))
    stream = asyncio.StreamReader()

    async def listen() -> None:
        while (data := await socket.read_message()) is not None:
            if isinstance(data, bytes):  # the others tell what happens around it
                stream.feed_data(data)
        stream.feed_eof()

    async def write(data: bytes) -> None:
        await socket.write_message(data, binary=True)

    listening = asyncio.create_task(listen())
    found = await asyncio.wait_for(picture(stream.readexactly, write), 60)
    socket.close()
    await listening
    return found
