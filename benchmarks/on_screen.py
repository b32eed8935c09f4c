"""What is drawn on a desktop while it is measured: `python - flashes 50`, `- moves 20`, `- all 20`, `- napari 0`.

It runs within the session, with nothing but Xlib. In the corner it shows which of its pictures this is, in black and
white squares that no compression mistakes.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from pathlib import Path

SQUARE, SQUARES = 24, 10
PICTURES = 60  # a second
REST = 6.0  # seconds that the last one stays
KEY_PRESS = 2
OVERRIDE_REDIRECT = 1 << 9
BLACK, WHITE = 0, 0xFFFFFF
ALL_KEYS = [c_int(1), c_int(1), c_int(1), c_ulong(0)]


class Attributes(ctypes.Structure):
    _fields_ = (
        *((name, c_ulong) for name in ("background_pixmap", "background_pixel", "border_pixmap", "border_pixel")),
        *((name, c_int) for name in ("bit_gravity", "win_gravity", "backing_store")),
        *((name, c_ulong) for name in ("backing_planes", "backing_pixel")),
        ("save_under", c_int),
        *((name, c_long) for name in ("event_mask", "do_not_propagate_mask")),
        ("override_redirect", c_int),
        *((name, c_ulong) for name in ("colormap", "cursor")),
    )


class Screen:
    def __init__(self) -> None:
        self.x = ctypes.CDLL("libX11.so.6")
        self.x.XOpenDisplay.restype = c_void_p
        self.x.XOpenDisplay.argtypes = [c_char_p]
        self.x.XCreateGC.restype = c_void_p
        for name in ("XCreateSimpleWindow", "XCreatePixmap", "XDefaultRootWindow"):
            getattr(self.x, name).restype = c_ulong
        self.display = c_void_p(self.x.XOpenDisplay(None))
        assert self.display, "there is no display"
        self.root = c_ulong(self.x.XDefaultRootWindow(self.display))
        self.width, self.height = (getattr(self.x, f"XDisplay{side}")(self.display, 0) for side in ("Width", "Height"))
        self.pen = c_void_p(self.x.XCreateGC(self.display, self.root, 0, None))

    def window(self, x: int, y: int, width: int, height: int) -> c_ulong:
        """Above all others, and none of the window manager's."""
        place = (c_int(x), c_int(y), c_uint(width), c_uint(height), c_uint(0), c_ulong(0), c_ulong(BLACK))
        made = c_ulong(self.x.XCreateSimpleWindow(self.display, self.root, *place))
        alone = Attributes(override_redirect=1)
        self.x.XChangeWindowAttributes(self.display, made, c_ulong(OVERRIDE_REDIRECT), byref(alone))
        self.x.XMapRaised(self.display, made)
        return made

    def fill(self, where: c_ulong, x: int, y: int, width: int, height: int, colour: int) -> None:
        self.x.XSetForeground(self.display, self.pen, c_ulong(colour))
        self.x.XFillRectangle(self.display, where, self.pen, c_int(x), c_int(y), c_uint(width), c_uint(height))

    def painting(self, width: int, height: int) -> c_ulong:
        """Many small things of many colours, always the same."""
        sheet = c_ulong(self.x.XCreatePixmap(self.display, self.root, c_uint(width), c_uint(height), c_uint(24)))
        self.fill(sheet, 0, 0, width, height, 0x1B2B34)
        dice = random.Random(1)
        for _ in range(width * height // 600):
            size = dice.randint(2, 40), dice.randint(2, 40)
            self.fill(sheet, dice.randrange(width), dice.randrange(height), *size, dice.randrange(1 << 24))
        return sheet

    def number(self, where: c_ulong, picture: int) -> None:
        for place in range(SQUARES):
            colour = WHITE if picture >> place & 1 else BLACK
            self.fill(where, place * SQUARE, 0, SQUARE, SQUARE, colour)

    def done(self) -> None:
        self.x.XSync(self.display, c_int(0))


def flashes(screen: Screen, times: int) -> None:
    """Black and white in turn, with each key."""
    window, event = screen.window(200, 200, 600, 400), (c_long * 24)()
    screen.done()
    screen.x.XGrabKeyboard(screen.display, screen.root, *ALL_KEYS)
    said()
    for press in range(times):
        while True:
            screen.x.XNextEvent(screen.display, byref(event))
            if event[0] & 0x7F == KEY_PRESS:
                break
        screen.fill(window, 0, 0, 600, 400, BLACK if press % 2 else WHITE)
        screen.done()
    time.sleep(REST)  # with the program its window goes, and the last picture, before anybody has seen it


def moves(screen: Screen, seconds: int) -> None:
    """A window with much in it, in a circle."""
    sheet, window = screen.painting(640, 480), screen.window(300, 300, 640, 480)
    screen.x.XSetWindowBackgroundPixmap(screen.display, window, sheet)
    screen.x.XClearWindow(screen.display, window)
    corner = screen.window(0, 0, SQUARE * SQUARES, SQUARE)
    said()
    for picture in pictures(seconds):
        turn = picture % 240
        across, down = (turn, 120) if turn < 120 else (240 - turn, 240)
        screen.x.XMoveWindow(screen.display, window, c_int(100 + 4 * across), c_int(50 + 2 * down - turn))
        screen.number(corner, picture)
        screen.done()


def all_of_it(screen: Screen, seconds: int) -> None:
    """No pixel stays where it was."""
    sheet = screen.painting(screen.width + 512, screen.height + 512)
    window = screen.window(0, 0, screen.width, screen.height)
    whole = (c_uint(screen.width), c_uint(screen.height), c_int(0), c_int(0))
    said()
    for picture in pictures(seconds):
        begin = c_int(picture * 7 % 512), c_int(picture * 5 % 512)
        screen.x.XCopyArea(screen.display, sheet, window, screen.pen, *begin, *whole)
        screen.number(window, picture)
        screen.done()


def napari(_screen: Screen, _number: int) -> None:
    said()
    os.execvp("napari", ["napari"])


def pictures(seconds: int) -> Iterator[int]:
    begun, last = time.monotonic(), -1
    while (since := time.monotonic() - begun) < seconds:
        if (picture := int(since * PICTURES)) == last:
            time.sleep(0.001)
        else:
            yield picture
            last = picture
    time.sleep(REST)


def said() -> None:
    print("ready", flush=True)


def find_display() -> None:
    """That of whatever is on a screen here."""
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            lines = process.read_bytes().split(b"\0")
        except OSError:
            continue
        known = {name: value for name, _, value in (line.partition(b"=") for line in lines)}
        if b"DISPLAY" in known:
            chosen = (b"DISPLAY", b"XAUTHORITY", b"HOME")
            os.environb.update({name: known[name] for name in chosen if name in known})
            return


if __name__ == "__main__":
    signal.alarm(300)  # nobody may be left to end it
    find_display()
    {"flashes": flashes, "moves": moves, "all": all_of_it, "napari": napari}[sys.argv[1]](Screen(), int(sys.argv[2]))
