"""Receipt and comparison in a real browser: found, read, and nothing for axe to find."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.changes import Change
from drybench.model import Run
from drybench.phases import Outcome, Phase
from tests.browser.looking import Picture, axe
from tests.browser.serving import bench as bench
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench
from tests.unit.web.test_receipts import LEFT, THEN

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture(params=[1280, 390])
def page(browser: Browser, bench: LittleBench, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = signed_in(browser, bench, viewport={"width": request.param, "height": 800})
    yield context.new_page()
    context.close()


def done(bench: LittleBench, *sources: str, version: str = "1.0") -> Run:
    run = bench.run(*sources, name="wing disc")
    bench.made(run, "receipt.json", json.dumps({**LEFT, "packages": {"lab-one": version}}))
    bench.move(run, Phase.ENDED, Outcome.DONE, started_at=THEN, ended_at=THEN)
    return run


def in_order(page: Page) -> None:
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_receipt_opens_on_the_runs_page(bench: LittleBench, page: Page, take: Picture) -> None:
    run = done(bench, "1")
    page.goto(f"/runs/{run.id}")
    page.get_by_text("Receipt", exact=True).click()
    expect(page.get_by_text("lab-one==1.0").first).to_be_visible()
    expect(page.get_by_text("NVIDIA A40")).to_be_visible()
    with page.expect_response(f"**/runs/{run.id}"):  # the page looks again, and what is open stays open
        bench.portal.runs.star(bench.person(), run.id, True)
        bench.portal.changes.tell(Change("run", run.id, run.person_id))
    expect(page.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("NVIDIA A40")).to_be_visible()
    in_order(page)
    if page.evaluate("innerWidth > 1000"):
        page.evaluate("scrollTo(0, 0)")
        take(page, "receipt")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as RO-Crate").click()
    assert download.value.suggested_filename == "wing disc.crate.zip"


def test_without_script_it_is_a_page(bench: LittleBench, browser: Browser) -> None:
    context = signed_in(browser, bench, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/runs/{done(bench, '1').id}/receipt")
    expect(page.get_by_role("heading", name="Receipt of wing disc")).to_be_visible()
    expect(page.get_by_text("lab-one==1.0").first).to_be_visible()
    context.close()


def test_two_runs_side_by_side(bench: LittleBench, page: Page) -> None:
    done(bench, "x = 1", "y = 2")
    other = done(bench, "x = 1", "y = '<b>3</b>'", version="2.0")
    page.goto(f"/runs/{other.id}")
    page.get_by_role("link", name="What differs").click()
    expect(page.get_by_role("row", name="lab-one 1.0 2.0")).to_be_visible()
    expect(page.get_by_text("+y = '<b>3</b>'")).to_be_visible()
    in_order(page)


def test_a_run_is_had_again_as_it_was(bench: LittleBench, page: Page) -> None:
    run = done(bench, "1")
    page.goto(f"/runs/{run.id}")
    page.get_by_role("button", name="Run again as it was").click()
    expect(page.get_by_role("link", name="an earlier run")).to_have_attribute("href", f"/runs/{run.id}")
