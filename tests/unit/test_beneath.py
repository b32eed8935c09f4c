"""What a task may put into its folder, and what the portal makes of it."""

from __future__ import annotations

import errno
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from drybench import beneath
from drybench.beneath import NotPlain, list_beneath, open_beneath, read_beneath, read_part_beneath
from tests.parts import leave_out

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices and other people's files")


@pytest.fixture(params=["openat2", "no openat2", "openat2 forbidden"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By the kernel's own call, and as an old kernel or a strict profile leaves it."""

    def refused(*_: object) -> int:
        raise OSError(errno.ENOSYS if request.param == "no openat2" else errno.EPERM, "forced")

    if request.param != "openat2":
        monkeypatch.setattr(beneath, "_openat2", refused)
    return request.param


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "file").write_bytes(b"ours")
    (tmp_path / "secret").write_bytes(b"secret")
    return inside


def test_a_file_is_read(folder: Path) -> None:
    assert read_beneath(folder, "sub/file", 4) == b"ours"
    assert read_beneath(folder, b"sub/file", 4) == b"ours"


def test_what_is_missing_is_said_to_be_missing(folder: Path) -> None:
    for path in ("none", "none/file", "sub/none"):
        with pytest.raises(FileNotFoundError):
            open_beneath(folder, path)


NO_PATHS = (
    "../secret",
    "sub/../../secret",
    "sub/..",
    ".",
    "",
    "/etc/passwd",
    "sub//file",
    "sub/./file",
    "sub/",
    "a\0b",
)
TOO_LONG = ("x" * 256, "x/" * 2100 + "x")
NO_FILES = ("sub", "sub/file/", "sub/file/x")


@pytest.mark.parametrize("path", [*NO_PATHS, *TOO_LONG, *NO_FILES])
def test_a_path_that_is_none_beneath_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(NotPlain):
        open_beneath(folder, path)


@pytest.mark.parametrize("target", ["../secret", "sub/file", "/etc/passwd", "nowhere", "link"])
def test_a_link_is_not_followed(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    with pytest.raises(NotPlain):
        open_beneath(folder, "link")


def test_a_link_on_the_way_is_not_followed(folder: Path) -> None:
    (folder / "out").symlink_to("..")
    (folder / "in").symlink_to("sub")
    for path in ("out/secret", "in/file", "out/inside/sub/file"):
        with pytest.raises(NotPlain):
            open_beneath(folder, path)


def test_a_link_of_the_kernels_own_is_not_followed() -> None:
    with pytest.raises(NotPlain):
        open_beneath(Path("/proc/self"), "fd/0")
    with pytest.raises(NotPlain):
        open_beneath(Path("/proc"), "self/status")


def test_no_mount_is_entered() -> None:
    """Somebody's own file system could let us wait for ever."""
    with pytest.raises(NotPlain):
        open_beneath(Path("/"), "proc/version")


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(NotPlain):
        open_beneath(folder, "pipe")


def test_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        with pytest.raises(NotPlain):
            open_beneath(folder, "socket")


@as_root
def test_a_device_is_refused_and_never_opened(folder: Path) -> None:
    try:
        os.mknod(folder / "none", stat.S_IFCHR | 0o666, os.makedev(240, 77))  # no driver has it: an open says ENXIO
        os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        leave_out("This machine lets not even root make devices.")
    for name in ("none", "zero"):
        with pytest.raises(NotPlain, match="not a regular file"):
            open_beneath(folder, name)


@as_root
def test_a_second_name_of_somebody_elses_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """The folder is a task's of another account, the file is one that only we may read."""
    os.link(tmp_path / "secret", folder / "sub" / "mine")
    assert read_beneath(folder, "sub/mine", 9) == b"secret"  # whoever owns both could read it anyway
    os.chown(folder / "sub", 12345, 12345)
    with pytest.raises(NotPlain):
        open_beneath(folder, "sub/mine")
    assert [found.path for found in list_beneath(folder, "sub", 9)] == [b"file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_says_so(folder: Path) -> None:
    (folder / "sub" / "file").chmod(0)
    with pytest.raises(PermissionError):
        open_beneath(folder, "sub/file")


def test_a_huge_file_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(NotPlain, match="larger than 100 bytes"):
        read_beneath(folder, "huge", 100)
    assert read_part_beneath(folder, "huge", 1 << 39, 100) == bytes(100)


def test_a_file_that_grows_while_it_is_read_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def grown(file: BinaryIO, most: int) -> bytes:
        (folder / "sub" / "file").write_bytes(bytes(1000))
        return read(file, most)

    read = beneath._read
    monkeypatch.setattr(beneath, "_read", grown)
    with pytest.raises(NotPlain, match="grew"):
        read_beneath(folder, "sub/file", 100)


def test_a_file_that_shrinks_is_read_as_far_as_it_goes(folder: Path) -> None:
    assert read_part_beneath(folder, "sub/file", 2, 100) == b"rs"
    assert read_part_beneath(folder, "sub/file", 100, 100) == b""


def test_a_name_that_changes_all_the_time_never_leads_out(folder: Path) -> None:
    """Link and folder take turns under one name; each reading is one or the other, never the secret."""
    (folder / "real").mkdir()
    (folder / "real" / "secret").write_bytes(b"ours")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            (folder / "link").symlink_to("..")
            (folder / "link").rename(folder / "name")
            (folder / "name").unlink()
            (folder / "real").rename(folder / "name")
            (folder / "name").rename(folder / "real")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        read = {readable(folder, "name/secret") for _ in range(2000)}
    finally:
        over.set()
        thread.join()
    assert read <= {b"ours", None}


def readable(folder: Path, path: str) -> bytes | None:
    try:
        return read_beneath(folder, path, 100)
    except OSError:
        return None


class TestLists:
    def test_regular_files_only_and_no_link(self, folder: Path) -> None:
        (folder / "link").symlink_to("sub/file")
        (folder / "out").symlink_to("..")
        os.mkfifo(folder / "pipe")
        found = list(list_beneath(folder, "sub", 10))
        assert [(one.path, one.size) for one in found] == [(b"file", 4)]
        whole = list(list_beneath(folder.parent, "inside", 10))
        assert [one.path for one in whole] == [b"sub/file"]

    def test_any_name_that_a_disk_can_hold(self, folder: Path) -> None:
        names = {b"\xff\xfe", b"new\nline", b"\x1b[31m", "ä 文".encode(), b"-rf", b"x" * 255}
        for name in names:
            Path(os.fsdecode(os.fsencode(folder / "sub") + b"/" + name)).touch()
        found = {one.path for one in list_beneath(folder, "sub", 100)}
        assert found == names | {b"file"}
        assert all(read_beneath(folder, b"sub/" + name, 9) == b"" for name in names)

    def test_only_so_many_names_are_looked_at(self, folder: Path) -> None:
        for number in range(50):
            (folder / "sub" / f"{number}").touch()
            (folder / "sub" / f"link{number}").symlink_to("0")
        assert len(list(list_beneath(folder, "sub", 20))) == 20
        assert len(list(list_beneath(folder, "sub", 3))) <= 3
        (folder / "links").mkdir()
        for number in range(50):
            (folder / "links" / f"link{number}").symlink_to("0")
        (folder / "links" / "file").touch()
        assert len(list(list_beneath(folder, "links", 1))) <= 1

    def test_a_deep_tree_ends_somewhere(self, folder: Path, deep: Path) -> None:
        assert [one.path for one in list_beneath(folder, "deep", 100)] == [
            b"d/" * depth + b"file" for depth in range(33)
        ]

    @pytest.fixture
    def deep(self, folder: Path) -> Iterator[Path]:
        here = folder / "deep"
        for _ in range(200):
            here.mkdir()
            (here / "file").touch()
            here = here / "d"
        return folder / "deep"

    def test_a_folder_that_is_a_link_or_missing_is_no_folder(self, folder: Path) -> None:
        (folder / "link").symlink_to("sub")
        with pytest.raises(NotPlain):
            list(list_beneath(folder, "link", 10))
        with pytest.raises(FileNotFoundError):
            list(list_beneath(folder, "none", 10))


def test_no_descriptor_is_left_open(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for path in ("sub/file", "sub", "pipe", "none", "sub/file/x", "../x"):
        readable(folder, path)
        list(list_beneath(folder, "sub", 1))
    assert [place for place in map(leads_to, Path("/proc/self/fd").iterdir()) if str(folder.parent) in place] == []


def leads_to(descriptor: Path) -> str:
    """Other tests may have some that come and go."""
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""
