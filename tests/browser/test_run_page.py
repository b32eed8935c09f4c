"""The Run page and the Runs page, looked at and used, in each look."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.changes import Change
from drybench.model import Run, Session
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.requests import RunRequest
from tests.browser.full_bench import fill, picture
from tests.browser.looking import WIDE, Picture, axe
from tests.browser.serving import bench as bench
from tests.browser.serving import page as page
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench, notebook

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

LOOKS: dict[str, dict[str, Any]] = {
    "": {"color_scheme": "light", "viewport": WIDE},
    "-dark": {"color_scheme": "dark", "viewport": WIDE},
    "-phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
TABLE = "frame,area,roundness\n" + "".join(f"{n},{40 + n * 7 % 90}.5,0.{n % 9}1\n" for n in range(2000))


@pytest.mark.parametrize("look", LOOKS)
def test_every_state_of_a_run_can_be_read(browser: Browser, bench: LittleBench, look: str, take: Picture) -> None:
    made: dict[str, Session | Run] = {**fill(bench), "results": _with_results(bench), "module": _missing_module(bench)}
    bench.ledger.write_task(made["running"].task.id, {"memory_used": 1288490188, "cpu_used": 0.9})
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    for name in ("running", "failed", "done", "waiting run", "results", "module"):
        page.goto(f"/runs/{made[name].id}")
        if name == "results":
            page.locator("summary", has_text="areas.csv").click()
            expect(page.get_by_role("columnheader", name="roundness")).to_be_visible()
            _pictures_are_there(page)
        expect(page.locator("iframe")).to_have_attribute("style", re.compile("height"))
        _look(page)
        take(page, f"state-{name.replace(' ', '-')}{look}")
    page.goto("/runs")
    _look(page)
    take(page, f"state-list{look}")
    context.close()


def test_a_look_at_a_file_stays_open_while_the_page_moves_on(page: Page, bench: LittleBench) -> None:
    run = _with_results(bench)
    page.goto(f"/runs/{run.id}")
    page.locator("summary", has_text="areas.csv").click()
    expect(page.get_by_role("cell", name="40.5").first).to_be_visible()
    page.get_by_role("button", name="Star").click()
    expect(page.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    page.locator("summary", has_text="areas.csv").click()
    bench.move(run, Phase.ENDED, Outcome.DONE)
    expect(page.get_by_role("cell", name="40.5").first).to_be_visible()


def test_all_of_it_comes_as_one_zip(page: Page, bench: LittleBench) -> None:
    page.goto(f"/runs/{_with_results(bench).id}")
    with page.expect_download() as download:
        page.get_by_role("link", name="All as a zip").click()
    assert download.value.suggested_filename == "wing-disc.zip"


def test_cancel_asks_first(page: Page, bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.STARTING)
    page.goto(f"/runs/{run.id}")
    page.locator("summary", has_text="Cancel").click()
    expect(page.get_by_text("The notebook is kept as far as it got.")).to_be_visible()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("#state .state").first).to_have_text("stopping")
    expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)


def test_two_runs_are_marked_and_compared(page: Page, bench: LittleBench) -> None:
    for name in ("one", "two", "three"):
        bench.run("1", name=name)
    page.goto("/runs")
    page.get_by_label("Compare one").check()
    page.get_by_label("Compare three").check()
    bench.run("1", name="four")
    bench.portal.changes.tell(Change("all", "", ""))
    expect(page.get_by_role("link", name="four")).to_be_visible()
    expect(page.get_by_label("Compare one")).to_be_checked()
    page.get_by_role("button", name="Compare two").click()
    page.wait_for_url("**/runs/differences?*")


def test_the_runs_with_a_star_are_one_click_away(page: Page, bench: LittleBench) -> None:
    run = bench.run("1", name="kept")
    bench.run("1", name="other")
    bench.portal.runs.star(bench.person(), run.id, True)
    page.goto("/runs")
    page.get_by_role("link", name="starred").click()
    expect(page.get_by_role("link", name="kept", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="other")).to_have_count(0)


def _with_results(bench: LittleBench) -> Run:
    request = RunRequest(notebook("areas.plot()"), "wing-disc.ipynb", tags=("drift", "2026"))
    run = bench.portal.runs.submit(bench.person(), request)
    bench.move(run, Phase.RUNNING)
    bench.made(run, "log.txt", "cell 1 of 1\n")
    bench.made(run, "output/areas.csv", TABLE)
    bench.made(run, "output/figures/areas.png", picture(320, 180))
    bench.made(run, "output/figures/outline.svg", _SVG)
    bench.made(run, "output/masks.npz", b"\0" * 5000)
    bench.made(run, "output/notes.txt", "240 frames\n")
    bench.made(run, "whole/1-stdout.txt", "line\n" * 100_000)
    bench.ledger.note_progress(run.id, 1, 1)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    return run


def _missing_module(bench: LittleBench) -> Run:
    run = bench.run("from skimage import measure", name="outlines")
    error: dict[str, Any] = {"name": "ModuleNotFoundError", "value": "No module named 'skimage'", "traceback": []}
    result = {"outcome": "failed", "reason": "cell_error", "cell": 0, "cell_number": 1, "error": error}
    times = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T10:01:00Z", "cells": 1, "executed": 0}
    bench.fail(run, Reason.CELL_ERROR, {"format": 1, **result, **times, "missing_module": "skimage"})
    return run


def _pictures_are_there(page: Page) -> None:
    seen = page.locator(".pictures img")
    expect(seen).to_have_count(2)
    seen.first.scroll_into_view_if_needed()
    for number in range(2):
        expect(seen.nth(number)).to_have_js_property("complete", True)
        assert seen.nth(number).evaluate("image => image.naturalWidth") > 0


def _look(page: Page) -> None:
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180" viewBox="0 0 320 180">'
    '<path d="M20 150C90 10 170 170 300 30" fill="none" stroke="#0b5f82" stroke-width="6"/></svg>'
)
