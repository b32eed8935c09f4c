"""The page of a sweep in a real browser: looked at, live, sorted, and with a thousand rows behind it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.changes import Change
from drybench.model import Run
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.requests import RunRequest
from drybench.runs.sweep_reading import SweepSaid
from drybench.sweep_book import SWEEP, Sweep, SweepBook
from tests.browser.full_bench import picture
from tests.browser.looking import Picture, axe
from tests.browser.serving import bench as bench
from tests.browser.serving import page as page
from tests.browser.serving import signed_in
from tests.browser.test_pages import LOOKS
from tests.unit.web.little_bench import LittleBench, notebook
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

NOTEBOOK = notebook("segment(image)", parameters="sigma = 1.0\nchannel = 'nuclei'")


def asked(bench: LittleBench, typed: dict[str, str]) -> Sweep:
    request = RunRequest(NOTEBOOK, "nuclei.ipynb", name="nuclei in the wing disc")
    return bench.portal.sweeps.submit(bench.person(), request, SweepSaid(typed=typed))


def runs_of(bench: LittleBench, sweep: Sweep, most: int) -> list[Run]:
    for place in range(min(most, sweep.planned)):
        bench.portal.sweeps.lay_out(sweep, place)
    found = [bench.ledger.run(place.run) for place in SweepBook(bench.ledger).places(sweep.id)]
    return [run for run in found if run]


def wanted(bench: LittleBench, sweep: Sweep) -> str:
    return bench.portal.sweeps.get(bench.person(), sweep.id).wanted.value


def end(bench: LittleBench, run: Run, outcome: Outcome = Outcome.DONE, **values: object) -> None:
    why = {"reason": Reason.CELL_ERROR, "detail": "Cell 3 stopped with ValueError: no such channel"}
    bench.move(run, Phase.RUNNING, started_at=datetime.now(UTC) - timedelta(seconds=71 + 13 * (run.place or 0)))
    bench.move(run, Phase.ENDED, outcome, **(why if outcome is Outcome.FAILED else {}))
    found = bench.ledger.run(run.id)
    assert found
    bench.ledger.settle(found, values or None, None, lambda connection, run: None)
    bench.portal.changes.tell(Change(SWEEP, found.sweep_id or "", found.person_id))


def in_the_middle(bench: LittleBench) -> Sweep:
    """With something in every state."""
    sweep = asked(bench, {"sigma": "0.5..4 by 0.5", "channel": "nuclei, membrane"})
    runs = runs_of(bench, sweep, 12)
    for number, run in enumerate(runs[:8]):
        if number in (2, 5):
            end(bench, run, Outcome.FAILED)
        else:
            bench.made(run, "picture.png", picture(96 + 8 * number, 64))
            end(bench, run, area=41.30517 / (number + 1), cells=120 - number * 7, method="otsu")
    bench.move(runs[8], Phase.RUNNING, started_at=datetime.now(UTC) - timedelta(seconds=40))
    bench.ledger.note_progress(runs[8].id, 3, 7)
    return sweep


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, bench: LittleBench, look: str, tmp_path: Path
) -> None:
    context = signed_in(browser, bench, **LOOKS[look])
    page = context.new_page()
    sweep = in_the_middle(bench)
    for address in (f"/sweeps/{sweep.id}", f"/sweeps/{sweep.id}?state=failed&sort=-p.sigma"):
        page.goto(address)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"/sweeps/{sweep.id}")
    if look == "light":
        Picture(tmp_path)(page, "sweep")
    context.close()


def test_it_lives_and_keeps_what_is_open(page: Page, bench: LittleBench) -> None:
    sweep = asked(bench, {"sigma": "1, 2, 3"})
    first, second, third = runs_of(bench, sweep, 3)
    page.goto(f"/sweeps/{sweep.id}")
    page.get_by_text("Cancel all", exact=False).first.click()
    end(bench, first, area=3)
    expect(page.locator("#place-1 .state")).to_have_text("done")
    expect(page.get_by_role("button", name="Cancel all of them")).to_be_visible()
    end(bench, second)
    end(bench, third)
    expect(page).to_have_title("all done: nuclei in the wing disc · Drybench")


def test_columns_sort_and_states_filter(page: Page, bench: LittleBench) -> None:
    sweep = in_the_middle(bench)
    page.goto(f"/sweeps/{sweep.id}")
    page.get_by_role("link", name="cells", exact=True).click()
    expect(page.locator("tbody th").first).to_have_text("8")
    page.get_by_role("link", name="cells", exact=True).click()
    expect(page.locator("tbody th").first).to_have_text("1")
    page.get_by_label("Runs by state").get_by_role("link", name="failed").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(f"/sweeps/{sweep.id}")
    figure = page.locator(".figure img").first

    figure.scroll_into_view_if_needed()

    assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_cancel_asks_first_and_what_is_left_goes_on(page: Page, bench: LittleBench) -> None:
    sweep = in_the_middle(bench)
    page.goto(f"/sweeps/{sweep.id}")
    page.get_by_text("Cancel all", exact=False).first.click()
    expect(page.get_by_text("stop where they are")).to_be_visible()
    page.get_by_role("button", name="Cancel all of them").click()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    assert wanted(bench, sweep) == "stop"
    page.get_by_role("button", name="Run again").click()
    wait_for(lambda: wanted(bench, sweep) == "run")


def test_a_thousand_rows_keep_the_page_quick(page: Page, bench: LittleBench) -> None:
    """In the server's processor time, for the machine that tests run on may be busy."""
    sweep = asked(bench, {"sigma": "1..1000"})
    for number, run in enumerate(runs_of(bench, sweep, 300)):
        end(bench, run, area=number)
    page.goto(f"/sweeps/{sweep.id}?sort=-v.area")
    expect(page.locator("tbody tr")).to_have_count(100)
    began, looks = time.process_time(), 10
    for _ in range(looks):
        assert page.request.get(f"/sweeps/{sweep.id}?sort=-v.area").ok
    assert (time.process_time() - began) / looks < 0.25
