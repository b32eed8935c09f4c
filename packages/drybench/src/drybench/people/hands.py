"""What belongs to a task's account: given to it, and had back.

The portal's own folders are private, so whoever is named here finds only what is mounted for them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from drybench.model import Account

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MOST = 100_000  # names that are looked at
DEEPEST = 64
MOST_STRANGERS = 16
FILE_OPEN, FOLDER_OPEN = stat.S_IRGRP, stat.S_IRWXG


class Hands(Protocol):
    """Synchronous, and may take a second. errors.HandsTied where it cannot be done just now."""

    def give(self, folder: Path, uid: int, gid: int) -> None:
        """A new folder of the portal's is theirs from now on."""

    def take_back(self, folder: Path) -> None:
        """What others left in it can be read, moved and removed by the portal. It may be called again."""


class OwnHands:
    """Of a portal that is root, or all of whose tasks have its own account."""

    def give(self, folder: Path, uid: int, gid: int) -> None:
        if (uid, gid) != (os.geteuid(), os.getegid()):
            os.chown(folder, uid, gid, follow_symlinks=False)

    def take_back(self, folder: Path) -> None:
        """It can do that already."""


def lend(folder: Path, account: Account | None) -> None:
    """A task of that account may write into this folder of ours; what it makes there we can read.

    Root gives it away. Anybody else opens it to all who find it, and has what is made there belong to their own
    group: the folders above are private, so only a task that it is mounted for finds it.
    """
    if account is None or account.uid == os.geteuid():
        return
    descriptor = os.open(folder, FOLDER)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return  # it is lent already
        if os.geteuid() == 0:
            os.fchmod(descriptor, 0o700)
            os.fchown(descriptor, account.uid, account.gid)
        else:
            os.fchmod(descriptor, 0o2777)
    finally:
        os.close(descriptor)


def open_to(folder: Path, account: Account) -> None:
    """Root still does there what it likes; this account sees what is in it, and changes nothing."""
    folder.chmod(0o500)
    os.chown(folder, account.uid, -1)


def strangers(folder: Path) -> set[int]:
    """Whose things in it the portal cannot read or remove; a few of them, where there are many."""
    found: set[int] = set()
    for uid in _closed(os.open(folder, FOLDER), iter(range(MOST)), DEEPEST):
        found |= {uid} - {0, os.geteuid()}
        if len(found) == MOST_STRANGERS:
            break
    return found


def _closed(descriptor: int, left: Iterator[int], deep: int) -> Iterator[int]:
    """Owners of what is closed to us, or too deep or too much to be looked at. It closes what it was given."""
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    yield from _closed_entry(entry, descriptor, left, deep)
    finally:
        os.close(descriptor)


def _closed_entry(entry: os.DirEntry[str], within: int, left: Iterator[int], deep: int) -> Iterator[int]:
    seen = entry.stat(follow_symlinks=False)
    if next(left, None) is None:
        yield seen.st_uid
    elif stat.S_ISDIR(seen.st_mode):
        if deep == 0 or not _is_open(seen, FOLDER_OPEN):
            yield seen.st_uid
        else:
            yield from _closed(os.open(entry.name, FOLDER, dir_fd=within), left, deep - 1)
    elif stat.S_ISREG(seen.st_mode) and not _is_open(seen, FILE_OPEN):
        yield seen.st_uid


def _is_open(seen: os.stat_result, group: int) -> bool:
    """To the portal: it is its own, or its group may do all that is needed."""
    if seen.st_uid == os.geteuid():
        return True
    sticky = seen.st_mode & stat.S_ISVTX and stat.S_ISDIR(seen.st_mode)
    return seen.st_gid == os.getegid() and seen.st_mode & group == group and not sticky
