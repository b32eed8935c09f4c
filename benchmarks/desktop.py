"""A desktop in the browser beside jupyter-remote-desktop-proxy's through stock JupyterHub: what its pixels say.

Both show one image, in one run and in turn, so that a drifting machine hits both.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from playwright.sync_api import sync_playwright

from benchmarks.clicks import until
from benchmarks.clicks_in_containers import ONE_STANDS_READY, a_docker_hub
from benchmarks.desktops import Desktop, is_drawn, ours, shows_napari, theirs
from benchmarks.in_containers import BASE, TWO_AT_A_TIME, a_bench_in_containers, images, with_peer
from benchmarks.measuring import Row, Work, in_turn, median_and_p95
from benchmarks.on_screen import SQUARE, SQUARES

DESKTOP, NAPARI = "desktop", "napari"
NOTHING_READY = f"{TWO_AT_A_TIME}\n[ready]\nmost = 0\n"
ONE_READY = ONE_STANDS_READY.replace(f"{BASE} = 1", f"{DESKTOP} = 1")
THERE_AND_BACK = 0.030  # seconds
AT_REST = 20.0
SETTLES = 5.0  # seconds, for a desktop that has just been drawn
RESTS = 4.0  # seconds, within which nothing of a picture gets better any more
KEY_TO_PICTURE = "() => { window.taken = pixels.keyToPicture(400, 400) }"  # within what changes its colour
PICTURES = f"(seconds) => pixels.pictures(seconds, {SQUARE}, {SQUARES})"
BETTER = f"(seconds) => pixels.better(seconds, {SQUARE}, {SQUARES})"


@dataclass(frozen=True)
class Motion:
    frames: float  # a second
    sharp: float  # seconds from the last new picture to the last that was better than it
    bytes: float  # a second
    server: float  # shares of a core
    browser: float

    @property
    def bytes_a_frame(self) -> float:
        return self.bytes / self.frames if self.frames else 0.0


def drawn(times: int = 20) -> list[Row]:
    with _both(NOTHING_READY) as (mine, peer):
        cold = in_turn("click to a drawn desktop", mine.opens(), peer.opens(), "at most 0.7", times, median_and_p95)
    with _both(ONE_READY) as (mine, peer):
        what = "… by who has a session that stands ready for anybody"
        return [cold, in_turn(what, mine.opens(), peer.opens(), "", times, median_and_p95)]


def napari(times: int = 5) -> list[Row]:
    """Theirs has no napari by itself: there it is begun as soon as the desktop is drawn."""
    with _both(NOTHING_READY, NAPARI) as (mine, peer):

        def by_its_icon() -> None:
            peer.opens().do()
            peer.draws(NAPARI, 0)
            until(lambda: shows_napari(peer.page), 180)

        def by_itself() -> None:
            mine.click()
            until(lambda: shows_napari(mine.page), 180)

        one, other = Work(by_itself, mine.clear), Work(by_its_icon, peer.clear)
        return [in_turn("click to a drawn napari", one, other, "", times)]


def keys_and_motion(keys: int = 50, seconds: int = 10) -> list[Row]:
    with _both(NOTHING_READY) as (mine, peer):
        for side in (mine, peer):
            side.opens().do()
            side.fits()
        time.sleep(SETTLES)
        return [*_keys(mine, peer, keys), *_motion(mine, peer, seconds), *_at_rest(mine, peer)]


def some_drawn() -> list[Row]:
    return drawn(3)


def some_napari() -> list[Row]:
    return napari(1)


def some_keys_and_motion() -> list[Row]:
    return keys_and_motion(10, 5)


@contextmanager
def _both(settings: str, name: str = DESKTOP) -> Generator[tuple[Desktop, Desktop]]:
    """What the environment of this name shows; its app has the same name."""
    with a_bench_in_containers(settings, name) as data, with_peer(images(data)[name], "desktop") as image:
        more = 'c.Spawner.default_url = "/desktop/"\n'
        with a_docker_hub(image, more) as hub, sync_playwright() as playwright:
            with ours(playwright, data, name) as mine, theirs(playwright, hub, image) as peer:
                yield mine, peer


def _keys(mine: Desktop, peer: Desktop, times: int) -> list[Row]:
    rows = list[Row]()
    for words, delay, goal in (
        ("key to picture", 0.0, "at most 0.8"),
        ("… 30 ms there and back", THERE_AND_BACK, "at most 0.9"),
    ):
        for side in (mine, peer):
            side.wire.delay = delay / 2
        programs = [side.draws("flashes", times + 1) for side in (mine, peer)]
        pairs = [(_key(mine), _key(peer)) for _ in range(times + 1)][1:]
        assert [program.wait(60) for program in programs] == [0, 0]
        rows.append(_row(words, pairs, _milliseconds, goal))
    for side in (mine, peer):
        side.wire.delay = 0.0
    return rows


def _key(side: Desktop) -> float:
    """Milliseconds, pressed at no moment of any clock."""
    side.page.bring_to_front()
    side.page.locator("canvas").first.focus()
    time.sleep(random.uniform(0.1, 0.2))
    side.page.evaluate(KEY_TO_PICTURE)
    side.page.keyboard.press("a")
    return side.page.evaluate("taken")


def _motion(mine: Desktop, peer: Desktop, seconds: int) -> list[Row]:
    rows = list[Row]()
    for words, what, times, sharp in (
        ("a moving window", "moves", "", "at most 0.5 s"),
        ("full-screen motion", "all", "at least 1.3", ""),
    ):
        one, other = _moved(mine, what, seconds), _moved(peer, what, seconds)
        rows += [
            _pair(f"{words}: frames a second", one.frames, other.frames, "{:.0f}", times),
            _pair("… bytes a second", one.bytes / 1e6, other.bytes / 1e6, "{:.2f} MB", "at most 0.6"),
            _pair("… bytes a frame", one.bytes_a_frame / 1e3, other.bytes_a_frame / 1e3, "{:.0f} kB"),
            _pair("… to the sharp picture at rest", one.sharp, other.sharp, "{:.2f} s", sharp),
            _pair("… CPU of the server", one.server, other.server, "{:.2f} cores"),
            _pair("… CPU of the browser", one.browser, other.browser, "{:.2f} cores"),
        ]
    return rows


def _moved(side: Desktop, what: str, seconds: int) -> Motion:
    program = side.draws(what, seconds + 4)
    time.sleep(2)
    motion = _over(side, lambda: side.page.evaluate(PICTURES, seconds))
    sharp = side.page.evaluate(BETTER, RESTS)
    assert program.wait(60) == 0
    time.sleep(SETTLES)
    return replace(motion, sharp=sharp)


def _at_rest(mine: Desktop, peer: Desktop) -> list[Row]:
    one, other = (_over(side, lambda: time.sleep(AT_REST) or 0.0) for side in (mine, peer))
    return [
        _pair("CPU at rest: server", 100 * one.server, 100 * other.server, "{:.1f} %", "next to nothing"),
        _pair("… browser", 100 * one.browser, 100 * other.browser, "{:.1f} %", "next to nothing"),
        _pair("… bytes a second", one.bytes, other.bytes, "{:.0f}"),
    ]


def _over(side: Desktop, look: Callable[[], float]) -> Motion:
    """What it takes while one looks."""
    assert is_drawn(side.page)
    before, begun = (side.wire.carried, side.server_cpu(), side.browser_cpu()), time.monotonic()
    frames = look()
    took = time.monotonic() - begun
    after = side.wire.carried, side.server_cpu(), side.browser_cpu()
    carried, server, browser = ((late - early) / took for early, late in zip(before, after, strict=True))
    return Motion(frames, 0.0, carried, server, browser)


def _row(what: str, pairs: Sequence[tuple[float, float]], told: Callable[[Sequence[float]], str], goal: str) -> Row:
    mine, peer = (told(side) for side in zip(*pairs, strict=True))
    return Row(what, mine, peer, f"{statistics.median(a / b for a, b in pairs):.2f}", goal)


def _pair(what: str, one: float, other: float, form: str, goal: str = "") -> Row:
    return Row(what, form.format(one), form.format(other), f"{one / other:.2f}" if other else "", goal)


def _milliseconds(values: Sequence[float]) -> str:
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
    return f"{statistics.median(values):.1f} ms, p95 {p95:.1f} ms"
