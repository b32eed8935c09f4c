"""napari on its desktop and by itself, in containers, cut off and shared. The docs have their pictures from here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests import shipped as images
from tests.browser.eyes import Eyes
from tests.browser.looking import WIDE, Picture, axe
from tests.browser.two_people import People, come_in, guarded_bench, open_chromium
from tests.docker import docker
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("chromium", "docker"),
    pytest.mark.timeout(600, func_only=True),
]

GROUND = (0x16, 0x32, 0x4A)  # the desktop's own background has it for the most part
CHOSEN = (0x45, 0x60, 0xC4)  # napari's colour of the layer that is chosen
BY_JPEG = 8
THERE = "body[data-tools=ready]:not(.dim)"
VOLUME = {"x": 340, "y": 90, "width": 500, "height": 500}  # where napari draws, in its window as it opens
PHONE = {"width": 390, "height": 844}
ON_IT = """
session=$(pgrep -x xfce4-session) || exit 1
export $(tr '\\0' '\\n' < /proc/$session/environ | grep -E '^(DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS)=')
"""


@dataclass
class Desk:
    """Ada's session of napari, its desktop open before her."""

    people: People
    session: dict[str, Any]
    page: Page
    eyes: Eyes

    def inside(self, line: str) -> str:
        return docker("exec", f"drybench-{self.session['task']}", "sh", "-c", line)

    def open(self, sample: str) -> None:
        """As a click on its icon does, with a file."""
        self.inside(f"{ON_IT} gio launch ~/Desktop/napari.desktop /opt/drybench/samples/{sample}")
        wait_for(lambda: self.eyes.part(CHOSEN, BY_JPEG) > 0.001)
        self.eyes.come_to_rest()


@pytest.fixture(scope="module")
def people(shipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    images.need("napari")
    folder = tmp_path_factory.mktemp("people")
    with guarded_bench(folder, containers=True, memory="2 GiB") as bench, sync_playwright() as playwright:
        chromium = open_chromium(playwright)
        with come_in(chromium, bench, "ada") as ada, come_in(chromium, bench, "bob") as bob:
            yield People(ada, bob, chromium)
        chromium.close()


@pytest.fixture(scope="module")
def session(people: People) -> dict[str, Any]:
    return people.ada.session(name="napari", environment="napari", app="desktop")


@pytest.fixture
def desk(people: People, session: dict[str, Any]) -> Iterator[Desk]:
    page, counting = people.ada.browser.new_page(), people.bob.browser.new_page()
    page.set_viewport_size(WIDE)
    page.goto(f"{people.ada.host}/user/ada/napari/desktop/")
    page.locator(f"{THERE}, [data-state=elsewhere]:not([hidden])").first.wait_for()
    if page.locator("[data-state=elsewhere]").is_visible():  # the test before has only just gone
        page.locator("[data-state=elsewhere] [data-do=use]").click()
    eyes = Eyes(page, counting)
    is_there(page)
    wait_for(lambda: eyes.part(GROUND) > 0.2 and eyes.colours() > 200)
    desk = Desk(people, session, page, eyes)
    yield desk
    desk.inside("pkill -f [b]in/napari || true")
    wait_for(lambda: not desk.inside("pgrep -f [b]in/napari || true"))
    page.close()
    counting.close()


def is_there(page: Page) -> None:
    expect(page.locator(THERE)).to_be_visible()


def test_its_icons_are_on_the_desktop(desk: Desk, take: Picture) -> None:
    there = desk.inside("ls -1 ~/Desktop").splitlines()
    assert {"napari.desktop", "samples.desktop", "help.desktop", "files.desktop", "terminal.desktop"} <= set(there)
    desk.eyes.come_to_rest()
    take(desk.page, "desktop")


def test_its_entry_is_in_the_menu(desk: Desk, take: Picture) -> None:
    desk.page.locator("#screen canvas").click(position={"x": 40, "y": 16})
    desk.eyes.come_to_rest()
    take(desk.page, "desktop-menu")
    desk.page.mouse.click(700, 300)  # which closes it


def test_it_draws_in_two_and_in_three_dimensions(desk: Desk, take: Picture) -> None:
    desk.open("cells-2d.tif")
    take(desk.page, "napari-2d")
    desk.inside("pkill -f [b]in/napari")
    wait_for(lambda: desk.eyes.part(CHOSEN, BY_JPEG) == 0)
    desk.open("nuclei-3d.tif")
    desk.page.mouse.click(760, 400)
    desk.eyes.come_to_rest()
    flat = desk.page.screenshot()
    desk.page.keyboard.press("Control+y")
    wait_for(lambda: desk.page.screenshot() != flat)
    desk.eyes.come_to_rest()
    volume = desk.page.screenshot(clip=VOLUME)
    desk.page.mouse.move(600, 400)
    desk.page.mouse.down()
    for step in range(1, 6):
        desk.page.mouse.move(600 + 28 * step, 400 - 20 * step)
        desk.eyes.come_to_rest()
    desk.page.mouse.up()
    wait_for(lambda: desk.page.screenshot(clip=VOLUME) != volume)  # it turns
    desk.eyes.come_to_rest()
    take(desk.page, "napari-3d")


def test_the_meter_tells_how_it_goes(desk: Desk, take: Picture) -> None:
    desk.open("cells-2d.tif")
    desk.page.locator("#handle").click()
    desk.page.get_by_role("button", name="Quality", exact=True).click()
    expect(desk.page.locator("#m-opengl")).to_have_text("software")
    expect(desk.page.locator("#m-trip")).to_contain_text("ms")
    axe(desk.page)
    take(desk.page, "napari-quality")


def test_on_a_phone(desk: Desk, take: Picture) -> None:
    desk.page.set_viewport_size(PHONE)
    wait_for(lambda: "390x844" in desk.inside(f"{ON_IT} xdpyinfo"))
    desk.eyes.come_to_rest()
    desk.page.locator("#handle").click()
    take(desk.page, "desktop-phone")


def test_a_cut_is_told_over_the_last_picture_and_mends_by_itself(desk: Desk, take: Picture) -> None:
    desk.open("cells-2d.tif")
    bench = desk.people.ada.bench
    assert bench.up
    os.kill(bench.up.pid, signal.SIGSTOP)  # it would bring the proxy up at once
    try:
        bench.kill("proxy")
        expect(desk.page.locator("#card .sentence:visible")).to_contain_text("The connection was cut.")
        take(desk.page, "napari-cut")
    finally:
        os.kill(bench.up.pid, signal.SIGCONT)
    bench.be_whole()
    is_there(desk.page)
    assert desk.eyes.part(CHOSEN, BY_JPEG) > 0.001  # as it was


def test_a_guest_sees_it(desk: Desk, take: Picture) -> None:
    desk.open("nuclei-3d.tif")
    ada, bob = desk.people.ada, desk.people.bob
    there = f"/sessions/{desk.session['id']}/shares"
    share = ada.api.post(there, json={"person": "bob"}).raise_for_status().json()
    guest = bob.page(share["url"])
    guest.set_viewport_size(WIDE)
    guest.locator("shared-screen[data-state=drawn] canvas").wait_for()
    eyes = Eyes(guest, desk.people.ada.browser.new_page())
    wait_for(lambda: eyes.part(CHOSEN, BY_JPEG) > 0.0005)
    eyes.come_to_rest()
    take(guest, "desktop-guest")
    expect(desk.page.locator("#guests")).to_contain_text("bob is watching.")
    shares = ada.page(there)
    shares.set_viewport_size(WIDE)
    expect(shares.get_by_text("Watching now: bob")).to_be_visible()
    take(shares, "desktop-share")
    ada.api.delete(there).raise_for_status()
    guest.close()
    shares.close()


def test_alone_it_fills_the_page(desk: Desk, take: Picture) -> None:
    page = desk.people.ada.page(f"{desk.people.ada.host}/user/ada/napari/napari/")
    page.set_viewport_size(WIDE)
    is_there(page)
    eyes = Eyes(page, desk.people.bob.browser.new_page())
    wait_for(lambda: eyes.colours() > 150 and eyes.part(GROUND) == 0)
    eyes.come_to_rest()
    take(page, "napari-alone")
    desk.inside("pkill -f [b]in/napari")
    card = page.locator("#card")
    expect(card.locator(".sentence:visible")).to_contain_text("napari")
    card.locator("button:visible").first.click()
    wait_for(lambda: eyes.colours() > 150)
    page.close()
