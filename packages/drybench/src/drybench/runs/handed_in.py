"""Notebooks that somebody has chosen and not asked to run yet: so that a form keeps them while it is filled in.

They lie under their person's id, for a day at most; what is too much of them pushes out the oldest.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from drybench.beneath import NotPlain, read_beneath
from drybench.errors import NotebookGone

KEPT = 86400.0  # seconds
MOST, MOST_BYTES = 200, 1 << 30  # of one person
_ID = re.compile(r"[0-9a-f]{32}")


class HandedIn:
    def __init__(self, root: Path, new_id: Callable[[], str], limit: int) -> None:
        self._root = root
        self._new_id = new_id
        self._limit = limit  # bytes of one

    def keep(self, person_id: str, notebook: bytes) -> str:
        folder = self._root / person_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        id = self._new_id().replace("-", "")
        file = os.open(folder / id, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(notebook)
        self._make_room(folder)
        return id

    def read(self, person_id: str, id: str, name: str = "The notebook") -> bytes:
        if not _ID.fullmatch(id):
            raise NotebookGone(name=name)
        try:
            return read_beneath(self._root, f"{person_id}/{id}", self._limit)
        except (FileNotFoundError, NotPlain):
            raise NotebookGone(name=name) from None

    def _make_room(self, folder: Path) -> None:
        """The newest stays, whatever it takes."""
        count, size, oldest = 0, 0, time.time() - KEPT
        for file in sorted(folder.iterdir(), reverse=True):  # ids are in the order of time
            with suppress(FileNotFoundError):
                about = file.lstat()
                count, size = count + 1, size + about.st_size
                if count > 1 and (count > MOST or size > MOST_BYTES or about.st_mtime < oldest):
                    file.unlink()
