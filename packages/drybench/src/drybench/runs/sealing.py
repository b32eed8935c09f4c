"""Take the right to write from what a finished attempt left: a record is looked at, not worked in.

It guards against accidents, such as a notebook opened from there and saved by itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST = 100_000  # files and folders; what a task left beyond that stays as it is
DEEPEST = 64  # folders in folders, each with a descriptor that is open meanwhile: the portal has only so many
WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
PLAINLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def seal(folder: Path, most: int = MOST) -> None:
    """Links are not followed, and a file that also lies elsewhere is somebody's own: it is left alone."""
    with suppress(OSError):  # it went away, or is not ours
        _seal(os.open(folder, PLAINLY), iter(range(most)), DEEPEST)


def _seal(descriptor: int, left: Iterator[int], deep: int) -> None:
    """What is in a folder first. It closes what it was given."""
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode) and deep > 0:
            with os.scandir(descriptor) as entries:
                for entry, _ in zip(entries, left, strict=False):
                    with suppress(OSError):
                        _seal(os.open(entry.name, PLAINLY, dir_fd=descriptor), left, deep - 1)
        if stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
            os.fchmod(descriptor, found.st_mode & ~WRITE)
    finally:
        os.close(descriptor)
