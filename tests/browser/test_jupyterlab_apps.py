"""From JupyterLab to the session's other apps, and a terminal by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

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


@pytest.fixture
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """Signed in, and nothing went wrong on it."""
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{lab.url}lab?token={OPENS}&reset")
    yield page
    page.close()
    assert problems == []


def test_the_launcher_opens_each_app_with_a_screen_in_a_tab_of_its_own(page: Page, lab: Lab) -> None:
    tiles = page.locator(".jp-Launcher-section").filter(has_text="Drybench").locator(".jp-LauncherCard")
    expect(tiles).to_have_text(["Desktop", "napari"])
    for title in ("Desktop", "napari"):
        with page.expect_popup() as opened:
            tiles.filter(has_text=title).click()
        opened.value.wait_for_url(f"{lab.url}{title.lower()}/")
        expect(opened.value).to_have_title(title)
        opened.value.close()


def test_a_terminal_is_all_that_is_shown_and_it_stays(page: Page, lab: Lab) -> None:
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    page.goto(f"{lab.url}terminal/")
    expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()
    expect(page.locator(".jp-LauncherCard, .jp-FileBrowser:visible")).to_have_count(0)
    assert len(lab.ask("GET", "api/terminals").json()) == 1
    wait_for(lambda: '"terminal:1"' in lab.ask("GET", "lab/api/workspaces/drybench-terminal").text)
    page.goto(f"{lab.url}terminal/")
    expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()
    assert len(lab.ask("GET", "api/terminals").json()) == 1
    page.goto(f"{lab.url}lab")
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()  # it is as it was left
