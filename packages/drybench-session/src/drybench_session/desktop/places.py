"""Folders of the home, reached part by part by descriptors: a link on the way is never followed."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from drybench_session.errors import NotAFolder

DOWNLOADS = "Downloads"
TO_MY_COMPUTER = "To my computer"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)  # a file, a link


@contextmanager
def folder_in(home: Path, parts: Sequence[str], make: bool = False) -> Generator[int]:
    """A descriptor of a folder beneath the home. FileNotFoundError where it is not there and is not to be made."""
    here = os.open(home, _FOLDER)
    try:
        for part in parts:
            above, here = here, _below(here, part, make)
            os.close(above)
        yield here
    finally:
        os.close(here)


def _below(folder: int, name: str, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise NotAFolder(name=name) from None
        raise
