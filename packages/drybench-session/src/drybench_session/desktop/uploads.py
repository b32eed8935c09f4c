"""What is dropped on the desktop's view lands in Downloads, piece by piece.

All that is known of a half upload is its part file in Downloads: how long it is says where to go on, so a server
that was started anew, or a laptop that slept, goes on as well. The name is taken when the file is whole.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drybench_session.desktop.names import PART, numbered, safe_path, shown
from drybench_session.desktop.places import DOWNLOADS, folder_in
from drybench_session.errors import BadPiece, HomeFull

LARGEST_PIECE = 8 << 20
FORGOTTEN = 24 * 3600.0  # seconds after which nobody goes on with a half upload
REMEMBERED = 500  # finished ones: a page that lost our last answer asks again
_PATIENCE = 60.0  # seconds with a disk that is slow
_ID = re.compile(r"[0-9a-f]{16,64}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Piece:
    id: str
    name: str  # of the file; `plate 3/A1.tif` where a folder was dropped
    offset: int
    size: int  # of the whole file


@dataclass(frozen=True)
class Received:
    """Where to go on, or where the file lies now. `expected` is False where this piece was not the next one."""

    received: int
    path: str | None = None
    expected: bool = True


class Uploads:
    """Every method may block on the disk: call it in a thread."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._home = home
        self._clock = clock
        self._busy: set[str] = set()
        self._over = threading.Condition()
        self._finished: OrderedDict[str, Received] = OrderedDict()

    def add(self, piece: Piece, body: bytes | memoryview) -> Received:
        _check(piece, len(body))
        path = safe_path(piece.name)
        with self._alone(piece.id):
            return self._finished.get(piece.id) or self._add(piece, path, body)

    def cancel(self, id: str) -> None:
        _check_id(id)
        with self._alone(id), suppress(FileNotFoundError), folder_in(self._home, [DOWNLOADS]) as downloads:
            os.unlink(_part(id), dir_fd=downloads)

    def clean(self) -> None:
        """What nobody goes on with."""
        with suppress(OSError), folder_in(self._home, [DOWNLOADS]) as downloads:
            self._clean(downloads)

    @contextmanager
    def _alone(self, id: str) -> Generator[None]:
        """Whose page saw a cut, or cancels, does not know that its last piece is here and still being written."""
        with self._over:
            if not self._over.wait_for(lambda: id not in self._busy, _PATIENCE):
                raise BadPiece(problem="the one before is still being written")
            self._busy.add(id)
        try:
            yield
        finally:
            with self._over:
                self._busy.discard(id)
                self._over.notify_all()

    def _add(self, piece: Piece, path: Sequence[str], body: bytes | memoryview) -> Received:
        with folder_in(self._home, [DOWNLOADS], make=True) as downloads:
            if piece.offset == 0:
                self._clean(downloads)
            if not self._append(downloads, piece, body):
                return Received(_length(downloads, piece.id), expected=False)
            received = piece.offset + len(body)
            if received < piece.size:
                return Received(received)
            return self._remember(piece.id, Received(received, self._finish(piece.id, path)))

    def _append(self, downloads: int, piece: Piece, body: bytes | memoryview) -> bool:
        """False where something else than this piece comes next: the first one, where it was cancelled."""
        try:
            file = os.open(_part(piece.id), _WRITE | (0 if piece.offset else os.O_CREAT), 0o666, dir_fd=downloads)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._given_up(error, downloads, piece) from error
        try:
            at = os.fstat(file)
            if not stat.S_ISREG(at.st_mode) or at.st_nlink > 1:
                raise BadPiece(problem="its part file is no longer what it was")
            if at.st_size != piece.offset:
                return False
            _check_room(file, piece)
            _write(file, body, piece.offset)
        except OSError as error:
            raise self._given_up(error, downloads, piece) from error
        except HomeFull:
            _unlink(downloads, piece.id)
            raise
        finally:
            os.close(file)
        return True

    def _given_up(self, error: OSError, downloads: int, piece: Piece) -> Exception:
        """A half file helps nobody whose home is full."""
        if error.errno not in _FULL:
            return BadPiece(problem=error.strerror or "it cannot be written")
        _unlink(downloads, piece.id)
        return HomeFull(name=shown(piece.name))

    def _finish(self, id: str, path: Sequence[str]) -> str:
        folders = [DOWNLOADS, *path[:-1]]
        with folder_in(self._home, [DOWNLOADS]) as downloads, folder_in(self._home, folders, make=True) as folder:
            name = _take_name(folder, path[-1])
            try:
                os.rename(_part(id), name, src_dir_fd=downloads, dst_dir_fd=folder)
            except OSError:
                os.unlink(name, dir_fd=folder)
                raise
        return "/".join((*folders, name))

    def _remember(self, id: str, received: Received) -> Received:
        self._finished[id] = received
        while len(self._finished) > REMEMBERED:
            self._finished.popitem(last=False)
        return received

    def _clean(self, downloads: int) -> None:
        with os.scandir(downloads) as entries:
            old = [entry.name for entry in entries if entry.name.startswith(PART) and self._is_forgotten(entry)]
        for name in old:
            with suppress(OSError):
                os.unlink(name, dir_fd=downloads)

    def _is_forgotten(self, entry: os.DirEntry[str]) -> bool:
        with suppress(OSError):
            return self._clock() - entry.stat(follow_symlinks=False).st_mtime > FORGOTTEN
        return False


def _check(piece: Piece, length: int) -> None:
    _check_id(piece.id)
    if length > LARGEST_PIECE:
        raise BadPiece(problem=f"it is larger than {LARGEST_PIECE >> 20} MiB")
    if piece.offset < 0 or piece.size < 0 or piece.offset + length > piece.size:
        raise BadPiece(problem="it lies beyond the end of the file")
    if not length and piece.size > piece.offset > 0:
        raise BadPiece(problem="it is empty")


def _check_id(id: str) -> None:
    if not _ID.fullmatch(id):
        raise BadPiece(problem="it names no upload")


def _check_room(file: int, piece: Piece) -> None:
    """Before anything is sent for an hour; a quota shows only when it is met."""
    if piece.offset == 0:
        room = os.fstatvfs(file)
        if room.f_bavail * room.f_frsize < piece.size:
            raise HomeFull(name=shown(piece.name))


def _write(file: int, body: bytes | memoryview, offset: int) -> None:
    """All of it or nothing, so that where to go on is always at the end of a piece."""
    left = memoryview(body)
    try:
        while left:
            left = left[os.pwrite(file, left, offset + len(body) - len(left)) :]
    except OSError:
        os.ftruncate(file, offset)
        raise


def _take_name(folder: int, name: str) -> str:
    """A free one, held by an empty file until ours is renamed over it."""
    for candidate in numbered(name):
        with suppress(FileExistsError):
            os.close(os.open(candidate, _WRITE | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder))
            return candidate
    raise BadPiece(problem="there are a thousand files of this name")


def _length(downloads: int, id: str) -> int:
    with suppress(FileNotFoundError):
        return os.stat(_part(id), dir_fd=downloads, follow_symlinks=False).st_size
    return 0


def _unlink(downloads: int, id: str) -> None:
    with suppress(OSError):
        os.unlink(_part(id), dir_fd=downloads)


def _part(id: str) -> str:
    return f"{PART}{id}.part"
