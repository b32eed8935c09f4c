"""Two desktops in browsers that one may look into: Drybench's, and jupyter-remote-desktop-proxy's by stock JupyterHub.

Each browser comes by a wire of its own, and each shows the same image.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, Page, Playwright
from playwright.sync_api import Error as BrowserError

from benchmarks.a_bench import public_address
from benchmarks.clicks import until
from benchmarks.idle import cpu
from benchmarks.in_containers import docker
from benchmarks.measuring import Work
from benchmarks.wire import Wire, wire
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.engines.docker_container import BENCH_LABEL
from drybench.hub.tickets import new_ticket

SIZE = 1680, 1050
CHROMIUM = "/usr/bin/chromium"
# With this feature it holds what comes by a WebSocket back after a key until its next frame, and a page that looks
# at its picture always has one to come: that would be measured, and nothing else.
NOTHING_HELD_BACK = "--disable-features=DeferRendererTasksAfterInput"
NAPARIS_OWN = [35, 36, 43]  # the colour behind everything in its window, as napari 0.9 has it
CANVAS = [0, 0, 0]
PIXELS = Path(__file__).with_name("pixels.js")


@dataclass(frozen=True)
class Desktop:
    page: Page
    wire: Wire
    mark: str  # stands on the command line of its browser
    click: Callable[[], object]
    clear: Callable[[], object]  # whatever was started has ended, and one can click again
    container: Callable[[], str]

    def opens(self) -> Work:
        """Until its pixels are there."""

        def do() -> None:
            self.click()
            until(lambda: is_drawn(self.page), 180)

        return Work(do, self.clear)

    def fits(self) -> None:
        """As many pixels as the other one has; around them each page has what it has."""
        for _ in range(5):
            width, height = self.page.evaluate("pixels.size()")
            if (width, height) == SIZE:
                return
            window = self.page.viewport_size
            assert window
            more = SIZE[0] - width, SIZE[1] - height
            self.page.set_viewport_size({"width": window["width"] + more[0], "height": window["height"] + more[1]})
            time.sleep(2)  # it asks for another size when its window has come to rest

    def draws(self, what: str, number: int) -> subprocess.Popen[str]:
        """Begun on its screen; see on_screen.py."""
        program = subprocess.Popen(
            ["docker", "exec", "--interactive", self.container(), "python3", "-", what, str(number)],
            stdin=Path(__file__).with_name("on_screen.py").open(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
        return program

    def server_cpu(self) -> float:
        """Seconds, of all that runs in its container."""
        return _cpu([int(pid) for pid in docker("top", self.container(), "-eo", "pid").split()[1:]])

    def browser_cpu(self) -> float:
        return _cpu(_family(self.mark))


def is_drawn(page: Page) -> bool:
    with suppress(BrowserError):  # it is on its way to another address
        return bool(page.evaluate("pixels.isDrawn()"))
    return False


def shows_napari(page: Page) -> bool:
    with suppress(BrowserError):
        window, canvas = (page.evaluate("(colour) => pixels.share(colour)", one) for one in (NAPARIS_OWN, CANVAS))
        return window > 0.03 and canvas > 0.1
    return False


@contextmanager
def ours(playwright: Playwright, data: Path, name: str) -> Generator[Desktop]:
    address = public_address(data)
    api = httpx.Client(transport=httpx.HTTPTransport(uds=str(data / "portal.sock")), base_url="http://bench/api/v1")
    mine = f"label={BENCH_LABEL}={Addresses.load(DataFolder(data).bench).bench_id}"
    with _a_browser(playwright, address) as (page, way, mark):

        def click() -> None:
            card = page.locator(".card", has=page.get_by_role("heading", name=re.compile(f"^{name}$", re.IGNORECASE)))
            card.locator(f"button[name=app][value={name}]").click()

        def clear() -> None:
            for session in api.get("/sessions").raise_for_status().json()["items"]:
                there = f"/sessions/{session['id']}"
                api.post(f"{there}/stop").raise_for_status()
                until(lambda there=there: api.get(there).json()["phase"] == "ended")
                until(lambda there=there: api.delete(there).is_success)
            page.goto(address)

        page.goto(f"{address}/hub/ticket#{new_ticket(DataFolder(data))}")
        page.get_by_role("heading", name="Start", exact=True).wait_for()
        yield Desktop(page, way, mark, click, clear, lambda: docker("ps", "--latest", "--quiet", "--filter", mine))


@contextmanager
def theirs(playwright: Playwright, hub: tuple[str, str], image: str) -> Generator[Desktop]:
    address, token = hub
    api = httpx.Client(base_url=f"{address}/hub/api", headers={"Authorization": f"token {token}"}, timeout=60)
    of_it = f"ancestor={image}"
    with _a_browser(playwright, address) as (page, way, mark):

        def clear() -> None:
            page.goto(f"{address}/hub/home")
            api.delete("/users/ada/server")
            until(lambda: not api.get("/users/ada").json()["servers"])

        page.goto(f"{address}/hub/login")
        page.locator("#username_input").fill("ada")
        page.locator("#password_input").fill("x")
        page.locator("#login_submit").click()
        clear()
        start = f"{address}/hub/spawn"  # where its button leads
        container = ("ps", "--latest", "--quiet", "--filter", of_it)
        yield Desktop(page, way, mark, lambda: page.goto(start), clear, lambda: docker(*container))


@contextmanager
def _a_browser(playwright: Playwright, address: str) -> Generator[tuple[Page, Wire, str]]:
    there, mark = urlsplit(address), f"--drybench-figures={secrets.token_hex(4)}"
    with wire(there.port or 80) as way:
        to_the_wire = f"--host-resolver-rules=MAP {there.hostname} 127.0.0.1:{way.port}"
        browser: Browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", NOTHING_HELD_BACK, to_the_wire, mark]
        )
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1] + 60})
        page.set_default_timeout(60_000)
        page.add_init_script(path=PIXELS)
        yield page, way, mark
        browser.close()


def _family(mark: str) -> Sequence[int]:
    """The process with this word on its command line, its children, and theirs."""
    parents = dict[int, int]()
    first = set[int]()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if mark.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                first.add(int(process.name))
    found = first - {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _cpu(processes: Sequence[int]) -> float:
    seconds = 0.0
    for pid in processes:
        with suppress(OSError):
            seconds += cpu(pid)
    return seconds
