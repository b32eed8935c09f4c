"""A person's files as their tasks see them, with their rights: beneath what is mounted, and following no link."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from drybench.beneath import folder_beneath
from drybench.errors import NoFilesHere
from drybench.model import Mount, Surroundings
from drybench.people.acting import acting_as

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

Found = TypeVar("Found")


def check(around: Surroundings) -> None:
    """errors.NoFilesHere where the portal may not look at their home."""
    acting_as(around.account, lambda: None)


def look(around: Surroundings, path: Path, work: Callable[[Path, str], Found]) -> Found:
    """`work` is called with a folder of the host and what lies below it, to be opened beneath it.

    The folder itself was opened by us, for those above it are closed to everybody else.
    """
    mount = mount_of(around, path)
    if mount is None:
        raise FileNotFoundError(path)
    below = path.relative_to(mount.target)
    opened = os.open(mount.source, FOLDER)
    try:
        there = Path(f"/proc/self/fd/{opened}")
        return acting_as(around.account, partial(work, there, "" if below == Path() else str(below)))
    finally:
        os.close(opened)


def has_folder(around: Surroundings, path: Path) -> bool:
    """Or may well have: what the portal may not look at, the task will find out."""
    try:
        return look(around, path, _is_open)
    except NoFilesHere:
        return mount_of(around, path) is not None
    except (OSError, ValueError):
        return False


def _is_open(above: Path, below: str) -> bool:
    with folder_beneath(above, below) as opened, os.scandir(opened):
        return True


def mount_of(around: Surroundings, path: Path) -> Mount | None:
    """The one that it lies in, as the task sees it."""
    if ".." in path.parts or "\0" in str(path):
        return None
    over = [mount for mount in around.mounts if path.is_relative_to(mount.target)]
    return max(over, key=lambda mount: len(mount.target.parts), default=None)
