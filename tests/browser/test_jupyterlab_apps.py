"""From JupyterLab to the session's other apps, and a terminal by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import unbroken
from tests.jupyterlab import OPENS, Lab, jupyterlab
from tests.python_environment import python_environment
from tests.waiting import PATIENCE, wait_for

__all__ = ["python_environment"]
pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

APPS = [
    {"name": "desktop", "title": "Desktop", "command": None},
    {"name": "napari", "title": "napari", "command": ["/no/such/program"]},
    {"name": "lab", "title": "JupyterLab", "command": None},
    {"name": "terminal", "title": "Terminal", "command": None},
]


@pytest.fixture(scope="module")
def lab(python_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    told = {"DRYBENCH_APPS": json.dumps(APPS), "SHELL": "/bin/sh"}
    with jupyterlab(python_environment, tmp_path_factory.mktemp("lab"), told) as lab:
        yield lab


class Opens(Protocol):
    def __call__(self, path: str) -> AbstractContextManager[Page]: ...


@pytest.fixture
def opened(browser: Browser, lab: Lab) -> Iterator[Opens]:
    """A page of one browser, signed in, in which nothing goes wrong."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)

    @contextmanager
    def opened(path: str) -> Iterator[Page]:
        page = context.new_page()
        with unbroken(page):
            page.goto(f"{lab.url}{path}")
            yield page
        page.close()

    with opened(f"lab?token={OPENS}&reset") as page:
        expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    yield opened
    context.close()


def test_the_launcher_opens_each_app_with_a_screen_in_a_tab_of_its_own(opened: Opens, lab: Lab) -> None:
    with opened("lab") as page:
        tiles = page.locator(".jp-Launcher-section").filter(has_text="Drybench").locator(".jp-LauncherCard")
        expect(tiles).to_have_text(["Desktop", "napari"])
        for title in ("Desktop", "napari"):
            with page.expect_popup() as tab:
                tiles.filter(has_text=title).click()
            tab.value.wait_for_url(f"{lab.url}{title.lower()}/")
            expect(tab.value).to_have_title(title)
            tab.value.close()


def test_a_terminal_is_all_that_is_shown_and_it_stays(opened: Opens, lab: Lab) -> None:
    with opened("terminal/") as page:
        expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()
        expect(page.locator(".jp-LauncherCard, .jp-FileBrowser:visible")).to_have_count(0)
        assert len(lab.ask("GET", "api/terminals").json()) == 1
        wait_for(lambda: '"terminal:1"' in lab.ask("GET", "lab/api/workspaces/drybench-terminal").text)
    with opened("terminal/") as page:
        expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()
        assert len(lab.ask("GET", "api/terminals").json()) == 1
    with opened("lab") as page:
        expect(page.locator(".jp-LauncherCard").first).to_be_visible()  # it is as it was left
