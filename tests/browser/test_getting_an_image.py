"""A session whose image is only to be got: from a real registry, by a real Docker, as the one who waits sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from drybench_client import Bench as Client
from tests.bench import Bench, new_bench
from tests.browser.looking import Picture, axe
from tests.docker import SOCKET, docker, has_image
from tests.registry import Registry, registry
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "docker"), pytest.mark.timeout(240, func_only=True)]

SETTINGS = """
[sizes.default]
memory = "500 MiB"
[environments]
folders = ["{environments}"]
"""
ENVIRONMENT = """
title = "From elsewhere"
summary = "An image that another laboratory shares"
image = "{image}"
"""
PHONE: ViewportSize = {"width": 390, "height": 780}
DESK: ViewportSize = {"width": 1280, "height": 860}


@pytest.fixture(scope="module")
def there() -> Iterator[Registry]:
    with registry() as made:
        made.put_image(layers=3)
        yield made


@pytest.fixture(scope="module")
def image(there: Registry) -> str:
    return f"{there.image('lab/elsewhere')}:1"


@pytest.fixture(autouse=True)
def not_here(there: Registry, image: str) -> Iterator[None]:
    """Whichever test came before."""
    there.let_go.clear()
    yield
    if has_image(SOCKET, image):
        docker("rmi", "-f", image)


@pytest.fixture(scope="module")
def bench(image: str, docker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    environments = tmp_path_factory.mktemp("environments")
    for name, wanted in (("elsewhere", image), ("nowhere", image.replace("lab/elsewhere", "lab/nowhere"))):
        (environments / name).mkdir()
        (environments / name / "environment.toml").write_text(ENVIRONMENT.format(image=wanted))
    with new_bench(SETTINGS.format(environments=environments), containers=True) as bench:
        yield bench


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand


def test_how_far_it_is_can_be_seen_and_it_can_be_cancelled(page: Page, hand: Client, take: Picture) -> None:
    card = page.locator(".card", has=page.get_by_role("heading", name="From elsewhere")).first
    expect(card.get_by_text("Its image is got first")).to_be_visible()
    axe(page)
    take(page, "home-an-image-to-be-got")
    card.get_by_role("button", name="JupyterLab").click()
    expect(page.get_by_text("JupyterLab in From elsewhere")).to_be_visible()
    expect(page.get_by_text("getting the image: 2 of 3 layers")).to_be_visible()
    _looked_at(page, take, "getting-an-image")
    session = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Cancel").click()
    wait_for(lambda: hand.get_session(session)["phase"] == "ended")
    assert hand.get_session(session)["outcome"] == "stopped"


def test_one_that_cannot_be_had_says_why(page: Page, there: Registry, take: Picture) -> None:
    there.manifest, kept = "", there.manifest
    try:
        page.locator(".card", has=page.locator("[value=nowhere]")).get_by_role("button", name="JupyterLab").click()
        error = page.locator(".error")
        expect(error).to_contain_text("lab/nowhere:1 could not be had: manifest unknown. Look at its name")
        _looked_at(page, take, "image-not-had")
    finally:
        there.manifest = kept


def test_when_it_has_come_the_session_starts_from_it(
    page: Page, bench: Bench, hand: Client, there: Registry, image: str
) -> None:
    """What came has no shell to start anything with, and that is said."""
    session = hand.start_session(environment="elsewhere")
    page.goto(f"{bench.url}/start/{session['id']}")
    expect(page.get_by_text("getting the image: 2 of 3 layers")).to_be_visible()
    there.let_go.set()
    wait_for(lambda: has_image(SOCKET, image))
    expect(page.locator(".error")).to_contain_text("ended by itself")


def _looked_at(page: Page, take: Picture, name: str) -> None:
    """On a desk by day and by night, and on a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        axe(page)
        take(page, f"{name}-{scheme}")
    page.set_viewport_size(PHONE)
    axe(page)
    take(page, f"{name}-phone")
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
