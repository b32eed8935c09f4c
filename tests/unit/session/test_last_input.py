"""When somebody last used a desktop: written seldom, and of what a person did."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from drybench_session.desktop.last_input import NAME, Deeds, LastInput
from drybench_session.desktop.rfb import Kind, Piece


def key(pressed: int) -> Piece:
    return Piece(Kind.KEY, struct.pack(">BBxxI", 4, pressed, 0x61))


def pointer(x: int, buttons: int = 0) -> Piece:
    return Piece(Kind.POINTER, struct.pack(">BBHH", 5, buttons, x, 7))


def test_keys_pressed_and_a_mouse_that_moves_are_deeds() -> None:
    deeds = Deeds()
    assert deeds.is_one(key(1))
    assert not deeds.is_one(key(0))
    assert not deeds.is_one(pointer(10))  # where it is when a page opens
    assert not deeds.is_one(pointer(10))
    assert deeds.is_one(pointer(11))
    assert deeds.is_one(pointer(11, buttons=1))
    assert deeds.is_one(Piece(Kind.KEY, struct.pack(">BBHII", 255, 0, 1, 0x61, 30)))
    assert not deeds.is_one(Piece(Kind.KEY, struct.pack(">BBHII", 255, 0, 0, 0x61, 30)))


def test_what_a_page_sends_by_itself_is_none() -> None:
    deeds = Deeds()
    for kind in (Kind.HELLO, Kind.PIXELS, Kind.ENCODINGS, Kind.LOOK, Kind.SIZE, Kind.TEXT):
        assert not deeds.is_one(Piece(kind, bytes(20)))


def test_it_is_written_at_once_and_then_every_ten_seconds(tmp_path: Path) -> None:
    passed = [0, 9, 10, 11, -500]  # also where the clock is set back
    clock = iter(passed)
    last = LastInput(tmp_path, lambda: 1_000_000_000.0 + next(clock))
    written: list[str] = []
    for _ in passed:
        last.is_now()
        written.append(json.loads((tmp_path / NAME).read_text())["at"][-9:])
    assert written == ["01:46:40Z", "01:46:40Z", "01:46:50Z", "01:46:50Z", "01:38:20Z"]
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    LastInput(None).is_now()
    LastInput(tmp_path / "gone").is_now()
