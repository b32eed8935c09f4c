"""The Environments pages in a real browser: nothing for axe to find, and a build's log grows where it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from drybench.environment_files import Smoke
from drybench.errors import ImageWithoutSession
from drybench.images.bringing import Bringing
from drybench.images.checking import Checked, Tried
from drybench.images.pruning import Leftover, Leftovers
from drybench.images.telling import TellingOfBuilds
from drybench.phases import Phase
from tests.browser.looking import Picture, axe
from tests.browser.serving import served, signed_in
from tests.browser.test_pages import LOOKS
from tests.unit.web.containers import Containers
from tests.unit.web.little_bench import BOB, LittleBench, now

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    with served(tmp_path, with_containers=True) as made:
        yield made
        containers(made).building.close()


def containers(bench: LittleBench) -> Containers:
    assert bench.containers
    return bench.containers


def fill(bench: LittleBench) -> dict[str, str]:
    """One of each state."""
    here, own = containers(bench), bench.portal.workshop.own
    trial = here.tending.begin("base")
    tried = (
        Tried(Smoke("A notebook runs", ("true",)), True, 3.2, ""),
        Tried(Smoke("napari draws", ("false",)), False, 12.5, "no display"),
    )
    lacks = (ImageWithoutSession(image="drybench/base", missing="jupyterhub"),)
    checked = Checked("base", "drybench/base", 1, ("python3",), tried, lacks)
    here.tending.trials["base"] = replace(trial, checked=checked)
    here.tending.unused = Leftovers((Leftover("sha256:1", ("drybench/base:aaaaaaaaaaaa",), 1 << 30),), 1 << 30)
    here.shelf.put("drybench/base:0123456789ab", 812 << 20, now() - timedelta(days=3))
    here.environment("broken", 'title = "Broken"\nsummary = "x"\nsurprise = 1\n')
    (here.folder / "base" / "requirements.lock").write_text("jupyterlab==4.3.0\nnumpy==2.1.0\npandas==2.2.3\n")
    bench.portal.catalogue.reread()
    own.add(bench.person("bob"), Bringing("tracking", "Tracking", files={"requirements.txt": b"btrack==0.6\n"}))
    wishes = bench.portal.workshop.wishes
    wishes.ask(bench.person("bob"), "ilastik 1.4", "To segment the discs of last month.\nBefore Friday if that can be.")
    answered = wishes.ask(bench.person("bob"), "Fiji", "For its plug-ins.")
    wishes.answer(answered.id, "It is in Desktop now.")
    failed = here.building.begin("tracking")
    writer = here.building.begun[failed.id]
    for line in (
        "Step 1/3 : FROM base",
        "Step 2/3 : RUN pip install btrack==0.6",
        "\x1b[31mERROR: No matching distribution\x1b[0m",
    ):
        writer.say(line)
    writer.end(
        "failed", problem="No matching distribution found for btrack==0.6", step=2, doing="RUN pip install btrack==0.6"
    )
    going = here.building.begin("napari")
    here.building.begun[going.id].say("Step 1/3 : FROM desktop")
    return {"failed": f"/builds/{failed.id}", "going": f"/builds/{going.id}"}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, bench: LittleBench, look: str, take: Picture
) -> None:
    builds = fill(bench)
    context, bobs = signed_in(browser, bench, **LOOKS[look]), signed_in(browser, bench, BOB, **LOOKS[look])
    page, his = context.new_page(), bobs.new_page()
    pages = {
        "environments-in-each-state": "/environments",
        "environment": "/environments/base",
        "environment-failed": "/environments/tracking",
        "environment-new": "/environments/new",
        "environments-unused": "/environments/unused",
        "build-failed": builds["failed"],
        "build-begun": builds["going"],
    }
    for name, address in pages.items():
        check(page, address)
        if look == "light":
            take(page, name)
    check(his, "/environments")
    containers(bench).shelf.away = "Docker does not answer (no such file)"
    check(page, "/environments")
    context.close()
    bobs.close()


OVER = """() => [...document.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => `${one.localName}.${one.className} ${one.getBoundingClientRect().right}`)"""


def check(page: Page, address: str) -> None:
    page.goto(address)
    axe(page)
    over = page.evaluate(OVER)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, over)


def test_a_log_grows_where_it_is_read_and_the_end_is_said(browser: Browser, bench: LittleBench) -> None:
    telling = TellingOfBuilds(containers(bench).builds, bench.portal.changes)
    context = signed_in(browser, bench)
    page = context.new_page()
    page.goto("/environments/napari")
    page.get_by_role("button", name="Build", exact=True).click()
    page.wait_for_url("**/builds/*")
    expect(page.get_by_role("status")).to_have_text("building")
    writer = containers(bench).building.begun[page.url.rpartition("/")[2]]
    telling.look()
    log = page.get_by_role("log")
    for number in range(300):
        writer.say(f"line {number}")
    telling.look()
    expect(log).to_contain_text("line 299")
    assert log.evaluate("one => one.scrollTop + one.clientHeight >= one.scrollHeight - 8")
    log.evaluate("one => one.scrollTop = 0")
    writer.say("<b>after</b>")
    writer.note(step=2, doing="RUN pip install napari")
    telling.look()
    expect(log).to_contain_text("<b>after</b>")
    assert log.evaluate("one => one.scrollTop") == 0
    expect(page.get_by_text("step 2 of 3 of napari")).to_be_visible()
    writer.end("failed", problem="No matching distribution found for napari==0", step=2)
    telling.look()
    expect(page.get_by_role("status")).to_have_text("failed")
    expect(page.get_by_text("It failed at step 2 of 3.")).to_be_visible()
    expect(page.get_by_role("button", name="Build again")).to_be_visible()
    context.close()


def test_without_script_the_pages_do_the_same(browser: Browser, bench: LittleBench) -> None:
    fill(bench)
    context = signed_in(browser, bench, java_script_enabled=False)
    page = context.new_page()
    page.goto("/environments/new")
    page.get_by_label("Name", exact=True).fill("segmenting")
    page.set_input_files("#files", files=[{"name": "requirements.txt", "mimeType": "", "buffer": b"cellpose\n"}])
    page.get_by_role("button", name="Bring it").click()
    page.wait_for_url("**/builds/*")
    expect(page.get_by_role("status")).to_have_text("building")
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel the build").click()
    expect(page.get_by_role("status")).to_have_text("cancelled")
    page.goto("/environments#wishes")
    page.get_by_label("Answer").first.fill("It is in napari now.")
    page.get_by_role("button", name="Answer").first.click()
    expect(page.get_by_text("It is in napari now.")).to_be_visible()
    context.close()


def test_the_start_page_tells_what_it_waits_for(browser: Browser, bench: LittleBench) -> None:
    session = bench.session("napari")
    said = (
        "getting the image quay.io/jupyter/scipy-notebook:2024-01-15: 3 of 17 layers, 1.2 of 4.8 GiB, about 6 min left"
    )
    bench.move(session, Phase.STARTING, detail=said)
    for options in LOOKS.values():
        context = signed_in(browser, bench, **options)
        page = context.new_page()
        check(page, f"/start/{session.id}")
        expect(page.get_by_text(said)).to_be_visible()
        context.close()
