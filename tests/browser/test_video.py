"""A screen's picture as video, from a real session to what a browser shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.looking import until
from tests.browser.screens import shows
from tests.desktops import Desktops, desktops
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.needs("TigerVNC", "xfwm4")]

ORANGE, TEAL = (255, 165, 5), (0, 128, 128)  # as near as the colours of video come
BLINKS = "while :; do xsetroot -solid orange; sleep 1; xsetroot -solid teal; sleep 1; done"
APP = {"name": "blinks", "title": "It blinks", "command": ["sh", "-c", BLINKS]}
SHOW = """async (address) => {
    const { Video, codecHere } = await import('/user/ada/drybench/screen/video.js');
    const codec = await codecHere();
    document.body.replaceChildren();
    window.states = [];
    window.video = new Video(document.body, `${address}&codec=${codec}`, codec);
    window.video.addEventListener('state', ({ detail }) => window.states.push(detail.state));
    window.video.addEventListener('measured', ({ detail }) => { window.measured = detail });
}"""


@pytest.fixture(scope="module")
def blinking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktops]:
    with desktops(tmp_path_factory.mktemp("video"), [APP]) as session:
        session.start("blinks")
        yield session


@pytest.fixture
def page(browser: Browser, blinking: Desktops) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 640, "height": 480})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(blinking.page("blinks"))
    yield page
    context.close()


def address(session: Desktops) -> str:
    return session.stream("blinks").replace("/stream?", "/video?")


def test_what_moves_is_seen_and_says_how_much_it_was(page: Page, blinking: Desktops, tmp_path: Path) -> None:
    assert blinking.says("blinks")["video"] is True
    page.evaluate(SHOW, address(blinking))
    until(page, "window.states.includes('drawn')")
    for wanted in (ORANGE, TEAL, ORANGE):
        shows(page, 50, 50, wanted)
    until(page, "window.measured?.frames > 0 && window.measured.width > 0")
    assert page.evaluate("window.measured.bytes") < 1 << 20
