"""The last files of an attempt, written so that even a full disk leaves a result."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drybench_runner.journal import write_all
from drybench_runner.places import Places
from drybench_runner.record import Result, write_notebook, write_result

_KEPT_FREE = 1 << 20


class LastFiles:
    """Room for the result is taken when the run begins, and given back when it ends."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._room = places.made / ".room"
        with suppress(OSError):
            fd = os.open(self._room, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
            try:
                os.posix_fallocate(fd, 0, _KEPT_FREE)
            finally:
                os.close(fd)

    def keep_notebook(self, notebook: Mapping[str, Any]) -> bool:
        """Whether there was room for it."""
        try:
            _replace(self._places.notebook, write_notebook(notebook))
        except OSError:
            return False
        return True

    def keep_picture(self, picture: tuple[str, bytes] | None) -> str | None:
        """Its name, where there is one and there was room for it."""
        if picture is None:
            return None
        try:
            _replace(self._places.made / picture[0], picture[1])
        except OSError:
            return None
        return picture[0]

    def has_room(self) -> bool:
        with suppress(OSError):
            return shutil.disk_usage(self._places.made).free > 0
        return True

    def use_the_room(self) -> None:
        self._room.unlink(missing_ok=True)

    def keep_result(self, result: Result) -> None:
        self.use_the_room()
        _replace(self._places.result, write_result(result))


def _replace(file: Path, data: bytes) -> None:
    """Whole or not at all, also when the machine stops in the middle."""
    new = file.with_name(f".{file.name}.new")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
