"""Folders of the host shown in a container that runs already: by root only, and by means of Linux alone.

A *slot* is a folder that a container sees from its start. What is mounted below it on the host appears inside.
`seal` ends that: from then on the container alone has what appeared in it, for as long as it lives.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from drybench.model import Mount

BIND, RECURSIVE, PRIVATE, SHARED = 1 << 12, 1 << 14, 1 << 18, 1 << 20
LAZILY, DO_NOT_FOLLOW = 2, 8
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # the same numbers on every processor that Docker knows
HERE, CLONE, BY_DESCRIPTOR, FROM_DESCRIPTOR, WITH_ALL_BELOW = -100, 1, 0x1000, 4, 0x8000
READ_ONLY = 1
OPEN = 0o755
MOUNTS = Path("/proc/self/mountinfo")


class Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def work(folder: Path) -> bool:
    """Whether this process may do all this, in this folder, on this kernel: it is tried."""
    if os.geteuid() != 0:
        return False
    try:
        with TemporaryDirectory(prefix=".slot-", dir=folder) as name:
            slot = Path(name)
            try:
                make_slot(slot)
                (slot / "below").mkdir()
                show(Mount(slot, slot / "below", read_only=True))
            finally:
                clear(slot)
    except OSError:
        return False
    return True


def same_as(pid: int) -> bool:
    """Whether that process sees the mounts that this one sees. One that cannot be looked at does not."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/ns/mnt").stat() == Path("/proc/self/ns/mnt").stat()
    except OSError:
        return False


def make_slot(folder: Path) -> None:
    """Private first: else what is shown in it would be shown wherever else the folder's own disk is mounted."""
    clear(folder)
    make_open(folder)
    _mount(folder, folder, BIND)
    _mount(None, folder, PRIVATE)
    _mount(None, folder, SHARED)


def make_open(folder: Path) -> None:
    """What is shown in it is for others than root."""
    folder.mkdir(exist_ok=True)
    folder.chmod(OPEN)


def is_slot(folder: Path) -> bool:
    return folder in below(folder)


def show(mount: Mount) -> None:
    """All at once, with what is mounted in it: nobody ever sees anything writable that is to be read only."""
    tree = _call(OPEN_TREE, HERE, os.fsencode(mount.source), CLONE | WITH_ALL_BELOW | os.O_CLOEXEC)
    try:
        if mount.read_only:
            attributes = Attributes(set=READ_ONLY)
            how = BY_DESCRIPTOR | WITH_ALL_BELOW
            _call(MOUNT_SETATTR, tree, b"", how, ctypes.byref(attributes), ctypes.sizeof(attributes))
        _call(MOVE_MOUNT, tree, b"", HERE, os.fsencode(mount.target), FROM_DESCRIPTOR)
    finally:
        os.close(tree)


def seal(folder: Path) -> None:
    """Here nothing of it is mounted any more; where it appeared it stays."""
    _mount(None, folder, RECURSIVE | PRIVATE)
    clear(folder)


def clear(folder: Path) -> None:
    """Whoever mounted it. What is still mounted could be removed with the folder."""
    while found := below(folder):
        for place in reversed(found):
            _check(_libc.umount2(os.fsencode(place), LAZILY | DO_NOT_FOLLOW))


def below(folder: Path) -> Sequence[Path]:
    """What is mounted there and below, in the order in which it was."""
    places = (Path(_plain(line.split(" ", 5)[4])) for line in MOUNTS.read_text().splitlines())
    real = folder.resolve()
    return [place for place in places if place.is_relative_to(real)]


def read_only_below(mounts: Sequence[Mount]) -> Sequence[Mount]:
    """What is mounted below those that are read-only, as mounts of its own: older engines leave that writable."""
    taken = {mount.target for mount in mounts}
    found: list[Mount] = []
    for mount in mounts:
        real = mount.source.resolve()
        for place in below(real) if mount.read_only else ():
            target = mount.target / place.relative_to(real)
            if target not in taken and os.access(place, os.F_OK):
                taken.add(target)
                found.append(Mount(place, target, read_only=True))
    return found


def _plain(octal: str) -> str:
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), os.fsencode(octal)))


def _mount(source: Path | None, target: Path, flags: int) -> None:
    named = None if source is None else os.fsencode(source)
    _check(_libc.mount(named, os.fsencode(target), None, ctypes.c_ulong(flags), None))


def _call(number: int, *words: object) -> int:
    return _check(_libc.syscall(ctypes.c_long(number), *words))


def _check(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
