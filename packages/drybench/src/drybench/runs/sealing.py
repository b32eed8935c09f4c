"""Take the right to write from what a finished attempt left: a record is looked at, not worked in.

It guards against accidents, such as a notebook opened from there and saved by itself.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import islice
from pathlib import Path

MOST = 100_000  # files; what a task left beyond that stays as it is
WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def seal(folder: Path, most: int = MOST) -> None:
    """Links are not followed, and a file that also lies elsewhere is somebody's own: it is left alone."""
    with suppress(FileNotFoundError):
        for _, folders, files, here in islice(os.fwalk(folder, topdown=False, follow_symlinks=False), most):
            for name in [*islice(files, most), *folders, "."]:
                _take_write(name, here)


def _take_write(name: str, here: int) -> None:
    with suppress(OSError):  # it went away, or is not ours
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        try:
            found = os.fstat(descriptor)
            if stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
                os.fchmod(descriptor, found.st_mode & ~WRITE)
        finally:
            os.close(descriptor)
