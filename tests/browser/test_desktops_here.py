"""A desktop of this machine itself, where it has TigerVNC and a window manager."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.bench import Bench
from tests.browser.looking import axe
from tests.waiting import A_START

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("chromium", "TigerVNC", "xfce"),
    pytest.mark.timeout(300, func_only=True),
]


def test_one_click_leads_to_it_and_the_other_apps_are_beside_it(page: Page, bench: Bench) -> None:
    page.get_by_role("button", name="Desktop", exact=True).click()
    page.wait_for_url(re.compile(r"/user/[^/]+/python/desktop/"), timeout=1000 * A_START)
    expect(page.locator("body[data-tools=ready]:not(.dim)")).to_be_visible(timeout=1000 * A_START)
    axe(page)
    with bench.owner() as owner:
        session = next(one for one in owner.sessions() if one["name"] == "python")
    page.goto(bench.url)
    row = page.locator(f"#session-{session['id']}")
    expect(row).to_contain_text("Desktop in Python")
    expect(row.get_by_role("link", name="JupyterLab", exact=True)).to_be_visible()
    row.get_by_role("link", name="Terminal", exact=True).click()
    expect(page.locator(".jp-Terminal .xterm-screen")).to_be_visible()
