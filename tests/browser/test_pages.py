"""The pages in a real browser: nothing for axe to find, nothing from elsewhere, and they live."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from drybench.model import Run, Session
from drybench.phases import Outcome, Phase, Reason
from tests.browser.full_bench import fill
from tests.browser.looking import axe, until
from tests.browser.serving import bench as bench
from tests.browser.serving import page as page
from tests.browser.serving import signed_in
from tests.unit.web.little_bench import LittleBench
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

EMPTY = ("/", "/runs", "/runs/kept", "/runs/new", "/engines", "/nowhere")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 800}},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_overflows(browser: Browser, bench: LittleBench, look: str) -> None:
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    _look_at(page, EMPTY)
    _look_at(page, _addresses(fill(bench)))
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_what_goes_next_is_shown_and_a_star_keeps_it(browser: Browser, bench: LittleBench, look: str) -> None:
    made = fill(bench)
    for name in ("done", "failed"):
        run = bench.ledger.run(made[name].id)
        assert run
        bench.ledger.settle(run, None, None, lambda *_: None)
    bench.portal.keeping.set_wish(bench.person(), 20)
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    _look_at(page, ("/runs/kept",))
    row = page.get_by_role("row", name="measure-areas")
    expect(row.get_by_text("failed")).to_have_count(1)
    row.get_by_role("button", name="Star").click()
    page.goto("/runs/kept")
    expect(row).to_have_count(0)
    page.get_by_label("Remove my runs after so many days").fill("soon")
    page.get_by_role("button", name="Keep this rule").click()
    expect(page.get_by_text("Runs are kept for a whole number of days")).to_be_visible()
    expect(page.get_by_label("Remove my runs after so many days")).to_have_value("soon")
    axe(page)
    context.close()


def test_a_run_is_removed_from_its_page_once_it_said_what_is_lost(page: Page, bench: LittleBench) -> None:
    run = fill(bench)["done"]
    found = bench.ledger.run(run.id)
    assert found
    bench.ledger.settle(found, None, None, lambda *_: None)
    bench.ledger.forgotten(found.task.id)
    page.goto(f"/runs/{run.id}")
    expect(page.get_by_role("button", name="Remove the run")).to_be_hidden()
    page.get_by_text("Remove…").click()
    expect(page.get_by_text("Its notebook and all the files that it made go with it")).to_be_visible()
    axe(page, iframes=False)
    page.get_by_role("button", name="Remove the run").click()
    page.wait_for_url("**/runs")
    expect(page.get_by_role("link", name="summary")).to_have_count(0)


def test_nothing_is_fetched_from_elsewhere(page: Page, bench: LittleBench) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    for address in _addresses(fill(bench)):
        page.goto(address)
    assert {url for url in asked if not url.startswith((bench.public, "data:", "blob:", "about:"))} == set()


def test_a_part_changes_in_place_and_keeps_what_is_open(page: Page, bench: LittleBench) -> None:
    first, second = bench.session("first"), bench.session("second")
    bench.move(second, Phase.RUNNING, answers=True)
    page.goto("/")
    page.locator(f"#session-{second.id} summary").click()
    bench.move(first, Phase.RUNNING, answers=True)
    expect(page.locator(f"#session-{first.id} .state")).to_have_text("running")
    expect(page.get_by_role("button", name="Stop the session").first).to_be_visible()


def test_two_tabs_share_one_stream(browser: Browser, bench: LittleBench) -> None:
    session = bench.session("shared")
    context = signed_in(browser, bench)
    tabs = [context.new_page() for _ in range(7)]
    for tab in tabs:
        tab.goto("/")
    bench.move(session, Phase.RUNNING, answers=True)
    for tab in tabs:
        expect(tab.locator(".state.running")).to_be_visible()
    context.close()


def test_what_changed_before_a_tab_listened_is_shown_in_it(browser: Browser, bench: LittleBench) -> None:
    """The stream is open already, for another tab."""
    session, held = bench.session("shared"), list[Route]()
    context = signed_in(browser, bench)
    first, second = context.new_page(), context.new_page()
    first.goto("/")
    bench.move(session, Phase.STARTING)
    expect(first.locator(".state.starting")).to_be_visible()
    second.route(re.compile(r"/live\.js"), lambda route: held.append(route))
    second.goto("/", wait_until="commit")
    expect(second.locator(".state.starting")).to_be_visible()
    bench.move(session, Phase.RUNNING, answers=True)
    expect(first.locator(".state.running")).to_be_visible()
    wait_for(lambda: second.evaluate("1") and held)
    held.pop().continue_()
    expect(second.locator(".state.running")).to_be_visible()
    context.close()


def test_the_start_page_follows_and_goes_there(page: Page, bench: LittleBench) -> None:
    page.route("**/user/**", lambda route: route.fulfill(body="JupyterLab is here"))
    page.goto("/")
    page.get_by_role("button", name="JupyterLab").click()
    expect(page.get_by_text("next in line")).to_be_visible()
    session = bench.portal.sessions.mine(bench.person())[0]
    bench.move(session, Phase.STARTING, detail="step two")
    expect(page.get_by_text("step two")).to_be_visible()
    expect(page).to_have_title("starting: python · Drybench")
    bench.move(session, Phase.RUNNING, answers=True)
    expect(page.get_by_text("JupyterLab is here")).to_be_visible()
    assert page.url == bench.portal.sessions.url(session)


def test_the_page_of_a_stopped_session_goes_there_once_and_asks_there_for_nothing(
    page: Page, bench: LittleBench
) -> None:
    session, asked = bench.session("lab"), list[str]()
    page.goto("/user/ada/lab/lab")

    def answer(route: Route) -> None:
        asked.append(route.request.resource_type)
        route.fulfill(body="JupyterLab is here")

    page.route("**/user/**", answer)
    bench.move(session, Phase.STARTING, detail="step two")
    expect(page.get_by_text("step two")).to_be_visible()
    bench.move(session, Phase.RUNNING, answers=True)
    expect(page.get_by_text("JupyterLab is here")).to_be_visible()
    assert asked == ["document"]


def test_the_notebook_grows_without_moving_what_is_read(page: Page, bench: LittleBench) -> None:
    run = bench.run(*[f"print({number})" for number in range(30)])
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    expect(page).to_have_title("running: notebook · Drybench")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("print(29)")).to_be_attached()
    until(page, "scrollTo(0, 400), scrollY === 400")  # as soon as the page is so long
    _tell(bench, run, 29, "the last word")
    expect(frame.get_by_text("the last word")).to_be_attached()
    assert page.evaluate("scrollY") == 400
    bench.move(run, Phase.ENDED, Outcome.DONE)
    expect(page.locator("#state .state")).to_have_text("done")
    expect(page).to_have_title("done: notebook · Drybench")
    expect(frame.get_by_text("the last word")).to_be_attached()


def test_streams_colours_pictures_and_updates_are_drawn(page: Page, bench: LittleBench) -> None:
    run = bench.run("a", "b")
    bench.move(run, Phase.RUNNING)
    page.goto(f"/runs/{run.id}")
    frame = page.frame_locator("iframe")
    _tell(bench, run, 0, "\x1b[31mred\x1b[0m and 10%\r20%\n")
    expect(frame.locator(".ansi-red-fg")).to_have_count(0)
    expect(frame.get_by_text("20%")).to_be_attached()
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>one</b>"}}
    bench.journal(run, {"event": "output", "index": 1, "display_id": "d", "output": shown})
    bench.journal(run, {"event": "update", "display_id": "d", "output": {"data": {"text/html": "<b>two</b>"}}})
    bench.move(run, Phase.RUNNING)
    expect(frame.locator("b")).to_have_text("two")


def test_a_search_finds_by_name_and_keeps_the_address(page: Page, bench: LittleBench) -> None:
    bench.run(name="apples")
    bench.run(name="pears")
    page.goto("/runs")
    page.get_by_label("Search by name").fill("pear")
    expect(page.get_by_role("link", name="apples")).to_have_count(0)
    expect(page.get_by_role("link", name="pears")).to_be_visible()
    expect(page).to_have_url(re.compile("search=pear"))


def test_what_changes_while_one_searches_brings_no_others_back(page: Page, bench: LittleBench) -> None:
    bench.run(name="apples")
    bench.run(name="pears")
    page.goto("/runs")
    held = list[Route]()
    page.route(re.compile(r"/runs$"), lambda route: route.continue_() if held else held.append(route))
    bench.run(name="plums")  # what is asked for then is not answered before the search is
    wait_for(lambda: page.evaluate("1") and held)
    page.get_by_label("Search by name").fill("pear")
    expect(page.get_by_role("link", name="apples")).to_have_count(0)
    with suppress(Error):  # given up already
        held.pop().continue_()
    page.unroute(re.compile(r"/runs$"))
    bench.run(name="pears too")
    expect(page.get_by_role("link", name="pears too")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("apples|plums"))).to_have_count(0)


def test_runs_by_state_without_script_keep_the_search(browser: Browser, bench: LittleBench) -> None:
    for name in ("apples", "pears"):
        bench.fail(bench.run(name=name), Reason.CELL_ERROR)
    context = signed_in(browser, bench, java_script_enabled=False)
    page = context.new_page()
    page.goto("/runs?search=pear")
    page.get_by_role("link", name="failed").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_label("Search by name").fill("apple")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="apples")).to_be_visible()
    page.get_by_role("link", name="lost").click()
    expect(page.get_by_text("No run with “apple” in its name is lost.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("row")).to_have_count(3)
    context.close()


def test_the_log_is_read_on_demand(page: Page, bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "log.txt", "first words\n")
    page.goto(f"/runs/{run.id}")
    page.locator("live-log summary").click()
    expect(page.get_by_role("log")).to_contain_text("first words")
    bench.made(run, "log.txt", "first words\nmore words\n")
    bench.move(run, Phase.ENDED, Outcome.DONE)
    expect(page.get_by_role("log")).to_contain_text("more words")


def _look_at(page: Page, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        page.goto(address)
        axe(page, iframes=False)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def _addresses(made: dict[str, Session | Run]) -> tuple[str, ...]:
    runs = (f"/runs/{made[name].id}" for name in ("running", "failed", "done", "waiting run"))
    starts = (f"/start/{made[name].id}" for name in ("starting", "waiting", "ended"))
    return ("/", "/runs", "/runs?state=failed", "/runs?state=stopped&search=x", "/user/ada/broken/lab", *runs, *starts)


def _tell(bench: LittleBench, run: Run, cell: int, text: str) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": text}
    bench.journal(run, {"event": "cell", "index": cell}, {"event": "output", "index": cell, "output": output})
    bench.move(run, Phase.RUNNING)
