"""A course's desktops side by side, and what a guest's page says when the screen is away: a real X server, no Hub."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.model import Session
from drybench.sharing.teaching import Teaching
from tests.browser.looking import Picture, axe
from tests.browser.screens import colour, is_near
from tests.browser.serving import served, signed_in
from tests.desktops import Desktops, desktops
from tests.integration.shared_screens import running
from tests.unit.web.little_bench import ADA, BOB, LittleBench
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(240)]

GREEN, RED = (16, 160, 32), (200, 16, 32)
# Fills its screen, and leaves word of how others reach it
PROGRAM = {
    "name": "desktop",
    "title": "Desktop",
    "command": ["sh", "-c", "env -0 >~/.display; exec xterm -geometry 300x90+0+0 -bg '#10a020' -e cat"],
}


@dataclass(frozen=True)
class Course:
    bench: LittleBench
    session: Session
    screen: Desktops

    def show(self, **asked: str) -> dict[str, Any]:
        return self.ask("POST", f"sessions/{self.session.id}/shares", asked).json()

    def end(self, share: dict[str, Any]) -> None:
        self.ask("DELETE", f"shares/{share['id']}")

    def ask(self, method: str, path: str, said: Any = None) -> httpx.Response:
        there, token = f"{self.bench.public}/api/v1/{path}", {"Authorization": f"token {ADA}"}
        answer = httpx.request(method, there, json=said, headers=token, timeout=60)
        assert answer.is_success, answer.text
        return answer


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with served(tmp_path, websockets=True, own_host_names=True) as bench:
        bench.person("bob")
        bench.portal.shares.teaching = Teaching({"lab": ["bob"]})  # without a keeper, who is ada here
        session = running(bench, 1)
        (tmp_path / "screens").mkdir()
        told = {"DRYBENCH_GUEST": bench.portal.guest_key(session.task.id)}
        with desktops(tmp_path / "screens", [PROGRAM], told) as screen:
            bench.ledger.write_task(session.task.id, {"address": "/".join(screen.url.split("/")[:3])})
            bench.portal.sessions.root = lambda session: screen.url  # type: ignore[method-assign]
            screen.start("desktop")
            yield Course(bench, session, screen)


@pytest.fixture
def bobs(browser: Browser, course: Course) -> Iterator[Page]:
    context = signed_in(browser, course.bench, BOB)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def middle(page: Page) -> tuple[int, int, int]:
    box = wait_for(page.locator("shared-screen canvas").bounding_box)  # it has none as long as it is hidden
    return colour(page, box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)


def test_it_fills_by_itself_and_stays_as_it_is(course: Course, bobs: Page, take: Picture) -> None:
    bobs.goto("/wall/lab")
    expect(bobs.get_by_text("Nobody shows theirs")).to_be_visible()
    share = course.show(teachers="lab", length="8 h")
    bobs.locator("shared-screen[data-state=drawn]").wait_for()
    wait_for(lambda: is_near(middle(bobs), GREEN))
    take(bobs, "wall")
    axe(bobs)
    bobs.evaluate("""() => {
        window.before = document.querySelector("shared-screen canvas")
        document.body.dispatchEvent(new CustomEvent("changed-share"))
    }""")
    with bobs.expect_response("**/wall/lab"):
        bobs.evaluate("document.body.dispatchEvent(new CustomEvent('look-again'))")
    assert bobs.evaluate("document.querySelector('shared-screen canvas') === before")
    course.end(share)
    expect(bobs.get_by_text("Nobody shows theirs")).to_be_visible()


def test_a_screen_that_ended_comes_up_again(course: Course, bobs: Page) -> None:
    share = course.show(person="bob")
    bobs.goto(share["url"])
    bobs.locator("shared-screen[data-state=drawn]").wait_for()
    left = course.screen.home / ".display"
    said = wait_for(lambda: left.exists() and left.read_text())
    display = dict(line.split("=", 1) for line in said.rstrip("\0").split("\0"))
    words = ["xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm", "windowkill"]
    subprocess.run(words, env=display, check=True, timeout=60)
    expect(bobs.get_by_text("There is no desktop at the moment")).to_be_visible()
    course.screen.start("desktop")
    bobs.locator("shared-screen[data-state=drawn]").wait_for()
    wait_for(lambda: is_near(middle(bobs), GREEN))
