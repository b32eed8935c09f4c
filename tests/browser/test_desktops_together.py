"""One desktop in a container as two people use it: clipboard, files, sharing, a cut, two windows, clock and menu."""

from __future__ import annotations

import hashlib
import os
import signal
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from tests.browser.eyes import Eyes
from tests.browser.looking import Picture, axe
from tests.browser.test_desktop_frame import drawn, drop, says
from tests.browser.test_desktops_napari import ON_IT
from tests.browser.two_people import People, come_in, guarded_bench, open_chromium
from tests.docker import docker
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "docker"), pytest.mark.timeout(600, func_only=True)]

ZONE = "Asia/Kolkata"  # of the bench's machine: half an hour beside all whole ones, the whole year
RED, BLUE = (200, 16, 32), (16, 32, 200)
BEGIN = "body[data-tools=ready]:not(.dim), [data-state=elsewhere]:not([hidden])"
COPY = f"{ON_IT} xclip -selection clipboard -in -target"
PASTED = f"{ON_IT} timeout 20 xclip -selection clipboard -out -target"
# A terminal that is all of the screen: what is typed into it is kept, and it has the colour that it is told
TERMINAL = f"""{ON_IT}
mkdir -p ~/terminal && cd ~/terminal && rm -f shown typed && mkfifo shown
exec xfce4-terminal --disable-server --fullscreen --hide-menubar --hide-scrollbar -x sh -c \
    'stty raw -echo; touch typed; (while :; do cat shown; done) & exec cat >>typed'
"""
PICTURE = """async () => {
    const shown = document.querySelector("#screen canvas, shared-screen canvas")
    if (!shown?.width) return ""
    const canvas = new OffscreenCanvas(shown.width, shown.height)
    canvas.getContext("2d").drawImage(shown, 0, 0)
    const reader = new FileReader(), read = new Promise((done) => { reader.onload = done })
    reader.readAsDataURL(await canvas.convertToBlob())
    await read
    return reader.result
}"""
APART = """async (pictures) => {
    const [one, other] = await Promise.all(pictures.map(async (picture) => {
        const image = await createImageBitmap(await (await fetch(picture)).blob())
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")
        canvas.drawImage(image, 0, 0)
        return new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer)
    }))
    return one.reduce((sum, point, at) => sum + (point !== other[at]), Math.abs(one.length - other.length))
}"""
A_POINTER = 32 * 32  # who looks on sees the other's, who has it does not have it in the picture


@dataclass
class Desk:
    """Ada's session, its desktop open before her, and on it a terminal that writes down what is typed."""

    people: People
    session: dict[str, Any]
    page: Page
    counting: Page

    @property
    def eyes(self) -> Eyes:
        return Eyes(self.page, self.counting)

    def inside(self, line: str, *options: str) -> str:
        return docker("exec", *options, f"drybench-{self.session['task']}", "sh", "-c", line)

    def paint(self, colour: tuple[int, int, int]) -> None:
        self.inside(r"printf '\033]11;#{:02x}{:02x}{:02x}\007' >~/terminal/shown".format(*colour))
        wait_for(lambda: self.eyes.part(colour) > 0.9)

    def typed(self) -> str:
        return self.inside("cat ~/terminal/typed")

    def share(self, **asked: Any) -> Page:
        """Bob's page of it, drawn."""
        there = f"/sessions/{self.session['id']}/shares"
        share = self.people.ada.api.post(there, json={"person": "bob", **asked}).raise_for_status().json()
        page = self.people.bob.page(share["url"])
        page.locator("shared-screen[data-state=drawn] canvas").wait_for()
        return page

    def processes(self) -> list[str]:
        """The display, the desktop, and the program on it."""
        return self.inside("pgrep -x 'Xtigervnc|xfce4-session|xfce4-panel|xfce4-terminal'").split()


@pytest.fixture(scope="module")
def people(shipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        chromium = open_chromium(playwright)
        patch.setenv("TZ", ZONE)
        with guarded_bench(tmp_path_factory.mktemp("people"), containers=True, memory="1500 MiB") as bench:
            with come_in(chromium, bench, "ada") as ada, come_in(chromium, bench, "bob") as bob:
                ada.browser.grant_permissions(["clipboard-read", "clipboard-write"])
                yield People(ada, bob, chromium)
        chromium.close()


@pytest.fixture(scope="module")
def opened(people: People) -> Iterator[Desk]:
    session = people.ada.session(name="desk", environment="desktop", app="desktop")
    page = window(people)
    desk = Desk(people, session, page, people.bob.browser.new_page())
    wait_for(lambda: desk.eyes.colours() > 200)
    yield desk
    page.close()


@pytest.fixture
def desk(opened: Desk) -> Iterator[Desk]:
    """In Ada's window, whoever had it before, shared with nobody."""
    use(opened.page)
    yield opened
    opened.people.ada.api.delete(f"/sessions/{opened.session['id']}/shares").raise_for_status()


@pytest.fixture
def terminal(desk: Desk) -> Iterator[None]:
    desk.inside(TERMINAL, "--detach")
    wait_for(lambda: desk.inside("[ -e ~/terminal/typed ] && echo there || true"))
    desk.paint(RED)
    has_the_keyboard(desk)
    yield
    desk.inside("pkill -x xfce4-terminal || true")
    wait_for(lambda: desk.eyes.part(RED) < 0.1 and desk.eyes.part(BLUE) < 0.1)


def window(people: People) -> Page:
    page = people.ada.browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{people.ada.host}/user/ada/desk/desktop/")
    page.locator(BEGIN).first.wait_for()
    return page


def use(page: Page) -> None:
    page.bring_to_front()
    for state in ("elsewhere", "taken"):
        if page.locator(f"[data-state={state}]").is_visible():
            page.locator(f"[data-state={state}] [data-do=use]").click()
    drawn(page)


def has_the_keyboard(desk: Desk) -> None:
    """A window that has only just come may get it late, and what is typed before that is nobody's."""

    def reads() -> bool:
        desk.page.locator("#screen canvas").click()
        desk.page.keyboard.press(".")
        with suppress(AssertionError):
            wait_for(desk.typed, 2)
        return bool(desk.typed())

    wait_for(reads)
    desk.page.keyboard.press("=")
    wait_for(lambda: desk.typed().endswith("="))
    desk.inside(": >~/terminal/typed")


# Clipboard


def test_text_goes_both_ways(desk: Desk, terminal: None) -> None:
    desk.inside(f"printf %s 'from the desktop: größer' >~/text; {COPY} UTF8_STRING ~/text >/dev/null 2>&1")
    desk.page.locator("#screen canvas").click()
    wait_for(lambda: desk.page.evaluate("navigator.clipboard.readText()") == "from the desktop: größer")
    desk.page.evaluate("navigator.clipboard.writeText('from the browser: größer')")
    desk.page.keyboard.press("Control+Shift+V")  # as in any terminal
    wait_for(lambda: "from the browser: größer" in desk.typed())
    assert desk.inside(f"{PASTED} UTF8_STRING") == "from the browser: größer"


def test_a_picture_goes_both_ways(desk: Desk) -> None:
    picture = b64encode(desk.page.screenshot(clip={"x": 0, "y": 0, "width": 40, "height": 30})).decode()
    desk.inside(f"echo {picture} | base64 -d >~/picture.png; {COPY} image/png ~/picture.png >/dev/null 2>&1")
    desk.page.locator("#screen canvas").click()
    copied = """async () => {
      const [item] = await navigator.clipboard.read()
      if (!item?.types.includes("image/png")) return null
      const { width, height } = await createImageBitmap(await item.getType("image/png"))
      return [width, height]
    }"""
    wait_for(lambda: desk.page.evaluate(copied) == [40, 30])
    desk.page.evaluate("""async () => {
      const canvas = new OffscreenCanvas(50, 20)
      canvas.getContext("2d").fillRect(0, 0, 50, 20)
      const picture = await canvas.convertToBlob({ type: "image/png" })
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })])
    }""")
    desk.page.locator("#screen canvas").click()
    desk.page.keyboard.press("Control+v")
    size = f"({PASTED} image/png || true) | od -An -j16 -N8 -tu1"
    wait_for(lambda: desk.inside(size).split() == ["0", "0", "0", "50", "0", "0", "0", "20"])


# Files


def test_what_is_dropped_is_the_persons_own_and_is_seen_to_come(desk: Desk, tmp_path: Path, take: Picture) -> None:
    (tmp_path / "stack.tif").write_bytes(os.urandom(20_000_000))
    with held_from_the_second_piece(desk.page):
        drop(desk.page, tmp_path / "stack.tif")
        bar = desk.page.locator("#notices .upload progress")
        wait_for(lambda: 0 < bar.evaluate("(bar) => bar.value / bar.max") < 1)
        axe(desk.page)
        take(desk.page, "desktop-upload")
    expect(desk.page.locator("#uploads").get_by_text("in Downloads/stack.tif")).to_be_attached()
    owner, size = desk.inside("stat -c '%U %s' ~/Downloads/stack.tif").split()
    assert (owner, size) == ("ada", "20000000")
    assert desk.inside("sha256sum <~/Downloads/stack.tif").split()[0] == sum_of(tmp_path / "stack.tif")


@contextmanager
def held_from_the_second_piece(page: Page) -> Generator[None]:
    waiting: list[Route] = []
    holds = True

    def meet(route: Route) -> None:
        if holds and "offset=0&" not in f"{route.request.url}&":
            waiting.append(route)
        else:
            route.continue_()

    pieces = "**/drybench/files?*"
    page.route(pieces, meet)
    try:
        yield
    finally:
        holds = False
        for route in waiting:
            route.continue_()
        page.unroute(pieces)


def test_what_lies_in_to_my_computer_is_offered_and_comes_whole(desk: Desk) -> None:
    desk.inside("head -c 3000000 /dev/urandom >~/result && mv ~/result ~/'To my computer/result.bin'")
    notices = desk.page.locator("#notices")
    expect(notices.get_by_text("result.bin is ready to download (2.9 MiB)")).to_be_visible()
    with desk.page.expect_download() as download:
        notices.get_by_role("link", name="Download result.bin").click()
    there = desk.inside("sha256sum <~/'To my computer/result.bin'").split()[0]
    assert sum_of(Path(download.value.path())) == there


def sum_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# Two people


def test_a_guest_sees_the_same_and_no_key_of_theirs_arrives(desk: Desk, terminal: None) -> None:
    bob = desk.share()
    for colour in (BLUE, RED):
        desk.paint(colour)
        see_the_same(desk, bob)
    bob.evaluate("document.querySelector('shared-screen').screen.watch = false")  # sends them all the same
    types(bob, "only looks")
    desk.paint(BLUE)
    see_the_same(desk, bob)
    desk.page.bring_to_front()
    desk.page.keyboard.type("ada")
    wait_for(lambda: desk.typed().endswith("ada"))
    assert desk.typed() == "ada"
    bob.close()


def test_who_may_work_in_it_does_until_one_click_ends_it(desk: Desk, terminal: None) -> None:
    bob = desk.share(control=True)
    types(bob, "bob was here")
    wait_for(lambda: desk.typed() == "bob was here")
    expect(desk.page.locator("#guests")).to_contain_text("bob works here, too.")
    ada = desk.people.ada.page(f"/sessions/{desk.session['id']}/shares")
    ada.get_by_role("button", name="End").click()
    expect(ada.get_by_text("Nobody but you sees it")).to_be_visible()
    expect(bob.get_by_text("ada no longer shares it")).to_be_visible()
    expect(bob.locator("shared-screen")).to_be_hidden()
    for path in ("/lab", "/desktop/", "/terminal/"):
        answer = bob.goto(f"{desk.people.ada.host}/user/ada/desk{path}")
        assert answer is not None
        assert answer.status == 403, path
    ada.close()
    bob.close()


def see_the_same(desk: Desk, other: Page) -> None:
    """Each point but those of the pointer."""

    def do() -> bool:
        shown = [page.evaluate(PICTURE) for page in (desk.page, other)]
        return all(shown) and desk.counting.evaluate(APART, shown) < A_POINTER

    wait_for(do)


def types(page: Page, text: str) -> None:
    page.bring_to_front()
    page.locator("shared-screen canvas").click()
    page.keyboard.type(text)


# Cuts and windows


def test_a_cut_is_told_and_then_all_is_as_it_was(desk: Desk, terminal: None) -> None:
    before, bench = desk.processes(), desk.people.ada.bench
    assert bench.up
    assert len(before) >= 4
    os.kill(bench.up.pid, signal.SIGSTOP)  # it would bring the proxy up at once
    try:
        bench.kill("proxy")
        says(desk.page, "The connection was cut.")
    finally:
        os.kill(bench.up.pid, signal.SIGCONT)
    bench.be_whole()
    drawn(desk.page)
    assert desk.eyes.part(RED) > 0.9
    assert desk.processes() == before
    has_the_keyboard(desk)


def test_a_second_window_watches_and_takes_over(desk: Desk, terminal: None) -> None:
    second = window(desk.people)
    says(second, "Desktop is open in another window.")
    second.locator("[data-state=elsewhere]").get_by_role("button", name="Only watch").click()
    drawn(second)
    see_the_same(desk, second)
    second.locator("#watching").get_by_role("button", name="Use it here").click()
    says(desk.page, "Desktop is used in another window now.")
    drawn(second)
    second.locator("#screen canvas").click()
    second.keyboard.type("from the second")
    wait_for(lambda: desk.typed() == "from the second")
    second.close()


# The panel


def test_its_clock_shows_the_time_of_the_machine(desk: Desk) -> None:
    said = desk.inside("tr '\\0' '\\n' </proc/$(pgrep -x xfce4-panel)/environ")
    assert f"TZ={ZONE}" in said.splitlines()
    shown = datetime.strptime(desk.inside("date +'%Y-%m-%d %H:%M %z'").strip(), "%Y-%m-%d %H:%M %z")
    assert abs(datetime.now(ZoneInfo(ZONE)) - shown) < timedelta(minutes=5)
    assert shown.utcoffset() == timedelta(hours=5, minutes=30)


def test_the_menu_offers_nothing_that_reads_mail(desk: Desk) -> None:
    first = (
        'for folder in $(echo "$XDG_DATA_DIRS" | tr : " "); do ls $folder/applications/xfce4-mail-reader.desktop; done'
    )
    entry = desk.inside(f"{first} 2>/dev/null | head -n 1 | xargs cat")
    assert "NoDisplay=true" in entry.splitlines()
