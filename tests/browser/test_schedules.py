"""Schedules and Tell me in a real browser: nothing for axe to find, and the form says what was typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.phases import Outcome, Phase, Reason
from drybench.runs.requests import RunRequest
from drybench.schedules.asking import ScheduleRequest
from tests.browser.looking import Picture, axe
from tests.browser.serving import bench as bench
from tests.browser.serving import signed_in
from tests.browser.test_pages import LOOKS
from tests.unit.web.little_bench import LittleBench, notebook

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


def fill(bench: LittleBench, page: Page) -> None:
    ada, desk = bench.person(), bench.portal.schedules

    def ask(name: str, cron: str, zone: str = "Europe/Berlin", **more: str) -> str:
        run = RunRequest(notebook("1"), f"{name}.ipynb")
        return desk.ask(ada, ScheduleRequest(run, cron, zone=zone, **more)).id  # type: ignore[arg-type]

    desk.pause(ada, ask("weekly-report", "0 6 * * MON"))
    failing = desk.run_now(ada, ask("drift-correction", "30 7 * * 1-5"))
    bench.fail(failing, Reason.CELL_ERROR)
    done = desk.run_now(ada, ask("nightly-registration", "0 22 * * *", missed="skip"))
    bench.move(done, Phase.ENDED, Outcome.DONE)
    broken = ask("import-from-microscope", "*/15 * * * *")
    bench.told.scheduling._book.write(broken, problem="There is no folder /data/scope on this machine. Give the path.")
    page.goto("/notices")
    for kind, address in (
        ("webhook", "https://93.184.215.14/drybench"),
        ("slack", "https://hooks.slack.com/services/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"),
    ):
        page.locator("#kind").select_option(kind)
        page.get_by_label("Address").fill(address)
        with page.expect_response("**/notices"):  # where the form leads back to
            page.get_by_role("button", name="Add").click()
        expect(page.get_by_label("Address")).to_have_value("")


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, bench: LittleBench, look: str, take: Picture
) -> None:
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    for address in ("/schedules", "/notices"):
        check(page, address)
    fill(bench, page)
    for address in ("/schedules", "/notices"):
        check(page, address)
        if look == "light":
            take(page, address[1:])
    context.close()


def check(page: Page, address: str) -> None:
    page.goto(address)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_the_form_says_what_was_typed_and_keeps_it(browser: Browser, bench: LittleBench) -> None:
    context = signed_in(browser, bench, timezone_id="America/New_York")
    page = context.new_page()
    page.goto("/runs/new")
    expect(page.get_by_label("Cron expression")).to_be_hidden()
    page.get_by_label("Again and again").check()
    expect(page.get_by_label("Time zone")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
    page.get_by_label("Cron expression").fill("30 7 * * 1-5")
    expect(page.locator("#when-preview")).to_contain_text("Every weekday at 07:30 (America/New_York)")
    expect(page.locator("#when-preview li")).to_have_count(5)
    expect(page.locator("#when-preview")).to_be_visible()
    page.get_by_label("Cron expression").fill("0 0 31 2 *")
    expect(page.locator("#when-preview")).to_contain_text("names a day that never comes")
    page.get_by_label("Cron expression").fill("30 7 * * 1-5")
    page.set_input_files("#notebook", files=[{"name": "drift.ipynb", "mimeType": "", "buffer": notebook("1")}])
    expect(page.get_by_text("of drift.ipynb")).to_be_visible()
    expect(page.locator("#when-preview")).to_contain_text("Every weekday at 07:30 (America/New_York)")
    page.locator("#new-run button[type=submit]").click(delay=300)  # longer than an answer takes
    page.wait_for_url("**/schedules**")
    [made] = bench.portal.schedules.mine(bench.person())
    assert (made.name, made.when.cron, made.when.zone) == ("drift", "30 7 * * 1-5", "America/New_York")
    page.goto("/runs/new")
    page.get_by_label("At a time").check()
    page.get_by_label("Day and time").fill("2090-01-31T07:30")
    expect(page.locator("#when-preview")).to_contain_text("Once, on Tuesday 31 January 2090 at 07:30")
    page.set_input_files("#notebook", files=[{"name": "later.ipynb", "mimeType": "", "buffer": notebook("1")}])
    page.locator("#new-run button[type=submit]").click()
    page.wait_for_url("**/schedules**")
    assert [one.name for one in bench.portal.schedules.mine(bench.person())] == ["later", "drift"]
    context.close()
