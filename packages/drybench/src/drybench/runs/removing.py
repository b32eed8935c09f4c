"""Remove a folder that a task could write to, however it left it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from drybench.ids import uuid7

FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(folder: Path) -> None:
    """Whatever its permissions and depth; links are removed and never followed.

    It is gone from its place at once. A folder in a folder is moved up before it is emptied, so
    that no depth is too deep. What was killed half-way is finished by calling it again.
    """
    top = folder.with_name(f".gone-{folder.name}")
    top.mkdir(mode=0o700, exist_ok=True)
    with _opened(folder.parent) as above, _opened(top) as below, suppress(FileNotFoundError):
        _move_up(folder.name, above, below)
    with _opened(top) as below:
        while names := [moved.name for moved in top.iterdir()]:
            for name in names:
                _empty(name, below)
    top.rmdir()


@contextmanager
def _opened(path: Path | str, within: int | None = None) -> Generator[int]:
    descriptor = os.open(path, os.O_RDONLY | FOLDER, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _move_up(name: str, here: int, top: int) -> None:
    _make_writable(name, here)
    os.rename(name, uuid7(), src_dir_fd=here, dst_dir_fd=top)


def _make_writable(name: str, within: int) -> None:
    """By a descriptor that needs no permission, for a path could meanwhile lead elsewhere."""
    descriptor = os.open(name, os.O_PATH | FOLDER, dir_fd=within)
    try:
        with suppress(PermissionError):  # not ours: perhaps it can be removed all the same
            Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
    finally:
        os.close(descriptor)


def _empty(name: str, top: int) -> None:
    with _opened(name, top) as here, os.scandir(here) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _move_up(entry.name, here, top)
            else:
                os.unlink(entry.name, dir_fd=here)
    os.rmdir(name, dir_fd=top)
