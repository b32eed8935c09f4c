"""A desktop's page when the line, the laptop, a program or a clipboard is not as one would like it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.cable import cable
from tests.browser.long_cable import LongCable
from tests.browser.looking import until
from tests.browser.test_desktop_frame import Windows, Wired, drawn, drop, says, tool, windows
from tests.desktops import desktops
from tests.living import content
from tests.waiting import wait_for

__all__ = ["windows"]

PARTS = ("chromium", "TigerVNC", "xfwm4", "xterm", "xclip")
pytestmark = [pytest.mark.browser, pytest.mark.needs(*PARTS), pytest.mark.timeout(240)]

HOUR = 3600_000  # milliseconds
GIB = 1 << 30
# Each key of it goes to a file as it comes; and it leaves word of how others reach its display.
TYPED = "env -0 >~/.display; exec xterm -e sh -c 'stty raw -echo; exec cat >>typed'"
# All of its screen, sixty times a second: a number in Gray code at the top, so that one in the making is near it; below
# it a part that turns from black to white or back with each key; and many colours.
RUSH = """
import os, random, select, time, tty
tty.setraw(0)
number, white = 0, False
while True:
    if select.select([0], [], [], 0)[0]:
        white ^= len(os.read(0, 1)) > 0
    number = (number + 1) % 256
    width, height = os.get_terminal_size()
    code = number ^ number >> 1
    bits = "".join(f"\\033[{107 if code >> bit & 1 else 40}m" + " " * (width // 8) for bit in range(8))
    answer = f"\\033[{107 if white else 40}m" + " " * (width // 8 * 8)
    top = (bits + "\\033[K\\r\\n") * (height // 4) + (answer + "\\033[K\\r\\n") * (height // 4)
    colours = (f"\\033[48;5;{random.randrange(16, 256)}m" + " " * (width // 8) for _ in range(8 * (height // 2)))
    os.write(1, ("\\033[H" + top + "".join(colours)).encode())
    time.sleep(1 / 60)
"""
APPS: list[dict[str, Any]] = [
    {"name": "typed", "title": "Typed", "command": ["sh", "-c", TYPED]},
    {"name": "rush", "title": "Rush", "command": ["xterm", "-e", sys.executable, "-c", RUSH]},
]


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    folder = tmp_path_factory.mktemp("far")
    with desktops(folder, APPS) as session, cable(urlsplit(session.url).port or 0, LongCable) as wire:
        yield Wired(session, wire)


@pytest.fixture
def far(laid: Wired) -> Iterator[Wired]:
    """As it was before, whatever a test does to its cable."""
    yield laid
    line(laid).delay = 0
    line(laid).speak()
    line(laid).mend()


@pytest.fixture
def page(windows: Windows, far: Wired) -> Page:
    page = windows.desktop(far.page("typed"))
    while not typed(far):  # a program that has only begun has no keyboard yet
        page.keyboard.press(".")
        with suppress(AssertionError):
            wait_for(lambda: typed(far), 1)
    page.keyboard.press("=")
    wait_for(lambda: typed(far).endswith("="))
    (far.session.home / "typed").write_text("")
    return page


def line(far: Wired) -> LongCable:
    assert isinstance(far.cable, LongCable)
    return far.cable


def typed(far: Wired) -> str:
    file = far.session.home / "typed"
    return file.read_text() if file.exists() else ""


def reads(far: Wired, text: str) -> None:
    wait_for(lambda: len(typed(far)) >= len(text))
    assert typed(far) == text


def downloads(far: Wired) -> set[Path]:
    folder = far.session.home / "Downloads"
    return set(folder.iterdir()) if folder.is_dir() else set()


def memory(*processes: int) -> int:
    return sum(map(_pages, processes)) * os.sysconf("SC_PAGE_SIZE")


def _pages(process: int) -> int:
    """None of one that has just ended, as that of a page does that was closed."""
    said = content(Path(f"/proc/{process}/statm"))
    return int(said.split()[1]) if said else 0


def memory_of_pages(browser: Browser) -> int:
    devtools = browser.new_browser_cdp_session()
    processes = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    devtools.detach()
    return memory(*(one["id"] for one in processes if one["type"] == "renderer"))


# The line, and the laptop


def test_a_browser_that_slept_for_an_hour_has_the_same_desktop_without_a_click(page: Page, far: Wired) -> None:
    x_server = far.session.process("Xtigervnc")
    page.keyboard.type("before")
    reads(far, "before")
    page.clock.install()
    laptop = page.context.new_cdp_session(page)
    laptop.send("Page.setWebLifecycleState", {"state": "frozen"})
    far.cable.cut()
    laptop.send("Page.setWebLifecycleState", {"state": "active"})
    page.clock.fast_forward(HOUR)
    says(page, "The connection was cut")
    far.cable.mend()
    drawn(page)
    page.keyboard.type(" and after")
    reads(far, "before and after")
    assert far.session.process("Xtigervnc") == x_server


def test_a_line_that_is_silent_for_a_minute_is_told_and_comes_back(page: Page, far: Wired) -> None:
    """Neither end is told. The server has the old window still when the new one comes."""
    page.route("**/screen.js", is_less_patient)
    page.reload()
    drawn(page)
    x_server = far.session.process("Xtigervnc")
    line(far).fall_silent()
    page.evaluate("dispatchEvent(new Event('online'))")
    says(page, "The connection was cut")
    line(far).speak()
    drawn(page)
    page.keyboard.type("after it")
    reads(far, "after it")
    assert far.session.process("Xtigervnc") == x_server


def is_less_patient(route: Route) -> None:
    """A minute in two seconds."""
    script = route.fetch()
    assert "PATIENCE = 8000" in script.text()
    route.fulfill(response=script, body=script.text().replace("PATIENCE = 8000", "PATIENCE = 2000"))


def test_at_200_ms_keys_come_once_and_in_order_and_the_clipboard_goes_both_ways(page: Page, far: Wired) -> None:
    line(far).delay = 0.1
    text = "".join(chr(ord("a") + number * 7 % 26) for number in range(120))
    page.keyboard.type(text)
    reads(far, text)
    page.evaluate("navigator.clipboard.writeText('from the browser')")
    page.keyboard.press("Control+v")
    wait_for(lambda: far.run("sh", "-c", "xclip -selection clipboard -o || true") == b"from the browser")
    far.run("sh", "-c", "exec xclip -selection clipboard -in >/dev/null 2>&1", input=b"from the desktop")
    until(page, "async () => await navigator.clipboard.readText() === 'from the desktop'")
    tool(page, "Quality")
    expect(page.locator("#m-trip")).to_have_text(re.compile(r"^(2[0-9]|[3-9][0-9]|\d\d\d)\d ms$"))


# What is dropped


def test_more_than_there_is_room_for_is_refused_at_once(page: Page, far: Wired, tmp_path: Path) -> None:
    room = os.statvfs(far.session.home)
    with (tmp_path / "vast.bin").open("wb") as file:
        file.truncate(room.f_bavail * room.f_frsize + 5 * GIB)
    before, there = far.cable.carried, downloads(far)
    drop(page, tmp_path / "vast.bin")
    expect(page.locator("#notices").get_by_text("no room in your home for “vast.bin”")).to_be_visible()
    assert far.cable.carried - before < 4 << 20
    assert downloads(far) == there


def test_5_gb_go_on_after_a_cut_in_little_memory(page: Page, far: Wired, browser: Browser, tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(5 * GIB)
    server = far.session.server.pid
    before, pages_before, carried = memory(server), memory_of_pages(browser), far.cable.carried
    others = downloads(far)
    drop(page, tmp_path / "large.bin")
    wait_for(lambda: far.cable.carried - carried > 12_000_000)
    far.cable.cut()
    expect(page.locator("#notices").get_by_text("waits for the connection")).to_be_visible()
    (part,) = downloads(far) - others
    there = part.stat().st_size
    far.cable.mend()
    wait_for(lambda: part.stat().st_size > there)
    assert memory(server) - before < 64 << 20
    assert memory_of_pages(browser) - pages_before < 192 << 20
    page.locator("#notices").get_by_role("button", name="Cancel large.bin").click()
    wait_for(lambda: downloads(far) == others)


# What moves

WATCH = """() => {
  const seen = window.seen = { pictures: 0, answers: 0, after: [] };
  const eye = new OffscreenCanvas(9, 1).getContext("2d", { willReadFrequently: true });
  let last = "", colour;
  const look = () => {
    const screen = document.querySelector("#screen canvas"), { width, height } = screen;
    const take = (x, y, at) => eye.drawImage(screen, x * width, y * height, 4, 4, at, 0, 1, 1);
    for (let bit = 0; bit < 8; bit++) take((bit + 0.5) / 8, 1 / 8, bit);
    take(1 / 2, 3 / 8, 8);
    const points = [...eye.getImageData(0, 0, 9, 1).data].filter((_, at) => at % 4 === 0).map((red) => red > 127);
    const answer = points.pop();
    if (String(points) !== last) seen.pictures++;
    last = String(points);
    colour ??= answer;
    if (answer !== colour) seen.after.push(seen.pictures);
    colour = answer;
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_program_that_fills_the_screen_60_times_a_second_leaves_keys_their_way(
    windows: Windows, far: Wired, browser: Browser
) -> None:
    """Nothing piles up, also where the page is slower than the program: a key is answered within some pictures."""
    page = windows.desktop(far.page("rush"))
    page.evaluate(WATCH)
    processes = (far.session.server.pid, far.session.process("Xtigervnc"))
    until(page, "seen.pictures > 30")
    before, pages_before = memory(*processes), memory_of_pages(browser)
    for slower in (1, 4):
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        for _ in range(2):
            answers, pictures = page.evaluate("[seen.after.length, seen.pictures]")
            page.keyboard.press("x")
            until(page, f"seen.after.length > {answers}")
            assert page.evaluate(f"seen.after[{answers}]") - pictures < 60
            until(page, f"seen.pictures > {pictures + 10}")
    assert memory(*processes) - before < 64 << 20
    assert memory_of_pages(browser) - pages_before < 192 << 20


# What is copied

SCRIPT = "<script>alert(1)</script>\n"


@pytest.mark.needs("GTK for Python")
def test_a_long_text_that_is_copied_in_the_desktop_is_in_the_browser(page: Page, far: Wired) -> None:
    """X's own server for VNC lets lie what a program hands over in parts. It is text, whatever is in it."""
    with copied_in_parts(far, SCRIPT, 20_000):
        until(page, "async (text) => await navigator.clipboard.readText() === text", SCRIPT * 20_000)
    tool(page, "Clipboard")
    expect(page.get_by_text("Only the beginning is shown")).to_be_visible()
    assert page.get_by_label("Text on the clipboard of Typed").input_value().startswith(SCRIPT)


@pytest.mark.needs("GTK for Python")
def test_40_mb_that_are_copied_in_the_desktop_are_said_to_stay_there(page: Page, far: Wired) -> None:
    before = memory(far.session.server.pid)
    with copied_in_parts(far, "x" * 1000, 40_000):
        expect(
            page.locator("#notices").get_by_text("The text copied in the desktop is longer than 8 MB")
        ).to_be_visible()
    far.run("sh", "-c", "exec xclip -selection clipboard -in >/dev/null 2>&1", input=b"short")
    until(page, "async () => await navigator.clipboard.readText() === 'short'")
    assert memory(far.session.server.pid) - before < 64 << 20


COPIES = """
import gi, sys
gi.require_version("Gtk", "3.0"), gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk
Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(sys.argv[1] * int(sys.argv[2]), -1)
Gtk.main()
"""


@contextmanager
def copied_in_parts(far: Wired, text: str, times: int) -> Iterator[None]:
    """As GTK's programs do it with all that is longer than 256 KiB."""
    program = far.start("/usr/bin/python3", "-c", COPIES, text, str(times))
    try:
        yield
    finally:
        program.terminate()
        program.wait(60)
