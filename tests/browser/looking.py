"""How journeys look at pages: by axe, and for the pictures in the docs, which `make pictures` takes anew."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

from tests.waiting import wait_for

PICTURES = os.environ.get("DRYBENCH_PICTURES")
WIDE = {"width": 1280, "height": 860}

SETTLED = """() => Promise.allSettled(
    document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""


class Picture:
    def __init__(self, otherwise: Path) -> None:
        self._folder = Path(PICTURES) if PICTURES else otherwise

    def __call__(self, page: Page, name: str) -> None:
        page.screenshot(path=self._folder / f"{name}.png", animations="disabled")  # none in between


def until(page: Page | Frame, expression: str, about: object = None) -> None:
    """What a page shows to its scripts only. Playwright's own wait evals in the page, which ours forbid."""
    wait_for(lambda: page.evaluate(expression, about))


def axe(page: Page, part: str | None = None) -> None:
    """Of the whole page, or of a part that is ours on a page that is not; in no colours that are on their way."""
    page.evaluate(SETTLED)
    is_there = page.evaluate("'axe' in window")  # half a megabyte
    found = (Axe("") if is_there else Axe()).run(page, context=part)
    assert found.violations_count == 0, found.generate_report()
