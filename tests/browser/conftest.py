"""What several journeys share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from drybench_client import Bench as Client
from tests.bench import Bench
from tests.browser.looking import WIDE, Picture
from tests.browser.serving import open_chromium
from tests.browser.two_people import guarded_bench
from tests.waiting import A_START, PATIENCE, wait_for

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench with TLS, own host names and several people. Leave it as you found it."""
    with guarded_bench(tmp_path_factory.mktemp("guarded")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test began on a whole bench ends with it, also where it failed in its middle."""
    bench = request.getfixturevalue("bench") if "bench" in request.fixturenames else None
    if not isinstance(bench, Bench):
        yield
        return
    with bench.owner() as owner:
        sessions, runs = _sessions(owner), _runs(owner)
    yield
    with bench.owner() as owner:
        for session in _sessions(owner) - sessions:
            owner.stop_session(session)
        for run in _runs(owner) - runs:
            owner.cancel(run)
        wait_for(lambda: _sessions(owner) <= sessions and _runs(owner) <= runs, A_START)


def _sessions(owner: Client) -> set[str]:
    return {session["id"] for session in owner.sessions() if session["phase"] != "ended"}


def _runs(owner: Client) -> set[str]:
    return {run["id"] for run in owner.runs(most=100) if run["phase"] != "ended"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = open_chromium(playwright)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, bench: Bench) -> Page:
    """Signed in by a link, as `drybench up` prints it."""
    page = context.new_page()
    page.goto(f"{bench.url}/hub/ticket#{bench.ticket()}")
    expect(page.get_by_role("heading", name="Start", exact=True)).to_be_visible()
    assert "#" not in page.url
    return page


@pytest.fixture
def take(tmp_path: Path) -> Picture:
    return Picture(tmp_path)
