"""What lies in the folders of a bench that lives: files come and go while it is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files(folder: Path) -> Iterator[Path]:
    """Whole ones only, no sockets and no pipes."""
    for there, _, names in os.walk(folder):  # it passes over a folder that has just gone
        yield from (file for name in names if (file := Path(there, name)).is_file())


def content(file: Path) -> bytes:
    """Nothing where it, or the process that it tells of, has just gone."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
