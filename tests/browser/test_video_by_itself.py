"""A narrow line between a session and a browser: the picture comes as video by itself, and sharp again at rest."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cable import Cable, cable
from tests.desktops import Desktops, desktops
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.needs("TigerVNC", "xterm"), pytest.mark.timeout(300)]

NARROW = 100_000  # bytes a second
MOVES = """
import pathlib, sys, time
at = 0
while True:
    if not pathlib.Path("still").exists():
        at += 1
        colours = (f"\\033[48;5;{16 + (row * 7 + at * 5) % 216}m" for row in range(40))
        rows = (colour + "".join(chr(33 + (column * 3 + at) % 90) for column in range(70)) for colour in colours)
        print("\\033[H" + "\\r\\n".join(rows), end="", flush=True)
    time.sleep(0.05)
"""
SHOWS = f"cd; exec xterm -fa 'DejaVu Sans Mono' -fs 10 -e {shlex.join([sys.executable, '-c', MOVES])}"
APP = {"name": "moves", "title": "It moves", "command": ["sh", "-c", SHOWS]}
CODEC = "import('/user/ada/drybench/screen/video.js').then(({ codecHere }) => codecHere())"


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Desktops]:
    with desktops(tmp_path, [APP]) as session:
        yield session


@pytest.fixture
def line(moving: Desktops) -> Iterator[Cable]:
    with cable(urlsplit(moving.url).port or 0) as line:
        yield line


@pytest.fixture
def page(browser: Browser, moving: Desktops, line: Cable) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 640, "height": 480})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(moving.page("moves").replace(str(urlsplit(moving.url).port), str(line.port)))
    yield page
    context.close()


def test_video_while_much_moves_on_a_narrow_line_and_sharp_at_rest(page: Page, moving: Desktops, line: Cable) -> None:
    if not moving.says("moves")["video"]:
        pytest.skip("This environment makes no video: pip install pixelflux")
    if not page.evaluate(CODEC):
        pytest.skip("This browser decodes no video for a page: it has no WebCodecs")
    expect(page.locator("body[data-tools=ready]:not(.dim)")).to_be_visible()
    page.locator("#handle").click()
    page.get_by_role("button", name="Quality", exact=True).click()
    line.rate = NARROW
    expect(page.locator("#m-why")).to_have_text("the line is narrow")
    expect(page.locator("#m-quality")).to_have_text("video")
    (moving.home / "still").touch()
    line.rate = 0  # or it takes long for what is on its way
    expect(page.locator("#screen canvas.video")).to_have_count(0)
    expect(page.locator("#m-quality")).to_have_text(re.compile("of 9"))
    page.get_by_role("button", name="Picture", exact=True).click()
    page.get_by_label("Always sharp").check()
    page.get_by_role("button", name="Quality", exact=True).click()
    expect(page.locator("#m-why")).to_have_text("you chose it")
