"""Open what a task wrote, beneath a folder of ours, trusting nothing of it.

No link is followed, no mount is entered, and only regular files are ever opened: a pipe or a
device is looked at by a descriptor that cannot read (O_PATH), for some devices act as soon as
they are opened. A file with several names counts only where it belongs to the owner of its
folder: else somebody could give a name of their own to a file that only we may read.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

OPENAT2 = 437  # the same number on every architecture
NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH = 0x01, 0x02, 0x04, 0x08
FORBIDDEN = (errno.ENOSYS, errno.EPERM)  # an old kernel, or a seccomp profile that knows no openat2
NOT_BENEATH = (errno.ELOOP, errno.ENOTDIR, errno.EXDEV)  # a link, a file as a folder, a mount
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
BLOCK = 1 << 16
DEEPEST = 32  # folders in folders; each holds a descriptor open while we are in it
LOOKED_AT = 10  # names that are looked at for each file that may be listed: links and folders count too


class NotPlain(OSError):
    """Not a regular file beneath its folder, or larger than it may be."""


@dataclass(frozen=True)
class Found:
    path: bytes  # relative, with slashes; a name is bytes and need not be UTF-8
    size: int
    modified: float


def open_beneath(folder: Path, path: str | bytes) -> BinaryIO:
    """A regular file, to be read; it may have any size, and may change while it is read.

    FileNotFoundError when there is none, NotPlain or PermissionError when it is not fit to be
    read; any other OSError is this machine's trouble and says nothing about the file.
    """
    parts = _parts(path)
    with _opened(os.open(folder, FOLDER)) as top, _opened(_resolve(top, parts[:-1], FOLDER)) as parent:
        with _opened(_resolve(parent, parts[-1:], os.O_PATH)) as seen:
            _check_plain(os.fstat(seen), os.fstat(parent))
            file = os.open(f"/proc/self/fd/{seen}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(file, "rb")


def read_beneath(folder: Path, path: str | bytes, most: int) -> bytes:
    """The whole file, which has at most so many bytes."""
    with open_beneath(folder, path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise NotPlain(errno.EFBIG, f"larger than {most} bytes")
        content = _read(file, most + 1)
    if len(content) > most:
        raise NotPlain(errno.EFBIG, f"grew beyond {most} bytes while it was read")
    return content


def read_part_beneath(folder: Path, path: str | bytes, since: int, most: int) -> bytes:
    """At most so many bytes from an offset; nothing where the file is shorter."""
    with open_beneath(folder, path) as file:
        file.seek(since)
        return _read(file, most)


def list_beneath(folder: Path, path: str | bytes, most: int) -> Iterator[Found]:
    """The regular files below a folder, at most so many, in no order. Links are passed over."""
    with folder_beneath(folder, path) as start:
        looks = iter(range(most * LOOKED_AT))
        for _, found in zip(range(most), _walk(start, b"", looks, DEEPEST), strict=False):
            yield found


@contextmanager
def folder_beneath(folder: Path, path: str | bytes) -> Generator[int]:
    """A descriptor of a folder, to be looked into; the topmost itself for an empty path."""
    parts = _parts(path) if path else []
    with _opened(os.open(folder, FOLDER)) as top, _opened(_resolve(top, parts, FOLDER)) as found:
        yield found


def _parts(path: str | bytes) -> list[bytes]:
    path = os.fsencode(path)
    parts = path.split(b"/")
    if b"\0" in path or len(path) > 4000 or any(part in (b"", b".", b"..") or len(part) > 255 for part in parts):
        raise NotPlain(errno.EINVAL, "not a path beneath a folder")
    return parts


@contextmanager
def _opened(descriptor: int) -> Generator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _resolve(folder: int, parts: Sequence[bytes], flags: int) -> int:
    """A descriptor of what lies there; the folder itself when there are no parts."""
    try:
        try:
            return _openat2(folder, b"/".join(parts) or b".", flags)
        except OSError as error:
            if error.errno not in FORBIDDEN:
                raise
        return _part_by_part(folder, parts, flags)
    except OSError as error:
        if error.errno in NOT_BENEATH:
            raise NotPlain(error.errno, error.strerror) from None
        raise


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _openat2(folder: int, path: bytes, flags: int) -> int:
    """By number, for neither Python nor Debian 12's C library has a name for it."""
    how = _How(flags | os.O_CLOEXEC, 0, BENEATH | NO_SYMLINKS | NO_MAGICLINKS | NO_XDEV)
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    found = call(
        ctypes.c_long(OPENAT2), folder, ctypes.c_char_p(path), ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))
    )
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def _part_by_part(folder: int, parts: Sequence[bytes], flags: int) -> int:
    device = os.fstat(folder).st_dev
    here = os.open(".", os.O_PATH | os.O_DIRECTORY, dir_fd=folder)
    for part in parts[:-1]:
        with _opened(here):
            here = _open_here(here, part, os.O_PATH | os.O_DIRECTORY, device)
    with _opened(here):
        return _open_here(here, parts[-1] if parts else b".", flags, device)


def _open_here(folder: int, name: bytes, flags: int, device: int) -> int:
    """A link as the last part is opened itself (O_PATH), and refused by `_check_plain`."""
    found = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    if os.fstat(found).st_dev == device:
        return found
    os.close(found)
    raise NotPlain(errno.EXDEV, "lies on another file system")


def _check_plain(file: os.stat_result, parent: os.stat_result) -> None:
    if not stat.S_ISREG(file.st_mode):
        raise NotPlain(errno.EINVAL, "not a regular file")
    if file.st_nlink > 1 and file.st_uid != parent.st_uid:
        raise NotPlain(errno.EPERM, "a second name of somebody else's file")


def _read(file: BinaryIO, most: int) -> bytes:
    """Block by block, for one large read would take all its memory before it knows how much there is."""
    blocks: list[bytes] = []
    while most > 0 and (block := file.read(min(most, BLOCK))):
        blocks.append(block)
        most -= len(block)
    return b"".join(blocks)


def _walk(folder: int, above: bytes, looks: Iterator[int], deep: int) -> Iterator[Found]:
    parent = os.fstat(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if next(looks, None) is None:
                return
            name = os.fsencode(entry.name)
            try:
                if entry.is_dir(follow_symlinks=False) and deep > 0:
                    with _opened(_resolve(folder, [name], FOLDER)) as inner:
                        yield from _walk(inner, above + name + b"/", looks, deep - 1)
                elif entry.is_file(follow_symlinks=False):
                    seen = entry.stat(follow_symlinks=False)
                    _check_plain(seen, parent)
                    yield Found(above + name, seen.st_size, seen.st_mtime)
            except OSError:
                continue  # gone meanwhile, not to be read, or not plain
