"""What the screen's modules make of bytes, keys and times, each by itself in a page."""

from __future__ import annotations

import random
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.screens import bridge
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    with bridge() as way:
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(way.url)
        yield page
        page.close()


def does(modules: Page, module: str, body: str, given: Any = None) -> Any:
    """`body` uses what the module exports as `it`, and what it is given as `given`."""
    code = f"async (given) => {{ const it = await import('./screen/{module}.js'); {body} }}"
    return modules.evaluate(code, given)


# Unpacking

# A browser is told many numbers slowly, and one text at once.
AS_TEXT = """const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));"""


def text(content: bytes | bytearray) -> str:
    return b64encode(content).decode()


def test_what_zlib_packs_is_unpacked_piece_by_piece(modules: Page) -> None:
    chance = random.Random(7)
    kinds = [
        lambda: chance.randbytes(chance.randrange(1, 70_000)),
        lambda: bytes(chance.choices(b"abcdef", k=chance.randrange(1, 70_000))),
        lambda: bytes([chance.randrange(256)]) * chance.randrange(1, 70_000),
        lambda: b"".join(b"%d " % number for number in range(chance.randrange(5000))) or b" ",
    ]
    for level in (0, 1, 6, 9):
        packer = zlib.compressobj(level)
        pieces = [chance.choice(kinds)() for _ in range(12)]
        packed = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
        given = [[text(one), len(piece)] for one, piece in zip(packed, pieces, strict=True)]
        body = """const stream = new it.Inflate();
            return given.map(([packed, size]) => text(stream.unpack(bytes(packed), size)));"""
        assert [b64decode(one) for one in does(modules, "inflate", AS_TEXT + body, given)] == pieces


def test_no_bytes_keep_it_busy_or_make_it_write_too_much(modules: Page) -> None:
    chance = random.Random(8)
    whole = zlib.compress(b"".join(b"%d " % number for number in range(3000)))
    broken = [text(chance.randbytes(chance.randrange(60))) for _ in range(200)]
    for _ in range(300):
        one = bytearray(whole)
        one[chance.randrange(2, len(one))] ^= 1 << chance.randrange(8)
        broken.append(text(one[: chance.randrange(2, len(one))]))
    body = """return given.map((packed) => {
        try { return new it.Inflate().unpack(bytes(packed), 5000).length; }
        catch (error) { return error.name; }
    });"""
    assert set(does(modules, "inflate", AS_TEXT + body, broken)) <= {"Nonsense", 5000}


def test_a_reader_is_given_what_it_asks_for_wherever_it_is_cut(modules: Page) -> None:
    body = """const heard = [];
        function* reader() { for (let count = 0; ; count++) heard.push([...yield count % 4]); }
        const incoming = new it.Incoming(reader());
        for (const size of given) incoming.push(Uint8Array.from({ length: size }, () => 7));
        return heard.map((bytes) => bytes.length);"""
    for sizes in ([18], [1] * 18, [5, 5, 8], [2, 11, 5]):
        heard = does(modules, "incoming", body, sizes)
        assert heard[:12] == [0, 1, 2, 3] * 3


TIGHT = """const made = it.tight({ x: 0, y: 0, width: given.width, height: given.height }, it.streams());
    let at = 0, step = made.next();
    while (!step.done) {
        const from = at;
        at += step.value;
        step = made.next(Uint8Array.from(given.bytes.slice(from, at)));
    }
    return { ...step.value, rgba: step.value.rgba && [...step.value.rgba] };"""


def test_a_gradient(modules: Page) -> None:
    """Each pixel less what its neighbours let expect; TigerVNC reads it, though it does not write it."""
    chance = random.Random(9)
    width, height = 9, 7
    rgb = bytes(chance.randrange(256) for _ in range(width * height * 3))

    def at(x: int, y: int, colour: int) -> int:
        return rgb[(y * width + x) * 3 + colour] if x >= 0 and y >= 0 else 0

    def rest(x: int, y: int, c: int) -> int:
        expected = max(0, min(255, at(x - 1, y, c) + at(x, y - 1, c) - at(x - 1, y - 1, c)))
        return (at(x, y, c) - expected) % 256

    plain = bytes(rest(x, y, colour) for y in range(height) for x in range(width) for colour in range(3))
    packer = zlib.compressobj()
    packed = packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH)
    length = [len(packed) & 127 | 128, len(packed) >> 7]
    drawn = does(modules, "tight", TIGHT, {"width": width, "height": height, "bytes": [0x40, 2, *length, *packed]})
    assert [value for number, value in enumerate(drawn["rgba"]) if number % 4 != 3] == list(rgb)


def test_two_colours_and_too_few_bytes_to_pack(modules: Page) -> None:
    sent = {"width": 3, "height": 2, "bytes": [0x50, 1, 1, 255, 0, 0, 0, 0, 255, 0b01000000, 0b10100000]}
    rgba = does(modules, "tight", TIGHT, sent)["rgba"]
    red, blue = [255, 0, 0, 255], [0, 0, 255, 255]
    assert rgba == [*red, *blue, *red, *blue, *red, *blue]


# Keys


@pytest.mark.parametrize(
    ("key", "where", "mac", "keysym"),
    [
        ("a", 0, False, 0x61),
        ("Ä", 0, False, 0xC4),
        ("€", 0, False, 0x010020AC),
        ("😀", 0, False, 0x0101F600),
        ("Enter", 0, False, 0xFF0D),
        ("Enter", 3, False, 0xFF8D),
        ("7", 3, False, 0xFFB7),
        ("Shift", 2, False, 0xFFE2),
        ("Control", 1, False, 0xFFE3),
        ("AltGraph", 2, False, 0xFE03),
        ("Meta", 1, False, 0xFFEB),
        ("Meta", 1, True, 0xFFE3),
        ("Alt", 2, True, 0xFE03),
        ("F12", 0, False, 0xFFC9),
        ("Dead", 0, False, None),
        ("Process", 0, False, None),
        ("Unidentified", 0, False, None),
        ("constructor", 0, False, None),
    ],
)
def test_keys_by_the_character_they_make(modules: Page, key: str, where: int, mac: bool, keysym: int | None) -> None:
    body = "return it.keysym(given.event, given.mac);"
    assert does(modules, "keysyms", body, {"event": {"key": key, "location": where}, "mac": mac}) == keysym


def test_keys_by_their_names(modules: Page) -> None:
    names = ["Control_L", "Alt_L", "Delete", "F4", "a", "no such key", "toString"]
    assert does(modules, "keysyms", "return given.map(it.named);", names) == [
        *(0xFFE3, 0xFFE9, 0xFFFF, 0xFFC1, 0x61),
        *(None, None),
    ]


# Sizes


def test_what_is_asked_for(modules: Page) -> None:
    windows = [[800, 600], [20, 20], [0, 0], [7680, 4320], [100_000, 100], [16000, 16000], [800.9, 600.2]]
    sizes = [
        tuple(size) for size in does(modules, "fitting", "return given.map((size) => it.wanted(...size));", windows)
    ]
    assert sizes[:4] == [(800, 600), (320, 200), (320, 200), (7680, 4320)]
    assert sizes[4] == (8192, 200)
    assert sizes[5][0] * sizes[5][1] <= 1 << 25
    assert sizes[6] == (800, 600)


@pytest.mark.parametrize(
    ("picture", "host", "scale", "place"),
    [
        ((800, 600), (800, 600), 1, (0, 0, 800, 600)),
        ((1600, 1200), (800, 600), 2, (0, 0, 800, 600)),
        ((801, 600), (801.33, 600), 1.5, None),
        ((1000, 400), (640, 480), 1, (0, 112, 640, 256)),
        ((320, 200), (20, 20), 1, None),
    ],
)
def test_where_it_lies(modules: Page, picture: Any, host: Any, scale: float, place: Any) -> None:
    body = """const sized = ([width, height]) => ({ width, height });
        const { left, top, width, height } = it.placed(sized(given.picture), sized(given.host), given.scale);
        return [left, top, width, height];"""
    left, top, width, height = does(modules, "fitting", body, {"picture": picture, "host": host, "scale": scale})
    if place:
        assert (left, top, width, height) == place
    assert width <= host[0] + 1
    assert height <= host[1] + 1
    assert abs(width / height - picture[0] / picture[1]) < 0.01


# Quality and times


def test_the_more_moves_the_less_finely_and_then_finely_again(modules: Page) -> None:
    body = """const quality = new it.Quality();
        const screen = 1000 * 1000;
        const levels = [quality.level(0, screen)];
        for (let time = 0; time < 1000; time += 20) quality.seen(time, screen);
        levels.push(quality.level(1000, screen));
        quality.roundTrip(10); quality.roundTrip(600);
        levels.push(quality.level(1000, screen));
        levels.push(quality.level(3000, screen));
        return levels;"""
    still, moving, narrow, again = does(modules, "quality", body)
    assert still == again == 8
    assert narrow < moving <= 3


def test_one_picture_is_no_movement(modules: Page) -> None:
    body = "const quality = new it.Quality(); quality.seen(5, 4e6); return quality.level(6, 1e6);"
    assert does(modules, "quality", body) == 8


def test_all_that_came_with_losses_is_in_the_bands(modules: Page) -> None:
    body = """const lossy = new it.Lossy();
        lossy.add({ x: 30, y: 40, width: 100, height: 300 });
        lossy.add({ x: 400, y: 10, width: 50, height: 50 });
        return lossy.bands({ width: 440, height: 330 }, 10_000);"""
    bands = does(modules, "quality", body)
    assert {(band["x"], band["width"]) for band in bands} == {(30, 410)}
    assert bands[0]["y"] == 10
    assert sum(band["height"] for band in bands) == 320
    assert all(band["width"] * band["height"] <= 10_000 for band in bands)


# The screen's own picture, or video

STILL = {"lag": 12, "shortest": 10, "moved": 0, "frames": 2, "bytes": 2_000, "video": None}
FLOWS = {**STILL, "lag": 40, "moved": 20, "frames": 30, "bytes": 4_000_000}
BEHIND = {**FLOWS, "lag": 400, "frames": 9}
NARROW = {**FLOWS, "lag": 400, "moved": 0.3, "frames": 2, "bytes": 120_000}
TYPED = {**NARROW, "moved": 0.01}
FAR = {**NARROW, "lag": 3_000, "shortest": 3_000}  # never quick, for it was narrow from the beginning
FAR_AND_FREE = {**FLOWS, "lag": 310, "shortest": 300}
FILM = {**STILL, "video": {"frames": 25, "bytes": 90_000}}
BLINKS = {**STILL, "video": {"frames": 2, "bytes": 3_000}}
QUIET = {**STILL, "video": {"frames": 8, "bytes": 0}}
DROPS = {**STILL, "video": {"frames": 1, "bytes": 90_000}}


def chosen(modules: Page, *seconds: tuple[dict[str, Any], int]) -> list[str]:
    """What is shown after each second, where it changes; `seconds` are so many of the same, one after the other."""
    body = """let choice = it.BEGINNING;
        const shown = [];
        for (const [measured, count] of given) {
            for (let second = 0; second < count; second++) {
                choice = it.next(choice, { pixels: 1e6, ...measured });
                const now = `${choice.picture} ${choice.why}`;
                if (now !== shown.at(-1)) shown.push(now);
            }
        }
        return shown;"""
    return does(modules, "choosing", body, [[measured, count] for measured, count in seconds])


@pytest.mark.parametrize("measured", [STILL, FLOWS, TYPED, FAR_AND_FREE])
def test_the_screens_own_picture_is_kept_where_it_keeps_up(modules: Page, measured: dict[str, Any]) -> None:
    assert chosen(modules, (measured, 100)) == ["screen null"]


@pytest.mark.parametrize(("measured", "why"), [(BEHIND, "moving"), (NARROW, "narrow"), (FAR, "narrow")])
def test_video_comes_for_what_falls_behind_for_seconds(modules: Page, measured: dict[str, Any], why: str) -> None:
    assert chosen(modules, (measured, 3)) == ["screen null"]
    assert chosen(modules, (measured, 3), (STILL, 1), (measured, 3)) == ["screen null"]
    assert chosen(modules, (measured, 6)) == ["screen null", f"video {why}"]


def test_the_sharp_picture_comes_back_at_rest_also_where_a_cursor_blinks(modules: Page) -> None:
    begun = ["screen null", "video moving"]
    assert chosen(modules, (BEHIND, 4), (FILM, 100)) == begun
    assert chosen(modules, (BEHIND, 4), ({**QUIET, "lag": 400}, 100)) == begun  # more is on its way
    assert chosen(modules, (BEHIND, 4), (STILL, 2), (FILM, 5), (BLINKS, 1), (FILM, 1), (BLINKS, 1)) == begun
    assert chosen(modules, (BEHIND, 4), (FILM, 5), (BLINKS, 2), (STILL, 50)) == [*begun, "screen rest"]


def test_what_moves_and_rests_in_turn_is_left_as_it_is_ever_longer(modules: Page) -> None:
    turn = ((BEHIND, 4), (BLINKS, 3))
    assert chosen(modules, *turn, *turn) == ["screen null", "video moving", "screen rest", "video moving"]
    once_more = chosen(modules, *turn, (STILL, 30), *turn)
    assert once_more == ["screen null", "video moving", "screen rest", "video moving", "screen rest"]


def test_video_that_is_slower_yet_is_not_tried_again_for_a_while(modules: Page) -> None:
    tried = ["screen null", "video moving", "screen slower"]
    assert chosen(modules, (BEHIND, 4), (DROPS, 15), (BEHIND, 100)) == tried
    assert chosen(modules, (BEHIND, 119)) == tried
    assert chosen(modules, (BEHIND, 4), (DROPS, 15), (BEHIND, 125)) == [*tried, "video moving"]


def test_pauses(modules: Page) -> None:
    assert does(modules, "trying_again", "return given.map(it.pause);", [0, 1, 2, 3, 4, 5, 50]) == [
        0,
        0.5,
        1,
        2,
        5,
        5,
        5,
    ]
    codes = [1000, 1001, 1006, 1011, 1012, 4001, 4005, 0]
    assert does(modules, "trying_again", "return given.map(it.isForGood);", codes) == [False] * 5 + [True] * 3


@pytest.mark.parametrize("text", ["", "plain", "λ 你好 😀", "two\nlines\n", "x" * 100_000])
def test_text_there_and_back(modules: Page, text: str) -> None:
    assert does(modules, "clipboard_text", "return it.unpack(await it.pack(given));", text) == text


def test_no_text_is_too_long_to_be_refused(modules: Page) -> None:
    """A packed text that says it is short is read as far as it says; one that says it is long is not read."""
    body = "try { return (await it.unpack(Uint8Array.from(given))).length; } catch (error) { return error.name; }"
    bomb = zlib.compress((5).to_bytes(4, "big") + bytes(50_000_000), 9)
    assert does(modules, "clipboard_text", body, [*bomb]) == 4
    assert does(modules, "clipboard_text", body, [*zlib.compress(b"\xff\xff\xff\xff rest")]) == "TooLong"
    assert does(modules, "clipboard_text", body, [*zlib.compress(b"\0\0\0\x09cut")]) == "TypeError"
