"""The screen of a session in a real browser, with a real X server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screens import Bridge, X, bridge, colour, drawn, happened, is_near, shows, x_server
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

TEAL = (0, 128, 128)
ORANGE = (255, 165, 0)


@pytest.fixture
def x(tmp_path: Path) -> Iterator[X]:
    with x_server(tmp_path) as server:
        yield server


@pytest.fixture
def way(x: X) -> Iterator[Bridge]:
    with bridge(x.socket) as made:
        yield made


@pytest.fixture
def page(browser: Browser, way: Bridge) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 640, "height": 480})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    opened.goto(way.url)
    opened.wait_for_function("() => Boolean(window.show)")
    yield opened
    context.close()
    assert not wrong


def show(page: Page, options: str = "{}") -> None:
    page.evaluate(f"show({options})")
    drawn(page)


def test_it_is_drawn_as_large_as_its_window(page: Page, x: X) -> None:
    x.paint("#008080")
    show(page)
    wait_for(lambda: x.size() == (640, 480))
    shows(page, 2, 2, TEAL)
    shows(page, 637, 477, TEAL)
    x.paint("#ffa500")
    shows(page, 320, 240, ORANGE)
