"""What is dropped on a desktop lands in Downloads, whatever its name, and nowhere else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench_session.desktop import uploads
from drybench_session.desktop.names import LONGEST, PART, numbered, safe_name, safe_path
from drybench_session.desktop.uploads import LARGEST_PIECE, Piece, Received, Uploads
from drybench_session.errors import BadName, BadPiece, HomeFull, NotAFolder
from tests.waiting import PATIENCE

ID = "0123456789abcdef"
OTHER = "fedcba9876543210"
GIB = 1 << 30


def piece(name: str = "wing.tif", offset: int = 0, size: int = 6, id: str = ID) -> Piece:
    return Piece(id, name, offset, size)


def there(home: Path) -> dict[str, bytes]:
    files = (file for file in (home / "Downloads").rglob("*") if file.is_file())
    return {str(file.relative_to(home / "Downloads")): file.read_bytes() for file in files}


def test_pieces_become_a_file(tmp_path: Path) -> None:
    received = Uploads(tmp_path)
    assert received.add(piece(), b"abc") == Received(3)
    assert list(there(tmp_path)) == [f"{PART}{ID}.part"]
    assert received.add(piece(offset=3), b"def") == Received(6, "Downloads/wing.tif")
    assert there(tmp_path) == {"wing.tif": b"abcdef"}


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    assert Uploads(tmp_path).add(piece("empty", size=0), b"").path == "Downloads/empty"
    assert there(tmp_path) == {"empty": b""}


def test_it_goes_on_where_it_was_also_in_another_server(tmp_path: Path) -> None:
    Uploads(tmp_path).add(piece(), b"abc")
    anew = Uploads(tmp_path)
    assert anew.add(piece(), b"abc") == Received(3, expected=False)
    assert anew.add(piece(offset=5), b"f") == Received(3, expected=False)
    assert anew.add(piece(offset=3), b"def").path == "Downloads/wing.tif"


def test_who_lost_the_last_answer_asks_again(tmp_path: Path) -> None:
    received = Uploads(tmp_path)
    first = received.add(piece(size=3), b"abc")
    assert received.add(piece(size=3), b"abc") == first
    assert there(tmp_path) == {"wing.tif": b"abc"}


@pytest.mark.parametrize(
    ("name", "second", "third"),
    [
        ("wing.tif", "wing (1).tif", "wing (2).tif"),
        ("wing.tar.gz", "wing (1).tar.gz", "wing (2).tar.gz"),
        ("wing", "wing (1)", "wing (2)"),
        (".bashrc", ".bashrc (1)", ".bashrc (2)"),
        ("a. long sentence", "a. long sentence (1)", "a. long sentence (2)"),
    ],
)
def test_no_file_is_written_over(tmp_path: Path, name: str, second: str, third: str) -> None:
    received = Uploads(tmp_path)
    paths = [received.add(piece(name, size=1, id=ID[:-1] + digit), digit.encode()).path for digit in "123"]
    assert paths == [f"Downloads/{each}" for each in (name, second, third)]
    assert sorted(there(tmp_path).values()) == [b"1", b"2", b"3"]


def test_a_dropped_folder_keeps_its_shape(tmp_path: Path) -> None:
    received = Uploads(tmp_path)
    assert received.add(piece("plate 3/raw/A1.tif", size=1), b"1").path == "Downloads/plate 3/raw/A1.tif"
    assert received.add(piece("plate 3/raw/A1.tif", size=1, id=OTHER), b"2").path == "Downloads/plate 3/raw/A1 (1).tif"


@pytest.mark.parametrize(
    "name", ["", ".", "..", " ", "../x", "a/../x", "a//x", "/etc/passwd", "a/", "./x", "a/. ./../x", "/".join("a" * 17)]
)
def test_what_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadName):
        Uploads(tmp_path).add(piece(name), b"abcdef")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..\\..\\x", ".._.._x"),
        ("-rf", "_rf"),
        ("a\nb\x00c\x1b[31m", "a_b_c_[31m"),
        ("gpj\u202egnp.exe", "gpj_gnp.exe"),
        (f"{PART}{OTHER}.part", f"_{PART[1:]}{OTHER}.part"),
        (" wing.tif ", "wing.tif"),
        ("\ud800.tif", "_.tif"),
        ("naïve Σ 鼠 👩\u200d🔬.tif", "naïve Σ 鼠 👩\u200d🔬.tif"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
    ],
)
def test_what_is_odd_is_made_safe(name: str, kept: str) -> None:
    assert safe_name(name) == kept


def test_a_long_name_keeps_its_ending(tmp_path: Path) -> None:
    path = Uploads(tmp_path).add(piece("鼠" * 200 + ".ome.tif", size=1), b"x").path
    assert path
    assert path.endswith(".tif")
    assert len(path.removeprefix("Downloads/").encode()) <= LONGEST


@given(st.text(max_size=400))
def test_every_name_is_safe_or_refused(name: str) -> None:
    try:
        parts = safe_path(name)
    except BadName:
        return
    for part in parts:
        longest = list(numbered(part))[-1]
        assert len(longest.encode()) <= 255
        assert part not in ("", ".", "..")
        assert not part.startswith((PART, "-"))
        assert not set(part) & set("/\\\0\n")


@pytest.mark.parametrize("wrong", ["", "short", "../../../etc/passwd", "A" * 16, "0" * 65, f"{ID}\n"])
def test_an_id_is_nothing_but_an_id(tmp_path: Path, wrong: str) -> None:
    for ask in (lambda: Uploads(tmp_path).add(piece(id=wrong), b"abc"), lambda: Uploads(tmp_path).cancel(wrong)):
        with pytest.raises(BadPiece):
            ask()


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (piece(offset=-1), b"a"),
        (piece(size=-1), b""),
        (piece(offset=4), b"abc"),
        (piece(size=GIB), bytes(LARGEST_PIECE + 1)),
        (piece(offset=3), b""),
    ],
)
def test_a_piece_fits_its_file(tmp_path: Path, asked: Piece, body: bytes) -> None:
    with pytest.raises(BadPiece):
        Uploads(tmp_path).add(asked, body)


def test_far_beyond_what_32_bits_count(tmp_path: Path) -> None:
    """A sparse part file stands for the five gigabytes that came before."""
    (tmp_path / "Downloads").mkdir()
    part = tmp_path / "Downloads" / f"{PART}{ID}.part"
    with part.open("wb") as file:
        file.truncate(5 * GIB)
    received = Uploads(tmp_path)
    assert received.add(piece(offset=4 * GIB, size=5 * GIB + 3), b"x") == Received(5 * GIB, expected=False)
    assert received.add(piece(offset=5 * GIB, size=5 * GIB + 3), b"end") == Received(5 * GIB + 3, "Downloads/wing.tif")
    with (tmp_path / "Downloads" / "wing.tif").open("rb") as file:
        file.seek(5 * GIB)
        assert file.read() == b"end"


@pytest.mark.parametrize("way", ["Downloads", "Downloads/plate"])
def test_no_link_leads_out(tmp_path: Path, way: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    home = tmp_path / "home"
    elsewhere.mkdir()
    (home / way).parent.mkdir(parents=True)
    (home / way).symlink_to(elsewhere)
    with pytest.raises(NotAFolder):
        Uploads(home).add(piece("plate/wing.tif", size=1), b"x")
    assert not list(elsewhere.iterdir())


def test_a_link_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    (tmp_path / "Downloads").mkdir()
    (tmp_path / "Downloads" / "wing.tif").symlink_to(kept)
    assert Uploads(tmp_path).add(piece(size=1), b"x").path == "Downloads/wing (1).tif"
    assert kept.read_text() == "mine"


def test_a_link_in_place_of_the_part_file_is_not_written_through(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"abc")
    (tmp_path / "Downloads").mkdir()
    part = tmp_path / "Downloads" / f"{PART}{ID}.part"
    for make in (part.symlink_to, part.hardlink_to):
        make(kept)
        with pytest.raises(BadPiece):
            Uploads(tmp_path).add(piece(offset=3), b"def")
        part.unlink()
    os.mkfifo(part)
    with pytest.raises(BadPiece):
        Uploads(tmp_path).add(piece(), b"abc")
    assert kept.read_bytes() == b"abc"


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "Downloads").write_text("mine")
    with pytest.raises(NotAFolder, match=r"“Downloads” in your home is a link or no folder"):
        Uploads(tmp_path).add(piece(), b"abc")


def test_what_does_not_fit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(HomeFull, match=r"no room in your home for “wing.tif”"):
        Uploads(tmp_path).add(piece(size=1 << 59), b"abc")
    assert there(tmp_path) == {}


def test_a_home_that_fills_up_keeps_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    received = Uploads(tmp_path)
    received.add(piece(), b"abc")
    full = os.open("/dev/full", os.O_WRONLY)
    real = os.pwrite
    monkeypatch.setattr(uploads.os, "pwrite", lambda _, data, offset: real(full, data, 0))
    with pytest.raises(HomeFull):
        received.add(piece(offset=3), b"def")
    os.close(full)
    assert there(tmp_path) == {}


def test_cancelled_and_forgotten_ones_leave_nothing(tmp_path: Path) -> None:
    received = Uploads(tmp_path)
    received.add(piece(), b"abc")
    received.cancel(ID)
    received.cancel(ID)
    assert there(tmp_path) == {}
    received.add(piece(), b"abc")
    (tmp_path / "Downloads" / "thesis.part").write_text("mine")
    late = Uploads(tmp_path, clock=lambda: (tmp_path / "Downloads").stat().st_mtime + 25 * 3600)
    late.clean()
    assert there(tmp_path) == {"thesis.part": b"mine"}


class SlowDisk:
    """What is written to it waits until it goes on."""

    def __init__(self) -> None:
        self.begun, self._goes_on = threading.Event(), threading.Event()
        self.go_on = self._goes_on.set
        self._write = os.pwrite

    def pwrite(self, file: int, data: bytes, offset: int) -> int:
        self.begun.set()
        assert self._goes_on.wait(PATIENCE)
        return self._write(file, data, offset)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    disk = SlowDisk()
    monkeypatch.setattr(uploads.os, "pwrite", disk.pwrite)
    return disk


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_who_saw_a_cut_waits_for_what_is_still_being_written(
    tmp_path: Path, slow_disk: SlowDisk, threads: ThreadPoolExecutor
) -> None:
    received = Uploads(tmp_path)
    first = threads.submit(received.add, piece(size=3), b"abc")
    assert slow_disk.begun.wait(PATIENCE)
    again = threads.submit(received.add, piece(size=3), b"abc")
    assert not wait([again], 0.05).done
    slow_disk.go_on()
    assert again.result(PATIENCE) == first.result() == Received(3, "Downloads/wing.tif")
    assert there(tmp_path) == {"wing.tif": b"abc"}


def test_who_cancels_while_it_is_still_being_written_leaves_nothing(
    tmp_path: Path, slow_disk: SlowDisk, threads: ThreadPoolExecutor
) -> None:
    received = Uploads(tmp_path)
    threads.submit(received.add, piece(), b"abc")
    assert slow_disk.begun.wait(PATIENCE)
    cancelled = threads.submit(received.cancel, ID)
    slow_disk.go_on()
    cancelled.result(PATIENCE)
    assert there(tmp_path) == {}


def test_a_piece_that_comes_after_it_was_cancelled_leaves_nothing(tmp_path: Path) -> None:
    received = Uploads(tmp_path)
    received.add(piece(), b"abc")
    received.cancel(ID)
    assert received.add(piece(offset=3), b"def") == Received(0, expected=False)
    assert there(tmp_path) == {}
