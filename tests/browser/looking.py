"""How journeys look at pages: by axe, and for the pictures in the docs, which `make pictures` takes anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

from tests.waiting import wait_for

PICTURES = os.environ.get("DRYBENCH_PICTURES")
WIDE = {"width": 1280, "height": 860}

# What was asked for is on its way in the next frame only. What has no end, or has not begun, is left as it is; a page
# that nobody looks at may get no frames.
AT_REST = """async () => {
    const frame = () => new Promise((over) => { requestAnimationFrame(over); setTimeout(over, 500) })
    const moves = ({ playState, effect }) => {
        const { endTime, progress } = effect.getComputedTiming()
        return playState === "running" && progress !== null && endTime !== Infinity
    }
    await document.fonts.ready
    for (let frames = 0, still = 0; frames < 100 && still < 2; frames++) {
        await frame()
        const moving = document.getAnimations().filter(moves)
        moving.forEach((one) => one.finish())
        still = moving.length ? 0 : still + 1
    }
}"""


class Picture:
    def __init__(self, otherwise: Path) -> None:
        self._folder = Path(PICTURES) if PICTURES else otherwise

    def __call__(self, page: Page, name: str) -> None:
        page.screenshot(path=self._folder / f"{name}.png", animations="disabled")  # none in between


def until(page: Page | Frame, expression: str, about: object = None) -> None:
    """What a page shows to its scripts only. Playwright's own wait evals in the page, which ours forbid."""
    wait_for(lambda: page.evaluate(expression, about))


def axe(page: Page, part: str | None = None, **options: object) -> None:
    """Of the whole page, or of a part that is ours on a page that is not; with nothing on its way any more."""
    page.evaluate(AT_REST)
    is_there = page.evaluate("'axe' in window")  # half a megabyte
    found = (Axe("") if is_there else Axe()).run(page, part, {"resultTypes": ["violations"], **options})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


@contextmanager
def unbroken(page: Page) -> Iterator[Page]:
    """No script of it fails as long as it is looked at: lead it nowhere else, for that cuts off what it asks for."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"{error}\n{error.stack}"))
    yield page
    assert problems == []
