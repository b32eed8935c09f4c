"""What goes over the clipboard as a picture is one."""

from __future__ import annotations

import struct
import zlib

import pytest

from drybench_session.desktop import pictures, png
from drybench_session.errors import NoClipboard, NotAPicture


def part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(width: int = 2, height: int = 2, *more: bytes) -> bytes:
    header = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = part(b"IDAT", zlib.compress(b"\0" + bytes(6)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + rows + part(b"IEND", b"")


def test_a_picture_is_one() -> None:
    assert png.check(picture(40, 30)) == (40, 30)
    assert png.check(picture(40, 30, part(b"tEXt", b"Title\0<script>"))) == (40, 30)


WRONG = {
    "nothing": b"",
    "a script": b"<script>alert(1)</script>",
    "a GIF": b"GIF89a" + bytes(100),
    "only its signature": b"\x89PNG\r\n\x1a\n",
    "cut": picture()[:-6],
    "damaged": picture().replace(b"IDAT", b"IDAX"),
    "with a page behind it": picture() + b"<html>",
    "with a length beyond its end": picture()[:8] + b"\xff\xff\xff\xff" + picture()[12:],
    "without rows": b"\x89PNG\r\n\x1a\n" + part(b"IHDR", bytes(13)) + part(b"IEND", b""),
    "of no width": picture(0, 2),
    "too wide": picture(1 << 30, 1),
    "too large": picture(16384, 16384),
    "with half a header": b"\x89PNG\r\n\x1a\n" + part(b"IHDR", b"12") + part(b"IDAT", b"") + part(b"IEND", b""),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_none_is_refused(what: str) -> None:
    with pytest.raises(NotAPicture):
        png.check(WRONG[what])


def test_one_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(NotAPicture, match="larger than 32 MiB"):
        png.check(bytes(png.LARGEST + 1))


async def test_what_is_none_never_reaches_the_desktop() -> None:
    with pytest.raises(NotAPicture):
        await pictures.write({"DISPLAY": ":1", "PATH": "/nowhere"}, b"<svg onload=alert(1)>")


async def test_without_xclip_it_says_so() -> None:
    with pytest.raises(NoClipboard, match="xclip is not installed"):
        await pictures.read({"DISPLAY": ":1", "PATH": "/nowhere"})
