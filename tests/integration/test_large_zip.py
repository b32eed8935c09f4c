"""More than a zip of the old kind can hold."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from drybench.web.zipping import Entry, stream_zip

THEN = 1_790_000_000.0


class _Zeros(io.RawIOBase):
    """A file of any length that lies nowhere."""

    def __init__(self, length: int) -> None:
        self.left = length

    def read(self, size: int = -1, /) -> bytes:
        length = min(size, self.left)
        self.left -= length
        return bytes(length)


@pytest.mark.timeout(900)
def test_more_than_four_gib_in_little_memory(tmp_path: Path) -> None:
    length, most = (4 << 30) + 5, 0
    file = tmp_path / "large.zip"
    with file.open("wb") as out:
        for block in stream_zip(
            [
                Entry("a.bin", lambda: cast("BinaryIO", _Zeros(length)), length, THEN),
                Entry("after", lambda: io.BytesIO(b"x"), 1, THEN),
            ]
        ):
            most = max(most, len(block))
            out.write(block)
    assert most < 1 << 20
    assert [one.file_size for one in zipfile.ZipFile(file).infolist()] == [length, 1]
    if unzip := shutil.which("unzip"):
        subprocess.run([unzip, "-tq", file], check=True)
