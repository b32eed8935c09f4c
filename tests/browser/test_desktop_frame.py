"""The page around a desktop, with a session's real server and a real X server behind it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from websockets.sync.client import connect

from drybench_session.desktop.handlers import GUEST, GUEST_NAME
from tests.browser.cable import Cable, cable
from tests.browser.looking import Picture, axe, until
from tests.desktops import DESKTOP, GUESTS_KEY, Desktops, desktops
from tests.waiting import PATIENCE, wait_for

PARTS = ("chromium", "TigerVNC", "xfwm4", "xterm", "xclip", "X's tools")
pytestmark = [pytest.mark.browser, pytest.mark.needs(*PARTS), pytest.mark.timeout(240)]

# A program alone, which leaves word of how others reach its display
LINES = ("Wing discs, 21 November", "", "  1  stain, 20 min", "  2  wash three times", "  3  mount, image at 40x", "")
SHOWN = f"printf '%s\\n' {shlex.join(LINES)}; exec cat"
XTERM = f"exec xterm -fa 'DejaVu Sans Mono' -fs 15 -bg '#10242e' -fg '#dce8ec' -e sh -c {shlex.quote(SHOWN)}"
PROGRAM = {"name": "notes", "title": "Notes", "command": ["sh", "-c", f"env -0 >~/.display; {XTERM}"]}
WAITS = f"until [ -e open ]; do sleep 0.1; done; {XTERM}"
LATE = {"name": "late", "title": "Late", "command": ["sh", "-c", WAITS]}
BEGIN = "body[data-tools=ready]:not(.dim), [data-state=elsewhere]:not([hidden])"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
PANELS = ("keys", "clipboard", "picture", "files", "quality", "help")
STATES = (
    "starting",
    "connecting",
    "cut",
    "offline",
    "elsewhere",
    "taken",
    "stopped",
    "signed-out",
    "unshared",
    "no-app",
)
OF_THE_NETWORK = re.compile(r"Failed to load resource|WebSocket connection to")


@dataclass
class Wired:
    """A session, and the cable to it."""

    session: Desktops
    cable: Cable

    def page(self, app: str = "notes") -> str:
        """Its address by way of the cable."""
        return self.session.page(app).replace(str(urlsplit(self.session.url).port), str(self.cable.port))

    def run(self, *command: str, **options: Any) -> bytes:
        """A program on the display of Notes."""
        return subprocess.run(
            command, env=self._display(), check=True, capture_output=True, timeout=60, **options
        ).stdout

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=self._display(), **options)

    def end(self, program: str) -> None:
        """One that belongs to this session, which may only be on its way."""
        running = wait_for(lambda: [one for one in _processes(self.session.home) if _name(one) == program])
        for process in running:
            os.kill(process, signal.SIGKILL)

    def pasted(self, target: str = "UTF8_STRING") -> bytes:
        """Nothing while the clipboard is empty or has something else on it."""
        return self.run("sh", "-c", 'xclip -selection clipboard -target "$0" -out || true', target)

    def _display(self) -> dict[str, str]:
        """Left by a program that begins when the picture does."""
        left = self.session.home / ".display"
        said = wait_for(lambda: left.exists() and left.read_bytes()).rstrip(b"\0").split(b"\0")
        return dict(line.decode().split("=", 1) for line in said)


@contextmanager
def _wired(folder: Path) -> Iterator[Wired]:
    told = {"DRYBENCH_SHARE_PAGE": "https://bench.example/sessions/notes/share"}
    with desktops(folder, (DESKTOP, PROGRAM, LATE), told) as session, cable(urlsplit(session.url).port or 0) as wire:
        yield Wired(session, wire)


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """For tests that leave its program and its files as they were."""
    with _wired(tmp_path_factory.mktemp("frame")) as wired:
        yield wired


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    with _wired(tmp_path_factory.mktemp("breakable")) as wired:
        yield wired


@pytest.fixture
def mended(breakable: Wired) -> Wired:
    """For a test that breaks something; whole, whatever one before left broken."""
    breakable.cable.mend()
    breakable.session.start("notes")
    return breakable


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Wired]:
    """For a test that changes more than can be mended."""
    with _wired(tmp_path) as wired:
        yield wired


class Windows:
    """Browser windows that tell at their end what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._wrong: list[str] = []

    def open(self, address: str, look: str = "light", **options: Any) -> Page:
        context = self._browser.new_context(**{**LOOKS[look], **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self._wrong.append(str(error)))
        page.on("console", self._hear)
        page.goto(address)
        return page

    def desktop(self, address: str, look: str = "light", **options: Any) -> Page:
        """Drawn, and used here, whoever was there before."""
        page = self.open(address, look, **options)
        page.locator(BEGIN).first.wait_for()
        if state(page) == "elsewhere":  # the test before has only just gone
            page.locator("[data-state=elsewhere] [data-do=use]").click()
        drawn(page)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        assert self._wrong == []

    def _hear(self, said: Any) -> None:
        if said.type == "error" and not OF_THE_NETWORK.match(said.text):
            self._wrong.append(said.text)


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    opened = Windows(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(windows: Windows, wired: Wired) -> Page:
    return windows.desktop(wired.page())


def drawn(page: Page) -> None:
    expect(page.locator("body[data-tools=ready]:not(.dim)")).to_be_visible(timeout=60_000)


def state(page: Page) -> str | None:
    return page.evaluate("document.querySelector('#card > [data-state]:not([hidden])')?.dataset.state ?? null")


def says(page: Page, sentence: str) -> None:
    expect(page.locator("#card .sentence:visible")).to_have_text(re.compile(sentence), timeout=60_000)


def tool(page: Page, name: str) -> None:
    if page.locator("#bar").is_hidden():
        page.locator("#handle").click()
    page.get_by_role("button", name=name, exact=True).click()


def drop(page: Page, *paths: Path) -> None:
    """As from a file manager: the browser reads files and folders itself."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 400, "data": data})


# How it looks, to eyes and to axe


@pytest.mark.parametrize("look", LOOKS)
def test_tools_are_fit_for_everybody(windows: Windows, wired: Wired, look: str) -> None:
    page = windows.desktop(wired.page(), look)
    axe(page)
    page.locator("#handle").click()
    for panel in PANELS:
        page.locator(f"[aria-controls={panel}]").click()
        expect(page.locator(f"#{panel}")).to_be_visible()
        axe(page)
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


@pytest.mark.parametrize("look", LOOKS)
def test_states_are_fit_for_everybody(windows: Windows, wired: Wired, look: str) -> None:
    page = windows.desktop(wired.page(), look)
    module = page.evaluate("new URL('states.js', document.querySelector('script[type=module]').src).href")
    for each in STATES:
        page.evaluate("([module, state]) => import(module).then(({ show }) => show(state))", [module, each])
        expect(page.locator(f"[data-state={each}] .sentence")).to_be_visible()
        axe(page)


# The keyboard goes to the desktop, and there is a way out


def test_three_modifiers_lead_to_the_tools_and_escape_back(page: Page) -> None:
    page.keyboard.press("Tab")  # is the desktop's
    expect(page.locator("#screen textarea")).to_be_focused()
    for key in ("Control", "Alt", "Shift"):
        page.keyboard.down(key)
    for key in ("Control", "Alt", "Shift"):
        page.keyboard.up(key)
    expect(page.locator("#bar .tool").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.get_by_role("button", name="Keys", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#bar")).to_be_hidden()
    expect(page.locator("#screen textarea")).to_be_focused()


def test_a_chord_of_the_three_with_another_key_is_the_desktops(page: Page) -> None:
    page.locator("#screen").click()
    page.keyboard.press("Control+Alt+Shift+K")
    page.keyboard.press("Shift")
    expect(page.locator("#bar")).to_be_hidden()


def test_special_keys_reach_the_display(page: Page, wired: Wired) -> None:
    events = ("-event", "focus", "-event", "keyboard")
    seen = wired.start("xev", *events, "-geometry", "1280x800+0+0", stdout=subprocess.PIPE)
    os.set_blocking(seen.stdout.fileno(), False)  # type: ignore[union-attr]
    heard = b""

    def hears(*names: str) -> bool:
        nonlocal heard
        heard += seen.stdout.read() or b""  # type: ignore[union-attr]
        return all(f", {name})".encode() in heard for name in names)

    def has_the_keyboard() -> bool:
        page.locator("#screen canvas").click(position={"x": 600, "y": 600})
        return hears() and heard.rfind(b"FocusIn") > heard.rfind(b"FocusOut")

    try:
        wait_for(lambda: b"IsViewable" in wired.run("sh", "-c", "xwininfo -name 'Event Tester' || true"))
        wait_for(has_the_keyboard)
        tool(page, "Keys")
        page.get_by_role("button", name="Ctrl+Alt+Del").click()
        wait_for(lambda: hears("Control_L", "Alt_L", "Delete"))
        page.get_by_role("button", name="Shift", exact=True).click()
        page.get_by_role("button", name="F5").click()
        wait_for(lambda: hears("Shift_L", "F5"))
        expect(page.get_by_role("button", name="Shift", exact=True)).to_have_attribute("aria-pressed", "false")
    finally:
        seen.kill()
        seen.communicate()


# Who uses it


def test_a_second_window_takes_over_or_watches(windows: Windows, wired: Wired, page: Page) -> None:
    second = windows.open(wired.page())
    says(second, "Notes is open in another window.")
    second.locator("[data-state=elsewhere]").get_by_role("button", name="Only watch").click()
    drawn(second)
    expect(second.get_by_text("Only watching")).to_be_visible()
    axe(second)
    assert state(page) is None
    second.locator("#watching").get_by_role("button", name="Use it here").click()
    drawn(second)
    expect(second.get_by_text("Only watching")).to_be_hidden()
    says(page, "Notes is used in another window now.")
    page.locator("[data-state=taken]").get_by_role("button", name="Use it here").click()
    drawn(page)
    says(second, "Notes is used in another window now.")


def test_the_owner_sees_who_looks_at_it(page: Page, wired: Wired) -> None:
    shown = page.locator("#guests")
    expect(shown).to_be_hidden()
    headers = {GUEST: GUESTS_KEY, GUEST_NAME: "Anna%20Li"}
    address = wired.session.stream("notes", mode="watch").replace("&token=", "&not=")
    with connect(address, additional_headers=headers, open_timeout=PATIENCE):
        expect(shown).to_have_text("Anna Li is watching.")
        axe(page)
    expect(shown).to_be_hidden()


def test_the_owner_takes_the_keys_back_with_one_click_and_gives_them_again(page: Page, wired: Wired) -> None:
    shown = page.locator("#guests")
    headers = {GUEST: GUESTS_KEY, GUEST_NAME: "Anna%20Li"}
    address = wired.session.stream("notes").replace("token=", "not=")
    with connect(address, additional_headers=headers, open_timeout=PATIENCE):
        expect(shown.locator("span")).to_have_text("Anna Li works here, too.")
        axe(page)
        page.get_by_role("button", name="Work alone").click()
        expect(shown).to_be_hidden()
    with connect(address, additional_headers=headers, open_timeout=PATIENCE):  # as a guest's page does by itself
        expect(shown.locator("span")).to_have_text("Anna Li is watching.")
        axe(page)
        page.get_by_role("button", name="Let them work here again").click()
        expect(shown).to_be_hidden()
    with connect(address, additional_headers=headers, open_timeout=PATIENCE):
        expect(shown.locator("span")).to_have_text("Anna Li works here, too.")
    expect(shown).to_be_hidden()


def test_nothing_is_shown_before_there_is_a_window(windows: Windows, wired: Wired) -> None:
    """But that it starts."""
    page = windows.open(wired.page("late"))
    wait_for(lambda: wired.session.says("late")["size"] == [1280, 800])  # so it is connected
    says(page, "Getting Late ready")
    expect(page.locator("#screen canvas")).to_be_hidden()
    (wired.session.home / "open").touch()
    drawn(page)
    expect(page.locator("#screen canvas")).to_be_visible()


def test_where_every_pixel_of_a_finer_display_is_seen_letters_are_to_grow(windows: Windows, wired: Wired) -> None:
    page = windows.desktop(wired.page(), device_scale_factor=2)
    tool(page, "Picture")
    finer = page.get_by_label("Every pixel of this display")
    for factor, tick in ((2, finer.check), (1, finer.uncheck)):
        with page.expect_request(lambda asked: asked.method == "POST" and "scale" in (asked.post_data or "")) as asked:
            tick()
        assert asked.value.post_data_json == {"action": "scale", "scale": factor}
        wait_for(lambda factor=factor: wired.session.says("notes")["size"] == [1280 * factor, 800 * factor])


# Cuts and ends


def test_a_cut_is_told_and_mended_over_the_last_picture(windows: Windows, mended: Wired, take: Picture) -> None:
    page = windows.desktop(mended.page())
    mended.cable.cut()
    says(page, r"The connection was cut\.\s*Trying again (in \d s|now)")
    expect(page.locator("body")).to_have_class("dim")
    page.locator("#card button:visible").first.wait_for()
    axe(page)
    take(page, "desktop-cut")
    says(page, "Trying again in 5 s")  # the longest pause: there is time to press
    mended.cable.mend()
    page.get_by_role("button", name="Try now").click()
    drawn(page)
    expect(page.locator("#screen textarea")).to_be_attached()


def test_it_comes_back_by_itself_also_before_the_server_saw_the_cut(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())
    for _ in range(2):
        mended.cable.cut()
        says(page, "The connection was cut")
        mended.cable.mend()
        drawn(page)


BRIGHT = """() => {
    window.bright = false
    const look = () => { window.bright ||= !document.body.classList.contains("dim") }
    new MutationObserver(look).observe(document.body, { attributes: true })
}"""


def test_an_old_word_that_it_starts_does_not_stay_over_what_is_drawn(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())
    before = {**mended.session.says("notes"), "state": "starting"}
    page.route("**/drybench/screens/notes", lambda route: route.fulfill(json=before))
    mended.cable.cut()
    says(page, "Getting Notes ready")
    page.evaluate(BRIGHT)
    mended.cable.mend()
    until(page, "bright")
    says(page, "Getting Notes ready")
    page.unroute("**/drybench/screens/notes")
    drawn(page)


def test_a_program_that_ended_is_started_again(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())
    mended.end("xterm")
    says(page, "Notes ended unexpectedly")
    axe(page)
    page.get_by_role("button", name="Open Notes again").click()
    drawn(page)


def test_a_display_that_died_is_started_anew(windows: Windows, own: Wired) -> None:
    page = windows.desktop(own.page())
    own.end("Xtigervnc")
    says(page, "The screen’s server ended|The screen's server ended")
    page.get_by_role("button", name="Start a new one").click()
    drawn(page)


def test_a_session_that_stopped_leads_home_and_comes_back(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())

    def stopped(route: Route) -> None:
        route.fulfill(status=424, body="<h1>It is not running</h1>", content_type="text/html")

    page.route("**/drybench/screens/notes", stopped)
    mended.cable.cut()
    says(page, "This session has stopped.")
    expect(page.get_by_role("link", name="Back to Home")).to_be_visible()
    page.unroute("**/drybench/screens/notes")
    mended.cable.mend()
    drawn(page)


def test_who_is_signed_out_is_asked_to_sign_in(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())
    page.context.clear_cookies()
    mended.cable.cut()
    says(page, "The connection was cut")
    mended.cable.mend()
    says(page, "You are signed out.")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


# Files


def test_dropped_files_and_folders_land_in_downloads(page: Page, wired: Wired, tmp_path: Path, take: Picture) -> None:
    (tmp_path / "plate 3" / "raw").mkdir(parents=True)
    (tmp_path / "plate 3" / "raw" / "A1.tif").write_text("one")
    (tmp_path / "plate 3" / "notes.txt").write_text("two")
    (tmp_path / "wing.tif").write_bytes(bytes(3_000_000))
    drop(page, tmp_path / "plate 3", tmp_path / "wing.tif")
    for arrived in ("in Downloads/wing.tif", "in Downloads/plate 3"):
        expect(page.locator("#uploads").get_by_text(arrived)).to_be_attached()  # notices go before a slow one comes
    downloads = wired.session.home / "Downloads"
    assert (downloads / "wing.tif").stat().st_size == 3_000_000
    assert (downloads / "plate 3" / "raw" / "A1.tif").read_text() == "one"
    assert (downloads / "plate 3" / "notes.txt").read_text() == "two"
    drop(page, tmp_path / "wing.tif")
    expect(page.locator("#uploads").get_by_text("in Downloads/wing (1).tif")).to_be_attached()
    tool(page, "Files")
    take(page, "desktop-files")
    axe(page)


def test_an_upload_goes_on_after_a_cut(windows: Windows, own: Wired, tmp_path: Path) -> None:
    page = windows.desktop(own.page())
    content = os.urandom(60_000_000)
    (tmp_path / "large.bin").write_bytes(content)
    before = own.cable.carried
    drop(page, tmp_path / "large.bin")
    wait_for(lambda: own.cable.carried - before > 5_000_000)
    own.cable.cut()
    expect(page.locator("#notices").get_by_text("waits for the connection")).to_be_visible()
    own.cable.mend()
    expect(page.locator("#notices").get_by_text("in Downloads/large.bin")).to_be_visible()
    there = (own.session.home / "Downloads" / "large.bin").read_bytes()
    assert hashlib.sha256(there).digest() == hashlib.sha256(content).digest()
    assert own.cable.carried - before < 90_000_000  # not all of it twice


def test_a_cancelled_upload_leaves_nothing(windows: Windows, own: Wired, tmp_path: Path) -> None:
    page = windows.desktop(own.page())
    with (tmp_path / "vast.bin").open("wb") as file:
        file.truncate(3 << 30)
    drop(page, tmp_path / "vast.bin")
    downloads = own.session.home / "Downloads"
    wait_for(lambda: downloads.is_dir() and list(downloads.iterdir()))
    page.locator("#notices").get_by_role("button", name="Cancel vast.bin").click()
    wait_for(lambda: not list(downloads.iterdir()))
    tool(page, "Files")
    expect(page.locator("#uploads").get_by_text("cancelled")).to_be_visible()


def test_what_is_refused_is_said(windows: Windows, own: Wired, tmp_path: Path) -> None:
    page = windows.desktop(own.page())
    (own.session.home / "Downloads").symlink_to(tmp_path)
    (tmp_path / "wing.tif").write_text("x")
    (tmp_path / "empty").mkdir()
    drop(page, tmp_path / "wing.tif", tmp_path / "empty")
    notices = page.locator("#notices")
    expect(notices.get_by_text("“Downloads” in your home is a link or no folder")).to_be_visible()
    expect(notices.get_by_text("“empty” is an empty folder.")).to_be_visible()
    axe(page)


def test_what_the_desktop_offers_is_downloaded(windows: Windows, own: Wired, take: Picture) -> None:
    page = windows.desktop(own.page())
    offered = own.session.home / "To my computer"
    offered.mkdir()
    (offered / "drift.csv").write_bytes(b"t,x\n" * 750_000)
    notices = page.locator("#notices")
    expect(notices.get_by_text("drift.csv is ready to download (2.9 MiB)")).to_be_visible()
    take(page, "desktop-offer")
    (offered / "<img src=x onerror=alert(1)>.png").write_text("no picture")
    expect(notices.get_by_text("<img src=x onerror=alert(1)>.png is ready")).to_be_visible()
    axe(page)
    with page.expect_download() as download:
        notices.get_by_role("link", name="Download drift.csv").click()
    assert download.value.suggested_filename == "drift.csv"
    assert Path(download.value.path()).read_bytes() == b"t,x\n" * 750_000
    expect(notices.get_by_text("drift.csv")).to_be_hidden()
    notices.get_by_role("button", name="Dismiss <img").click()
    page.reload()
    drawn(page)
    tool(page, "Files")
    expect(page.locator("#offers").get_by_text("drift.csv (2.9 MiB)")).to_be_visible()
    expect(notices.locator(".offer")).to_have_count(0)


# Clipboard


def test_text_is_text_in_the_panel(page: Page, wired: Wired) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    wired.run("sh", "-c", 'printf %s "$0" | xclip -selection clipboard -in >/dev/null 2>&1', hostile)
    tool(page, "Clipboard")
    expect(page.get_by_label("Text on the clipboard of Notes")).to_have_value(hostile)
    page.get_by_label("Text on the clipboard of Notes").fill("from the panel")
    page.get_by_role("button", name="Put it on the desktop’s clipboard").click()
    wait_for(lambda: wired.pasted() == b"from the panel")


def test_pictures_are_copied_both_ways(page: Page, wired: Wired, tmp_path: Path) -> None:
    page.screenshot(path=tmp_path / "there.png", clip={"x": 0, "y": 0, "width": 40, "height": 30})
    copy = "xclip -selection clipboard -target image/png -in there.png >/dev/null 2>&1"
    wired.run("sh", "-c", copy, cwd=tmp_path)
    page.locator("#screen canvas").click()
    copied = """async () => {
      const [item] = await navigator.clipboard.read();
      if (!item?.types.includes("image/png")) return null;
      const { width, height } = await createImageBitmap(await item.getType("image/png"));
      return [width, height];
    }"""
    wait_for(lambda: page.evaluate(copied) == [40, 30])
    paste = """async () => {
      const canvas = new OffscreenCanvas(50, 20);
      canvas.getContext("2d").fillRect(0, 0, 50, 20);
      const picture = await canvas.convertToBlob({ type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
    }"""
    page.evaluate(paste)
    page.locator("#screen canvas").click()
    page.keyboard.press("Control+v")

    def pasted() -> tuple[int, int]:
        picture = wired.pasted("image/png")
        return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")

    wait_for(lambda: pasted() == (50, 20))


# Picture and quality


def test_a_size_is_chosen_and_kept(page: Page, wired: Wired) -> None:
    def size() -> str:
        return re.search(r"dimensions:\s+(\S+)", wired.run("xdpyinfo").decode())[1]  # type: ignore[index]

    wait_for(lambda: size() == "1280x800")
    tool(page, "Picture")
    page.get_by_label("1680 × 1050").check()
    wait_for(lambda: size() == "1680x1050")
    page.reload()
    drawn(page)
    assert size() == "1680x1050"
    tool(page, "Picture")
    page.get_by_label("Another size").check()
    page.get_by_label("Width in pixels").fill("1000")
    page.get_by_label("Height in pixels").fill("700")
    page.get_by_role("button", name="Set").click()
    wait_for(lambda: size() == "1000x700")
    page.get_by_label("Fits the window").check()
    wait_for(lambda: size() == "1280x800")


def test_video_is_a_choice_where_it_can_be_had(windows: Windows, mended: Wired) -> None:
    page = windows.desktop(mended.page())
    if not mended.session.says("notes")["video"]:
        pytest.skip("This environment makes no video: pip install pixelflux")
    tool(page, "Picture")
    page.get_by_label("Video: for films, 3D and a narrow line").check()
    expect(page.locator("#screen canvas.video")).to_be_visible()
    tool(page, "Quality")
    expect(page.locator("#m-quality")).to_have_text("video")
    tool(page, "Picture")
    page.get_by_label("Always sharp").check()
    expect(page.locator("#screen canvas.video")).to_have_count(0)


def test_quality_is_shown_and_a_trace_is_left(windows: Windows, own: Wired, take: Picture) -> None:
    page = windows.desktop(own.page())
    tool(page, "Quality")
    expect(page.locator("#m-trip")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.locator("#m-opengl")).to_have_text(re.compile("software|not known|…|llvmpipe", re.IGNORECASE))
    expect(page.locator("#m-size")).to_have_text("1280 × 800")
    expect(page.locator("#spark polyline")).to_have_attribute("points", re.compile(r"(\S+ ){3}"))
    take(page, "desktop-quality")
    page.goto("about:blank")
    trace = own.session.task / "desktop.jsonl"
    line = wait_for(lambda: trace.exists() and next((one for one in _lines(trace) if one["end"]), None))
    assert (line["app"], line["width"], line["height"]) == ("notes", 1280, 800)
    assert line["round_trip_p50"] >= 0


def _lines(trace: Path) -> list[dict[str, Any]]:
    """Those that are whole."""
    return [json.loads(line) for line in trace.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _processes(home: Path) -> list[int]:
    mine = f"HOME={home}\0".encode()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and mine in _environ(entry)]


def _environ(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes() + b"\0"
    except OSError:
        return b""


def _name(process: int) -> str:
    """Empty where it has just ended."""
    comm = Path(f"/proc/{process}/comm")
    with suppress(OSError):
        return comm.read_text().strip()
    return ""
