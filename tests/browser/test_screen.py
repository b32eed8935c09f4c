"""The screen of a session in a real browser, with a real X server behind it."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.looking import until
from tests.browser.screens import Bridge, X, bridge, colour, drawn, happened, is_near, shows, x_server
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("TigerVNC", "xterm", "xclip", "X's tools", "xsetroot", "xdotool"),
]

TEAL = (0, 128, 128)
ORANGE = (255, 165, 0)
SMALL = {"width": 640, "height": 480}
MOST_TEXT = 8 << 20


@pytest.fixture
def x(tmp_path: Path) -> Iterator[X]:
    with x_server(tmp_path) as server:
        yield server


@pytest.fixture
def way(x: X) -> Iterator[Bridge]:
    with bridge(x.socket) as made:
        yield made


@pytest.fixture
def page(browser: Browser, way: Bridge) -> Iterator[Page]:
    context = browser.new_context(viewport=SMALL)
    with looked_at(context, way) as page:
        yield page


class looked_at:  # noqa: N801 - it reads as what it does
    """Nothing may go wrong in it unheard."""

    def __init__(self, context: BrowserContext, way: Bridge) -> None:
        self._context, self._way, self._wrong = context, way, []

    def __enter__(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self._wrong.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.goto(self._way.url)
        until(page, "Boolean(window.show)")
        return page

    def __exit__(self, *_: object) -> None:
        self._context.close()
        assert not self._wrong

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "WebSocket connection" not in text:
            self._wrong.append(text)


def show(page: Page, options: str = "{}") -> None:
    page.evaluate(f"show({options})")
    drawn(page)


def fits(page: Page, scale: int = 1) -> None:
    """The desktop has got the window's size, and the page knows: until then a place on it means another."""
    wait_for(lambda: page.evaluate("[shown.width, shown.height]") == [640 * scale, 480 * scale])


@pytest.fixture
def typed(x: X, tmp_path: Path) -> Iterator[Path]:
    """Where the lines go that are typed into a terminal over all of the screen."""
    lines = tmp_path / "typed"
    with x.running("xterm", "-geometry", "200x100+0+0", "-u8", "-e", f"cat > {lines}"):
        x.waits_for("--class", "xterm", "windowfocus")
        yield lines


def reads(lines: Path, text: str) -> None:
    wait_for(lambda: lines.exists() and lines.read_text() == text)


# Drawing


def test_it_is_drawn_as_large_as_its_window(page: Page, x: X) -> None:
    x.paint("#008080")
    show(page)
    wait_for(lambda: x.size() == (640, 480))
    shows(page, 2, 2, TEAL)
    shows(page, 637, 477, TEAL)
    x.paint("#ffa500")
    shows(page, 320, 240, ORANGE)


def test_what_is_drawn_is_what_x_has(page: Page, x: X, tmp_path: Path) -> None:
    """Words, and more colours than go into a palette: drawn with losses first, and at rest not a pixel differs."""
    show(page)
    wait_for(lambda: x.size() == (640, 480))
    cells = (f"\x1b[48;2;{y * 9 % 256};{x * 7 % 256};{x * y % 256}m " for y in range(90) for x in range(150))
    (tmp_path / "colours").write_text("".join(cells) + "\x1b[0m\nMany words.")
    command = f"cat {tmp_path}/colours; sleep 600"
    with x.running("xterm", "-fa", "Mono", "-fs", "4", "-geometry", "150x100+3+5", "-e", command):
        wait_for(lambda: seen(page) == hashlib.sha256(x.picture()).hexdigest())


SEEN = """async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    context.drawImage(document.querySelector("#host canvas"), 0, 0);
    const digest = await crypto.subtle.digest("SHA-256", context.getImageData(0, 0, 640, 480).data);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


def seen(page: Page) -> str:
    return page.evaluate(SEEN)


def test_it_follows_its_window(page: Page, x: X) -> None:
    show(page)
    page.set_viewport_size({"width": 900, "height": 700})
    wait_for(lambda: x.size() == (900, 700))
    x.paint("#008080")
    shows(page, 897, 697, TEAL)


@pytest.mark.parametrize(("window", "asked"), [((20, 20), (320, 200)), ((7680, 4320), (7680, 4320))])
def test_no_window_is_too_small_or_too_large(page: Page, x: X, window: tuple[int, int], asked: tuple[int, int]) -> None:
    x.paint("#008080")
    show(page)
    page.set_viewport_size({"width": window[0], "height": window[1]})
    wait_for(lambda: x.size() == asked)
    shows(page, window[0] - 8, 7, TEAL)


def test_a_size_of_ones_own_is_fitted_with_its_proportions(page: Page, x: X) -> None:
    x.paint("#008080")
    show(page, "{ size: [1000, 400] }")
    wait_for(lambda: x.size() == (1000, 400))
    wait_for(lambda: page.locator("#host canvas").bounding_box() == {"x": 0, "y": 112, "width": 640, "height": 256})
    shows(page, 320, 240, TEAL)
    assert is_near(colour(page, 320, 100), (255, 255, 255))


def test_a_display_with_finer_pixels_gets_them_all(browser: Browser, way: Bridge, x: X) -> None:
    with looked_at(browser.new_context(viewport=SMALL, device_scale_factor=2), way) as page:
        show(page)
        wait_for(lambda: x.size() == (1280, 960))
        fits(page, 2)
        wait_for(lambda: page.locator("#host canvas").bounding_box() == {"x": 0, "y": 0, **SMALL})
        page.mouse.move(100, 50)
        wait_for(lambda: x.pointer() == (200, 100))


# Keys and the pointer


def test_a_key_reaches_a_program(page: Page, typed: Path) -> None:
    show(page)
    page.keyboard.type("Hello, World! 2 + 2 = 4 ~ äöü ß € λ")
    page.keyboard.press("Enter")
    reads(typed, "Hello, World! 2 + 2 = 4 ~ äöü ß € λ\n")


def test_keys_are_tapped_held_and_let_go(page: Page, typed: Path) -> None:
    show(page)
    page.keyboard.type("wrong")
    page.keyboard.press("Control+u")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    reads(typed, "right\n")


def test_no_modifier_stays_held_when_the_page_is_left(page: Page, typed: Path) -> None:
    show(page)
    page.keyboard.down("Control")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.up("Control")
    page.evaluate("shown.focus()")
    page.keyboard.type("uuu")
    page.keyboard.press("Enter")
    reads(typed, "uuu\n")


def test_an_input_method_types_what_it_made(page: Page, typed: Path) -> None:
    show(page)
    client = page.context.new_cdp_session(page)
    page.keyboard.type("a")
    client.send("Input.imeSetComposition", {"selectionStart": 1, "selectionEnd": 1, "text": "ni"})
    client.send("Input.insertText", {"text": "你好世界"})
    page.keyboard.press("Enter")
    reads(typed, "a你好世界\n")


PRESSED = """(keys) => keys.forEach(([type, code, key, held = {}]) => document.activeElement.dispatchEvent(
    new KeyboardEvent(type, { code, key, bubbles: true, cancelable: true, ...held })))"""


def test_characters_behind_alt_gr_and_dead_keys(page: Page, typed: Path) -> None:
    """As Windows says it with a German keyboard: Control comes before AltGr, and a dead key has no character."""
    show(page)
    both = {"ctrlKey": True, "altKey": True}
    down, up = "keydown", "keyup"
    alt_gr = [(down, "ControlLeft", "Control", {"ctrlKey": True}), (down, "AltRight", "AltGraph", both)]
    at = [(down, "KeyQ", "@", both), (up, "KeyQ", "@", both)]
    released = [(up, "ControlLeft", "Control", {"altKey": True}), (up, "AltRight", "AltGraph", {})]
    dead = [(down, "Equal", "Dead"), (up, "Equal", "Dead"), (down, "KeyE", "é"), (up, "KeyE", "e")]
    page.evaluate(PRESSED, [*alt_gr, *at, *released, *dead, (down, "Enter", "Enter"), (up, "Enter", "Enter")])
    reads(typed, "@é\n")


def test_keys_by_their_names(page: Page, typed: Path) -> None:
    show(page)
    page.evaluate("shown.press(['Shift_L', 'a']), shown.press(['b']), shown.press(['Return'])")
    reads(typed, "ab\n")


@pytest.fixture
def heard(x: X, tmp_path: Path) -> Iterator[Path]:
    """What xev hears of the pointer in a window at the upper left."""
    said = tmp_path / "heard"
    with said.open("wb") as log, x.running("xev", "-geometry", "600x400+0+0", "-event", "button", stdout=log):
        x.waits_for("--name", "Event Tester")
        yield said


def buttons(heard: Path) -> list[str]:
    events = heard.read_text().split("\n\n")
    words = [(event.split()[0], event.split("button ")[1].split(",")[0]) for event in events if ", button " in event]
    return [f"{'+' if kind == 'ButtonPress' else '-'}{button}" for kind, button in words]


def test_the_pointers_buttons_and_wheel(page: Page, heard: Path, x: X) -> None:
    show(page)
    fits(page)
    page.mouse.move(300, 200)
    page.mouse.click(300, 200)
    page.mouse.click(300, 200, button="right")
    page.mouse.click(300, 200, button="middle")
    page.mouse.wheel(0, 120)
    page.mouse.wheel(0, -60)
    wanted = ["+1", "-1", "+3", "-3", "+2", "-2", "+5", "-5", "+5", "-5", "+4", "-4"]
    wait_for(lambda: buttons(heard) == wanted)
    assert x.pointer() == (300, 200)


def test_a_drag_that_ends_outside_ends(page: Page, heard: Path, x: X) -> None:
    show(page)
    fits(page)
    page.mouse.move(10, 10)
    page.mouse.down()
    page.mouse.move(700, 20)
    wait_for(lambda: x.pointer() == (639, 20))
    page.mouse.up()
    wait_for(lambda: buttons(heard) == ["+1", "-1"])


def test_fingers(browser: Browser, way: Bridge, heard: Path) -> None:
    with looked_at(browser.new_context(viewport=SMALL, has_touch=True), way) as page:
        show(page)
        fits(page)
        page.clock.install()
        page.clock.pause_at(3_000_000_000)  # so that no finger stays longer than it is told to
        page.touchscreen.tap(300, 200)
        wait_for(lambda: buttons(heard) == ["+1", "-1"])
        client = page.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[int, int]) -> None:
            all_of_them = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": all_of_them})

        touch("touchStart", (100, 100))
        page.clock.run_for(700)
        wait_for(lambda: buttons(heard)[2:] == ["+3", "-3"])
        touch("touchEnd")
        touch("touchStart", (100, 300), (200, 300))
        touch("touchMove", (100, 250), (200, 250))
        touch("touchEnd")
        wait_for(lambda: buttons(heard)[4:] == ["+5", "-5"])
        touch("touchStart", (50, 50))
        touch("touchMove", (90, 50))
        touch("touchEnd")
        wait_for(lambda: buttons(heard)[6:] == ["+1", "-1"])


def test_who_watches_touches_nothing(page: Page, typed: Path, x: X) -> None:
    before = x.size()
    show(page, "{ watch: true }")
    x.run("xdotool", "mousemove", "7", "9")
    page.mouse.move(100, 100)
    page.mouse.click(100, 100)
    page.keyboard.type("nothing")
    page.keyboard.press("Enter")
    page.evaluate("shown.watch = false")
    page.keyboard.type("something")
    page.keyboard.press("Enter")
    reads(typed, "something\n")
    assert x.pointer() == (7, 9)
    assert before == (800, 600)


# The clipboard


def pasted_in(x: X) -> str:
    return x.run("sh", "-c", "xclip -selection clipboard -o || true").stdout  # there may be none yet


def test_what_is_copied_in_the_desktop_is_in_the_browser(page: Page, x: X, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page)
    text = "λ and 你好\nin two lines <script>alert(1)</script>"
    with x.running(
        "xclip", "-selection", "clipboard", "-quiet", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as it:
        assert it.stdin
        it.stdin.write(text.encode())
        it.stdin.close()
        wait_for(lambda: happened(page, "copied") == [{"type": "copied", "text": text}])
        wait_for(lambda: page.evaluate("navigator.clipboard.readText()") == text)


def test_what_is_in_the_browser_goes_ahead_of_the_key_that_pastes(page: Page, x: X, heard: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page)
    page.evaluate("navigator.clipboard.writeText('from the browser: 你好\\nand more')")
    page.keyboard.press("Control+v")
    wait_for(lambda: pasted_in(x) == "from the browser: 你好\nand more")


def test_a_text_handed_over_by_the_page(page: Page, x: X) -> None:
    show(page)
    page.evaluate("shown.paste('by hand')")
    wait_for(lambda: pasted_in(x) == "by hand")


def test_a_long_text_comes_whole_and_one_too_long_is_refused(page: Page, x: X) -> None:
    show(page)
    page.evaluate(f"shown.paste('x'.repeat({MOST_TEXT - 10}))")
    wait_for(lambda: len(pasted_in(x)) == MOST_TEXT - 10)
    page.evaluate("shown.paste('x'.repeat(40_000_000))")
    wait_for(lambda: [said["what"] for said in happened(page, "refused")] == ["pasted"])
    assert "8 MB" in happened(page, "refused")[0]["sentence"]
    x.paint("#008080")
    shows(page, 2, 2, TEAL)


# Connections


def test_it_comes_back_after_a_cut_and_the_picture_stays(page: Page, x: X, way: Bridge) -> None:
    x.paint("#008080")
    show(page)
    shows(page, 320, 240, TEAL)
    page.evaluate("happened.length = 0")
    way.cut()
    wait_for(lambda: [one["state"] for one in happened(page, "state")][-1:] == ["drawn"])
    assert happened(page, "state")[0]["state"] == "waiting"
    x.paint("#ffa500")
    shows(page, 320, 240, ORANGE)


def test_a_line_that_says_nothing_any_more_counts_as_cut(page: Page, x: X, way: Bridge) -> None:
    show(page, "{ patience: 1500 }")
    way.deaf = True
    page.evaluate("happened.length = 0, dispatchEvent(new Event('online'))")
    wait_for(lambda: waited(page))
    way.deaf = False
    way.cut()
    wait_for(lambda: happened(page, "state")[-1]["state"] == "drawn")
    x.paint("#ffa500")
    shows(page, 320, 240, ORANGE)


def test_a_line_that_falls_silent_is_noticed_by_who_only_looks(page: Page, x: X, way: Bridge) -> None:
    show(page, "{ patience: 1500, watch: true }")
    page.evaluate("shown.addEventListener('measured', () => {})")
    page.evaluate("happened.length = 0")
    way.deaf = True
    wait_for(lambda: waited(page))


def test_one_that_is_silent_from_the_first_is_tried_again(page: Page, way: Bridge) -> None:
    way.deaf = True
    page.evaluate("show({ opening: 2000 })")
    wait_for(lambda: happened(page, "state")[-1]["state"] == "waiting")
    way.deaf = False
    drawn(page)


@pytest.mark.parametrize("code", [4001, 4002, 4003, 4004, 4005])
def test_it_does_not_come_back_where_the_server_means_it(page: Page, way: Bridge, code: int) -> None:
    way.close = code
    page.evaluate("show()")
    wait_for(lambda: page.evaluate("shown.state") == "closed")
    assert happened(page, "state")[-1]["code"] == code
    assert way.opened == 1


ONLINE = """() => {
    if (shown.state !== "waiting") return null;
    dispatchEvent(new Event("online"));
    return shown.state;
}"""


def test_it_waits_longer_each_time(page: Page, way: Bridge) -> None:
    way.close = 1011
    page.evaluate("show()")
    wait_for(lambda: len(waited(page)) >= 3)
    assert waited(page)[:3] == [0, 0.5, 1]
    assert wait_for(lambda: page.evaluate(ONLINE)) == "connecting"


def waited(page: Page) -> list[float]:
    return [one["seconds"] for one in happened(page, "state") if one["state"] == "waiting"]


def test_what_the_server_says_beside_the_picture(page: Page, way: Bridge, x: X) -> None:
    show(page)
    way.say('{"event": "viewers", "viewers": []}')
    wait_for(lambda: happened(page, "said") == [{"type": "said", "event": "viewers", "viewers": []}])
    with x.running("xterm", "-e", r"printf '\a'; sleep 600"):
        wait_for(lambda: happened(page, "bell"))


# A server that is none

GREETING = b"RFB 003.008\n\1\1" + bytes(4)
BEGIN = GREETING + struct.pack(">HH16xI", 64, 48, 0)


def frame(*rectangles: bytes) -> bytes:
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


def rectangle(encoding: int, body: bytes = b"", place: tuple[int, int, int, int] = (0, 0, 16, 16)) -> bytes:
    return struct.pack(">HHHHi", *place, encoding) + body


TIGHT, EXTENDED_SIZE, CURSOR = 7, -308, -314
ZLIB = zlib.compress(bytes(16 * 16 * 3))
NONSENSE = {
    "another protocol": b"HTTP/1.1 200 OK\r\n",
    "a password": b"RFB 003.008\n\1\2",
    "nobody let in": b"RFB 003.008\n\1\1\0\0\0\1",
    "a screen of nothing": GREETING + struct.pack(">HH16xI", 0, 0, 0),
    "a screen too large": GREETING + struct.pack(">HH16xI", 65535, 65535, 0),
    "an endless name": GREETING + struct.pack(">HH16xI", 64, 48, 0xFFFFFFFF),
    "no such message": BEGIN + b"\x77",
    "no such encoding": BEGIN + frame(rectangle(1234)),
    "beyond the screen": BEGIN + frame(rectangle(0, place=(60, 0, 16, 16))),
    "a copy from beyond": BEGIN + frame(rectangle(1, struct.pack(">HH", 60, 60))),
    "another size too large": BEGIN + frame(rectangle(EXTENDED_SIZE, bytes(4), (0, 0, 65535, 65535))),
    "a cursor too large": BEGIN + frame(rectangle(CURSOR, bytes(4), (0, 0, 65535, 65535))),
    "no such kind of Tight": BEGIN + frame(rectangle(TIGHT, b"\xf0")),
    "no such filter": BEGIN + frame(rectangle(TIGHT, b"\x40\x07")),
    "no zlib": BEGIN + frame(rectangle(TIGHT, b"\x00\x0cnothing here")),
    "zlib cut off": BEGIN + frame(rectangle(TIGHT, b"\x00\x06" + ZLIB[:6])),
    "too much in zlib": BEGIN + frame(rectangle(TIGHT, bytes((0, len(ZLIB))) + ZLIB, (0, 0, 8, 8))),
    "too little in zlib": BEGIN + frame(rectangle(TIGHT, bytes((0, len(ZLIB))) + ZLIB, (0, 0, 32, 32))),
    "no JPEG": BEGIN + frame(rectangle(TIGHT, b"\x90\x10" + bytes(16))),
    "a JPEG of another size": BEGIN + frame(rectangle(TIGHT, b"\x90\x0c\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\3")),
    "a JPEG without a picture": BEGIN + frame(rectangle(TIGHT, b"\x90\x0c\xff\xd8\xff\xc0\0\x11\x08\0\x10\0\x10\3")),
    "a long fence": BEGIN + struct.pack(">BxxxIB", 248, 0, 255),
    "a clipboard of no length": BEGIN + struct.pack(">Bxxxi", 3, -1),
    "a clipboard without zlib": BEGIN + struct.pack(">BxxxiI", 3, -12, 1 << 28 | 1) + b"anything",
    "an endless clipboard": BEGIN + struct.pack(">Bxxxi", 3, -0x7FFFFFFF),
}


@pytest.fixture
def liar() -> Iterator[Bridge]:
    with bridge() as made:
        yield made


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_it_with_a_reason(browser: Browser, liar: Bridge, said: bytes) -> None:
    liar.says = said
    with looked_at(browser.new_context(viewport=SMALL), liar) as page:
        page.evaluate("show()")
        wait_for(lambda: page.evaluate("shown.state") == "closed")
        assert happened(page, "state")[-1]["reason"]
        assert liar.opened == 1


def test_a_text_that_is_only_announced_is_too_long(browser: Browser, liar: Bridge) -> None:
    liar.says = BEGIN + struct.pack(">BxxxiI", 3, -4, 1 << 27 | 1)
    with looked_at(browser.new_context(viewport=SMALL), liar) as page:
        page.evaluate("show()")
        wait_for(lambda: [said["what"] for said in happened(page, "refused")] == ["copied"])
