"""Whether bytes are a PNG, part by part: what a browser or a program calls a picture need not be one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from drybench_session.errors import NotAPicture

LARGEST = 32 << 20  # bytes
WIDEST = 16384  # pixels; and so many rows
MOST_PIXELS = 1 << 27  # what unpacks to more would take a program's memory
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">II")


def check(picture: bytes) -> tuple[int, int]:
    """Width and height. NotAPicture when a part is missing, damaged, or too large."""
    if len(picture) > LARGEST:
        raise NotAPicture(problem=f"it is larger than {LARGEST >> 20} MiB")
    if not picture.startswith(_SIGNATURE):
        raise NotAPicture(problem="it is no PNG")
    parts = list(_parts(memoryview(picture)[len(_SIGNATURE) :]))
    kinds = [kind for kind, _ in parts]
    if len(parts) < 3 or kinds[0] != b"IHDR" or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise NotAPicture(problem="parts of it are missing")
    return _size(parts[0][1])


def _parts(rest: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    while rest:
        if len(rest) < 12:
            raise NotAPicture(problem="its end is missing")
        length = int.from_bytes(rest[:4], "big")
        kind, body, checksum = bytes(rest[4:8]), rest[8 : 8 + length], rest[8 + length : 12 + length]
        if len(checksum) < 4 or zlib.crc32(rest[4 : 8 + length]) != int.from_bytes(checksum, "big"):
            raise NotAPicture(problem="a part of it is damaged")
        yield kind, body
        rest = rest[12 + length :]
        if kind == b"IEND" and rest:
            raise NotAPicture(problem="something follows its end")


def _size(header: memoryview) -> tuple[int, int]:
    if len(header) != 13:
        raise NotAPicture(problem="its size is missing")
    width, height = _HEADER.unpack_from(header)
    if not (0 < width <= WIDEST and 0 < height <= WIDEST and width * height <= MOST_PIXELS):
        raise NotAPicture(problem=f"it is {width} × {height} pixels large")
    return width, height
