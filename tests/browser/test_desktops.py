"""Desktops in containers, from one click on Home to what is drawn: pixels count, not processes."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from drybench_client import Bench as Client
from tests import shipped as images
from tests.bench import Bench, new_bench
from tests.browser.eyes import Eyes
from tests.browser.looking import Picture, axe
from tests.docker import docker
from tests.waiting import A_START, PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "docker"), pytest.mark.timeout(600, func_only=True)]

TEAL = (0x1F, 0x6F, 0x78)  # the lab's own background, for nothing else looks like it
SETTINGS = """
[sizes.default]
memory = "1500 MiB"
[desktop]
background = "{background}"
[[desktop.links]]
title = "The lab's pages"
url = "https://lab.example/a?b=c"
"""
GROUND = (0x16, 0x32, 0x4A)  # what is behind all windows where nothing was drawn
LISTENS, ACCEPTS = "0A", "00010000"  # as /proc/net says it of TCP, and of Unix sockets
OF_THE_DESKTOP = """
session=$(pgrep -x xfce4-session) || exit 1
export $(tr '\\0' '\\n' < /proc/$session/environ | grep -E '^(DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS)=')
"""


@pytest.fixture(scope="module")
def bench(shipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    background = tmp_path_factory.mktemp("lab") / "background.png"
    background.write_bytes(_plain(TEAL))
    background.chmod(0o644)  # who opens it has another account
    with new_bench(SETTINGS.format(background=background), containers=True) as bench:
        yield bench


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand
        for session in list(hand.sessions()):
            if session["phase"] != "ended":
                hand.stop_session(session)
        wait_for(lambda: all(session["phase"] == "ended" for session in hand.sessions()))


@pytest.fixture
def eyes(page: Page, browser: Browser) -> Iterator[Eyes]:
    with browser.new_context() as another:  # in whose window nothing of ours is hidden
        another.set_default_timeout(1000 * PATIENCE)
        yield Eyes(page, another.new_page())


def test_one_click_leads_to_a_drawn_desktop(page: Page, hand: Client, eyes: Eyes) -> None:
    _open(page, "Desktop", "Desktop", "desktop")
    wait_for(lambda: eyes.part(TEAL) > 0.5 and eyes.colours() > 200)
    axe(page)
    page.locator("#handle").click()
    page.get_by_role("button", name="Quality", exact=True).click()
    expect(page.locator("#m-opengl")).to_have_text("software")
    there = _inside(hand, "desktop", "ls -1 ~ ~/Desktop").splitlines()
    assert {"Downloads", "To my computer", "help.desktop", "terminal.desktop", "The lab's pages.desktop"} <= set(there)


def test_its_size_is_the_windows(page: Page, hand: Client, eyes: Eyes) -> None:
    _open(page, "Desktop", "Desktop", "desktop")
    wait_for(lambda: eyes.part(TEAL) > 0.5)
    for width, height in ((900, 1100), (1500, 700)):
        page.set_viewport_size({"width": width, "height": height})
        wait_for(lambda size=f"{width}x{height}": size in _inside(hand, "desktop", f"{OF_THE_DESKTOP}xdpyinfo"))
        wait_for(lambda: eyes.part(TEAL) > 0.5)


def test_logged_out_it_says_so_and_one_button_leads_back(page: Page, hand: Client, eyes: Eyes, take: Picture) -> None:
    _open(page, "Desktop", "Desktop", "desktop")
    wait_for(lambda: eyes.part(TEAL) > 0.5)
    _inside(hand, "desktop", f"{OF_THE_DESKTOP}xfce4-session-logout --logout --fast")
    expect(page.locator("#card .sentence:visible")).to_contain_text("You logged out of the desktop")
    take(page, "desktop-logged-out")
    axe(page)
    page.get_by_role("button", name="Open the desktop again").click()
    wait_for(lambda: eyes.part(TEAL) > 0.5 and eyes.colours() > 200)


def test_no_neighbour_reaches_it(page: Page, hand: Client, eyes: Eyes) -> None:
    _open(page, "Desktop", "Desktop", "desktop")
    wait_for(lambda: eyes.part(TEAL) > 0.5)
    neighbour = hand.start_session("base", name="neighbour")
    wait_for(lambda: hand.get_session(neighbour["id"])["phase"] == "running", A_START)
    tables = _inside(hand, "desktop", "cat /proc/net/tcp /proc/net/tcp6")
    listening = [line.split()[1].split(":") for line in tables.splitlines() if line.split()[3] == LISTENS]
    assert len([port for address, port in listening if not address.endswith("7F")]) == 1  # the session's own server
    assert not {int(port, 16) for _, port in listening} & {*range(5900, 6100)}
    sockets = [line.split() for line in _inside(hand, "desktop", "cat /proc/net/unix").splitlines()]
    assert not [words for words in sockets if words[3] == ACCEPTS and words[-1].startswith("@/tmp/.X11")]
    address = _inside(hand, "desktop", "hostname -i").split()[0]
    tried = "import socket, sys\nfor port in [*range(5900, 5911), *range(6000, 6011)]:\n"
    tried += f"    print(socket.socket().connect_ex(({address!r}, port)))" if address else ""
    said = _inside(hand, "neighbour", f'timeout 120 python -c "{_in_a_shell(tried)}" || echo away')
    assert "0" not in said.split()
    assert _inside(hand, "neighbour", "find / -xdev -type s 2>/dev/null; ls /tmp/.X11-unix 2>/dev/null || true") == ""


def test_a_terminal_is_an_app(page: Page, hand: Client) -> None:
    _click(page, "Base", "Terminal")
    page.wait_for_url(re.compile(r"/user/[^/]+/base/lab/workspaces/drybench-terminal"), timeout=1000 * A_START)
    expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()


def test_napari_is_drawn_by_itself(page: Page, hand: Client, eyes: Eyes, take: Picture) -> None:
    images.need("napari")
    wait_for(lambda: hand.environment("napari")["usable"])
    page.reload()
    _open(page, "napari", "napari", "napari")
    wait_for(lambda: eyes.colours() > 150 and eyes.part((0, 0, 0)) < 0.9)
    eyes.come_to_rest()
    assert eyes.part(TEAL) == eyes.part(GROUND) == 0  # there is no desktop around it, and nothing beside it
    axe(page)


def _open(page: Page, environment: str, title: str, app: str) -> None:
    _click(page, environment, title)
    page.wait_for_url(re.compile(rf"/user/[^/]+/[^/]+/{app}/"), timeout=1000 * A_START)
    expect(page.locator("body[data-tools=ready]:not(.dim)")).to_be_visible(timeout=1000 * A_START)


def _click(page: Page, environment: str, title: str) -> None:
    card: Locator = page.locator("li.card").filter(has=page.get_by_role("heading", name=environment, exact=True))
    card.get_by_role("button", name=title, exact=True).click()


def _inside(hand: Client, session: str, line: str) -> str:
    """As the session's own account."""
    task = next(one["task"] for one in hand.sessions() if one["name"] == session)
    return docker("exec", f"drybench-{task}", "sh", "-c", line)


def _in_a_shell(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _plain(colour: tuple[int, int, int]) -> bytes:
    """A PNG of one point, which fills the screen."""
    rows = b"\0" + bytes(colour)
    parts = ((b"IHDR", struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
