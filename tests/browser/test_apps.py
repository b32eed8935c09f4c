"""Every app of an environment is one click away on Home, and none shouts but the main one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.catalogue import Desktops
from drybench.model import App
from drybench.phases import Phase
from tests.browser.looking import Picture, axe
from tests.browser.serving import served, signed_in
from tests.browser.test_pages import LOOKS
from tests.unit.web.little_bench import LittleBench

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

NAPARI = (
    App("desktop", "Desktop"),
    App("napari", "napari with cellpose", ("napari",)),
    App("lab", "JupyterLab"),
    App("terminal", "Terminal"),
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    """Its one environment has all that one can have."""
    with served(tmp_path) as made:
        catalogue = made.portal.catalogue
        catalogue._desktops = Desktops(shows_here=lambda app: True)  # pyright: ignore[reportPrivateUsage]
        recipes = catalogue._read.recipes  # pyright: ignore[reportPrivateUsage]
        recipe = recipes["python"]
        changed = replace(recipe, environment=replace(recipe.environment, title="cellpose", apps=NAPARI))
        catalogue._read = replace(catalogue._read, recipes={"python": changed})  # pyright: ignore[reportPrivateUsage]
        yield made


def opened(browser: Browser, bench: LittleBench, look: str) -> Page:
    page = signed_in(browser, bench, **LOOKS[look]).new_page()
    page.goto("/")
    return page


@pytest.mark.parametrize("look", LOOKS)
def test_home_looks_calm_with_many_apps(browser: Browser, bench: LittleBench, look: str, take: Picture) -> None:
    bench.move(bench.session("discs"), Phase.RUNNING, answers=True)
    page = opened(browser, bench, look)
    for part in ("#sessions", "section:has(> #environments-title)"):
        buttons = page.locator(f"{part} li.card:not(.drop)").first.locator(".deeds > .button, form .deeds > .button")
        assert sum("primary" in (button.get_attribute("class") or "") for button in buttons.all()) == 1
    take(page, f"home-with-apps-{look}")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


@pytest.mark.parametrize("app", NAPARI)
def test_one_click_asks_for_an_app_and_the_row_of_what_runs_has_each(
    browser: Browser, bench: LittleBench, app: App
) -> None:
    page = opened(browser, bench, "light")
    page.get_by_role("button", name=app.title, exact=True).click()
    page.wait_for_url("**/start/*")
    (session,) = bench.portal.sessions.mine(bench.person())
    assert session.app == app.name
    page.goto("/")
    expect(page.get_by_text("JupyterLab in")).to_have_count(1 if app.name == "lab" else 0)
    bench.move(session, Phase.RUNNING, answers=True)
    row, root = page.locator(f"#session-{session.id}"), bench.portal.sessions.root(session)
    expect(row.get_by_role("link", name="Open", exact=True)).to_be_visible()
    found = {link.inner_text(): link.get_attribute("href") for link in row.get_by_role("link").all()}
    addresses = {one.title: root + ("" if one.name == "lab" else f"{one.name}/") for one in NAPARI}
    addresses["Open"] = addresses.pop(app.title)
    assert addresses.items() <= found.items()
    page.context.close()
