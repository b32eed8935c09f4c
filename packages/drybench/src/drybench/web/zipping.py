"""Many files as one zip, made while it is sent: nothing of it lies on a disk or whole in memory.

The names are a task's, so they may try to climb out of the folder that somebody unpacks to; here they cannot.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

BLOCK = 1 << 18
QUICK = 1  # zlib's level: the network is rarely faster, and the core is wanted by the runs
LEFT_OUT = "NOT IN THIS ZIP.txt"
FIRST, LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC)  # what a zip can say
PRESSED = re.compile(
    r"\.(7z|avif|bz2|feather|gif|gz|jpe?g|mp[34]|npz|parquet|png|web[mp]|xlsx|xz|zip|zst)$", re.IGNORECASE
)
_UNFIT = re.compile(r'[<>:"|?*\\]')  # what one system or another takes for more than a letter of a name
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class Entry:
    name: str  # with slashes
    open: Callable[[], BinaryIO]
    size: int  # of it no more is read: it may grow meanwhile
    modified: float


def stream_zip(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The same entries make the same bytes. One that cannot be opened or read is named in a note at the end."""
    sink, taken, missing = _Sink(), dict[str, int](), list[str]()
    with ZipFile(sink, "w", allowZip64=True) as archive:
        for entry in entries:
            name = unlike(taken, safe_name(entry.name))
            try:
                yield from _added(archive, sink, name, entry)
            except OSError as problem:
                missing.append(f"{name}: {problem.strerror or 'it could not be read'}\n")
        if missing:
            archive.writestr(_info(unlike(taken, LEFT_OUT), FIRST.timestamp()), "".join(missing))
    yield sink.taken()


def safe_name(name: str) -> str:
    """A path that stays below the folder it is unpacked to, on every system."""
    parts = [_safe_part(part) for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "file"


def unlike(taken: dict[str, int], name: str) -> str:
    """The name, numbered where it is taken: also where only case or the way to write an accent is another.

    `taken` holds how far each was numbered: a task can write thousands of names that come to the same.
    """
    path, asked = PurePosixPath(name), _mark(name)
    number, fresh = taken.get(asked, 0), name
    while number and (fresh == name or _mark(fresh) in taken):
        number += 1
        fresh = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
    taken[asked] = max(number, 1)
    taken.setdefault(_mark(fresh), 1)
    return fresh


def _mark(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


class _Sink(io.RawIOBase):
    """Where the archive is written to: it has no way back, so sizes follow each file instead of preceding it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override] - bytes are all that a zip writes
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written


def _added(archive: ZipFile, sink: _Sink, name: str, entry: Entry) -> Iterator[bytes]:
    """Opened before its name is written, so that what cannot be opened leaves no trace."""
    with entry.open() as file:
        info = _info(name, entry.modified)
        info.file_size = entry.size  # so that it becomes a zip64 entry where it must
        with archive.open(info, "w") as inside:
            for block in _bounded(file, entry.size):
                inside.write(block)
                yield sink.taken()
    yield sink.taken()


def _info(name: str, modified: float) -> ZipInfo:
    then = min(max(modified, FIRST.timestamp()), LAST.timestamp())
    info = ZipInfo(name, datetime.fromtimestamp(then, UTC).timetuple()[:6])
    info.compress_type = ZIP_STORED if PRESSED.search(name) else ZIP_DEFLATED
    # ZipFile.open takes no level, and typeshed does not know this one
    info._compresslevel = QUICK  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
    info.external_attr = 0o100644 << 16
    return info


def _bounded(file: IO[bytes], most: int) -> Iterator[bytes]:
    while most > 0 and (block := file.read(min(most, BLOCK))):
        most -= len(block)
        yield block


def _safe_part(part: str) -> str:
    seen = "".join(letter if letter.isprintable() else "_" for letter in part)
    plain = _UNFIT.sub("_", seen).rstrip(". ") or "_"
    return f"_{plain}" if _RESERVED.match(plain) else plain
