"""A bench without own host names: for one person, unless the keeper sets the switch that says what it means."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.bench import A_WHOLE_BENCH, Bench, new_bench
from tests.browser.two_people import new_browser, sign_in
from tests.waiting import A_START, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

SETTINGS = """
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
[sizes.default]
memory = "500 MiB"
"""
SWITCH = "[bench]\npeople_share_one_host_name = true\n"
TRUST = "[engines.local]\npeople_trust_each_other = true\n"


@pytest.fixture(scope="module")
def one_host() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        yield bench


@pytest.fixture(scope="module")
def ada(browser: Browser, one_host: Bench) -> Iterator[BrowserContext]:
    """She comes first."""
    context = new_browser(browser, one_host)
    sign_in(context, "ada")
    yield context
    context.close()


@pytest.fixture
def stranger(browser: Browser, one_host: Bench) -> Iterator[BrowserContext]:
    context = new_browser(browser, one_host)
    yield context
    context.close()


@pytest.fixture
def settings(one_host: Bench) -> Iterator[Settings]:
    settings = Settings(one_host)
    yield settings
    settings.put("")


class Settings:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.as_they_were = bench.data.settings.read_text()

    def put(self, lines: str) -> None:
        """In force as soon as Hub and portal have come again."""
        self.bench.data.settings.write_text(f"{self.as_they_were}\n{lines}")
        before = self.bench.pids()
        self.bench.kill("hub", "portal")
        wait_for(lambda: all(self.bench.pids().get(part) not in (None, before[part]) for part in ("hub", "portal")))
        wait_for(self.bench.answers, A_WHOLE_BENCH)


def come_as(name: str, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
    return page


def test_a_second_person_is_refused_by_the_sentence_that_names_setting_and_switch(
    ada: BrowserContext, stranger: BrowserContext
) -> None:
    page = come_as("bob", stranger)
    expect(page.get_by_text("This bench serves one person, ada")).to_be_visible()
    expect(page.get_by_text("own_host_names = true")).to_be_visible()
    expect(page.get_by_text("people_share_one_host_name = true")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page = ada.new_page()
    page.goto("/engines")
    expect(page.get_by_text("Sign-in of a second person")).to_be_visible()
    expect(page.get_by_text("bench.own_host_names")).to_be_visible()
    page.close()


def test_with_the_switch_they_come_in_and_the_engine_still_serves_one(
    ada: BrowserContext, stranger: BrowserContext, settings: Settings
) -> None:
    settings.put(SWITCH)
    page = come_as("bob", stranger)
    page.wait_for_url("**/")
    page.get_by_role("button", name="JupyterLab").click()
    expect(page.get_by_text("one account of this machine, so it serves one person only")).to_be_visible()
    expect(page.get_by_text("people_trust_each_other = true")).to_be_visible()
    page.goto("/engines")
    for words in ("Sessions and runs of a second person", "engines.local.people_trust_each_other"):
        expect(page.get_by_text(words)).to_be_visible()
    for words in ("Sharing a session", "a page in one person's session could act as whoever opens it"):
        expect(page.get_by_text(words)).to_be_visible()


def test_with_both_said_both_work(ada: BrowserContext, stranger: BrowserContext, settings: Settings) -> None:
    settings.put(SWITCH + TRUST)
    bob = come_as("bob", stranger)
    bob.wait_for_url("**/")
    hers = ada.new_page()
    hers.goto("/")
    for page, name in ((bob, "bob"), (hers, "ada")):
        page.get_by_role("button", name="JupyterLab").click()
        page.wait_for_url(f"**/user/{name}/python/**", timeout=1000 * A_START)
    bob.goto("/engines")
    expect(bob.get_by_text("they trust each other with everything")).to_be_visible()
    for page in (bob, hers):
        page.goto("/")
        page.locator("#sessions summary").click()
        page.get_by_role("button", name="Stop the session").click()
        expect(page.locator("#sessions .state")).to_have_text(
            "stopped",
        )


@pytest.mark.parametrize("path", ["/", "/runs", "/hub/login", "/hub/ticket"])
def test_under_another_name_of_the_machine_it_leads_to_its_own(
    one_host: Bench, stranger: BrowserContext, path: str
) -> None:
    page = stranger.new_page()
    page.goto(f"http://127.0.0.1:{one_host.addresses.port}{path}")
    assert page.url.startswith(f"http://localhost:{one_host.addresses.port}/")
    assert stranger.cookies(f"http://127.0.0.1:{one_host.addresses.port}") == []
