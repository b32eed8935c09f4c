"""A screen without a session: a real Xtigervnc, a bridge to it, and a page with nothing but the screen in it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

import drybench_session
from tests.waiting import wait_for

MODULES = Path(drybench_session.__file__).with_name("screen")
STRICT = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; style-src 'self'"
PAGE = """<!doctype html><title>A screen</title><link rel="stylesheet" href="page.css">
<div id="host"></div><script type="module" src="page.js"></script>"""
FILES = {
    "page.css": ("text/css", "body { margin: 0 } #host { width: 100vw; height: 100vh }"),
    "page.js": (
        "text/javascript",
        """import { Screen } from "./screen/screen.js";
        const address = () => `ws://${location.host}/stream`;
        window.happened = [];
        window.show = (options = {}) => {
          const screen = new Screen(document.querySelector("#host"), { address, ...options });
          for (const type of ["state", "said", "copied", "refused", "bell", "pasting"]) {
            screen.addEventListener(type, ({ detail }) => happened.push({ type, ...detail }));
          }
          window.shown = screen;
          screen.connect();
          screen.focus();
        };""",
    ),
}


@dataclass
class X:
    """A display that nobody else knows."""

    display: str
    socket: Path

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=60, **options
        )

    @contextmanager
    def running(self, *command: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        program = subprocess.Popen(command, env=self.environment, **options)
        try:
            yield program
        finally:
            program.terminate()
            program.wait(60)
            if program.stdin:
                program.stdin.close()

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DISPLAY": self.display, "LANG": "C.UTF-8", "HOME": str(self.socket.parent)}

    def paint(self, colour: str) -> None:
        self.run("xsetroot", "-solid", colour)

    def waits_for(self, *window: str) -> None:
        self.run("xdotool", "search", "--sync", "--onlyvisible", *window)

    def picture(self) -> bytes:
        """As a viewer sees it that knows nothing but raw pixels: red, green, blue and 255, row by row."""
        with socket.socket(socket.AF_UNIX) as viewer:
            viewer.connect(str(self.socket))
            stream = viewer.makefile("rwb")
            stream.read(12)
            stream.write(b"RFB 003.008\n\1\1")
            stream.flush()
            stream.read(2 + 4)
            width, height = struct.unpack(">HH", stream.read(4))
            stream.read(16)
            stream.read(*struct.unpack(">I", stream.read(4)))
            stream.write(bytes((0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0)))
            stream.write(struct.pack(">BBHi BBHHHH", 2, 0, 1, 0, 3, 0, 0, 0, width, height))
            stream.flush()
            pixels = bytearray(b"\xff" * (width * height * 4))
            _, _, count = struct.unpack(">BBH", stream.read(4))
            for _ in range(count):
                left, top, wide, high, _ = struct.unpack(">HHHHi", stream.read(12))
                for row in range(top, top + high):
                    pixels[(row * width + left) * 4 : (row * width + left + wide) * 4] = stream.read(wide * 4)
            pixels[3::4] = b"\xff" * (width * height)
            return bytes(pixels)

    def size(self) -> tuple[int, int]:
        line = next(line for line in self.run("xdpyinfo").stdout.splitlines() if "dimensions:" in line)
        width, height = line.split()[1].split("x")
        return int(width), int(height)

    def pointer(self) -> tuple[int, int]:
        words = dict(word.split(":") for word in self.run("xdotool", "getmouselocation").stdout.split())
        return int(words["x"]), int(words["y"])


@contextmanager
def x_server(folder: Path, size: str = "800x600") -> Iterator[X]:
    reading, writing = os.pipe()
    words = [f"-rfbunixpath={folder / 'rfb'}", "-rfbport=-1", "-SecurityTypes=None", "-FrameRate=250"]
    words += ["-geometry", size, "-MaxCutText=16000000", "-SendPrimary=0", "-displayfd", str(writing)]
    with (folder / "x.log").open("wb") as log:
        server = subprocess.Popen(["Xtigervnc", *words], pass_fds=[writing], stdout=log, stderr=log)
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            display = number.readline().strip()
        assert display, (folder / "x.log").read_text()
        yield X(f":{display}", folder / "rfb")
    finally:
        server.terminate()
        server.wait(60)


@dataclass
class Bridge:
    """What the page comes from, and what lies between it and the X server."""

    url: str = ""
    rfb: Path | None = None
    says: bytes | None = None  # instead of an X server
    close: int | None = None  # at once, with this code
    open: list[Stream] = field(default_factory=list)
    opened: int = 0
    deaf: bool = False  # what comes is thrown away, and nothing is said of it
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    server: HTTPServer = field(init=False)

    def do(self, call: Any) -> None:
        self.loop.call_soon_threadsafe(call)

    def cut(self) -> None:
        self.do(lambda: [stream.stream.close() for stream in self.open if stream.stream])

    async def end(self) -> None:
        """Whatever the browser still holds open: what is left to the garbage collector spoils a later test."""
        self.server.stop()
        for stream in list(self.open):
            if stream.stream:
                stream.stream.close()
        await self.server.close_all_connections()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:  # one that ends may begin another
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    def say(self, text: str) -> None:
        self.do(lambda: [stream.write_message(text) for stream in self.open])


class Stream(WebSocketHandler):
    max_message_size = 64 << 20

    def initialize(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.socket: asyncio.StreamWriter | None = None

    @property
    def stream(self) -> Any:
        return self.ws_connection and self.ws_connection.stream  # type: ignore[attr-defined]

    async def open(self, *args: str, **kwargs: str) -> None:
        self.bridge.opened += 1
        self.bridge.open.append(self)
        self.set_nodelay(True)
        if self.bridge.close is not None:
            self.close(self.bridge.close)
        elif self.bridge.says is not None:
            await self.write_message(self.bridge.says, binary=True)
        else:
            reader, self.socket = await asyncio.open_unix_connection(str(self.bridge.rfb))
            self.reading = asyncio.ensure_future(self.carry(reader))

    async def carry(self, reader: asyncio.StreamReader) -> None:
        assert self.socket
        try:
            with suppress(WebSocketClosedError, OSError):
                while data := await reader.read(1 << 16):
                    if not self.bridge.deaf:
                        await self.write_message(data, binary=True)
        finally:
            self.close()
            self.socket.close()
            with suppress(OSError):
                await self.socket.wait_closed()

    def on_message(self, message: str | bytes) -> None:
        if self.socket and isinstance(message, bytes):
            self.socket.write(message)

    def on_close(self) -> None:
        self.bridge.open.remove(self)
        if self.socket:
            self.socket.close()


class Files(RequestHandler):
    def get(self, name: str) -> None:
        kind, text = FILES.get(name, ("text/html", PAGE))
        self.set_header("Content-Type", kind)
        self.set_header("Content-Security-Policy", STRICT)
        self.finish(text)


class Modules(StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("Content-Security-Policy", STRICT)
        self.set_header("Cache-Control", "no-store")


@contextmanager
def bridge(rfb: Path | None = None) -> Iterator[Bridge]:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    made = Bridge(f"http://localhost:{listening.getsockname()[1]}/", rfb)
    ready = threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(made.loop)
        routes = [(r"/stream", Stream, {"bridge": made}), (r"/screen/(.*)", Modules, {"path": str(MODULES)})]
        made.server = HTTPServer(Application([*routes, (r"/(.*)", Files)]))
        made.loop.call_soon(lambda: (made.server.add_socket(listening), ready.set()))
        made.loop.run_forever()

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(made.end(), made.loop).result(60)
        made.do(made.loop.stop)
        thread.join()
        listening.close()
        made.loop.close()


def colour(page: Page, x: float, y: float) -> tuple[int, int, int]:
    """Of one pixel, as it is seen: a picture of the page with nothing else in it, and that is a small PNG."""
    png = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1}, scale="css")
    data, at = b"", 8
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


def is_near(one: tuple[int, int, int], other: tuple[int, int, int], most: int = 8) -> bool:
    return all(abs(mine - its) <= most for mine, its in zip(one, other, strict=True))


def shows(page: Page, x: float, y: float, wanted: tuple[int, int, int]) -> None:
    wait_for(lambda: is_near(colour(page, x, y), wanted))


def happened(page: Page, kind: str) -> list[dict[str, Any]]:
    return [one for one in page.evaluate("happened") if one["type"] == kind]


def drawn(page: Page) -> None:
    wait_for(lambda: page.evaluate("shown.state") == "drawn")
