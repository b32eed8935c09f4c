"""What was handed in for a schedule, kept once: `schedules/ID/given/` with the request and its notebook.

A notebook that is the person's own file may be read anew at each time: then its path counts, and the notebook
that is kept is the one that the schedule was made with.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from drybench.beneath import NotPlain, read_beneath
from drybench.errors import FileNotReadAgain, RecordUnreadable
from drybench.runs import request_record
from drybench.runs.removing import remove_tree
from drybench.runs.requests import RunRequest
from drybench.runs.run_folder import write_given
from drybench.schedules.times import Schedule

MOST = 1 << 29  # ours: what was handed in was bounded by the settings
GIVEN = "given.json"


@dataclass(frozen=True)
class Given:
    request: RunRequest
    reads: Path | None = None  # the notebook's own file, read at each time


class ScheduleFolders:
    def __init__(self, root: Path, notebook_limit: int) -> None:
        self._root = root
        self._notebook_limit = notebook_limit

    def make(self, id: str, given: Given) -> Mapping[str, str]:
        """Whole, or nothing of it is left; the sha256 of each file, which is the ledger's to keep."""
        about = {"format": 1, "reads": str(given.reads) if given.reads else None}
        files = {GIVEN: json.dumps(about, indent=1).encode(), **request_record.as_files(given.request)}
        try:
            return write_given(self._root / id, files)
        except OSError:
            self.remove(id)
            raise

    def given(self, schedule: Schedule) -> Given:
        """As it was handed in, or RecordUnreadable: a task of this account could have written to it."""
        files = {name: self._read(schedule.id, name) for name in schedule.hashes}
        if any(hashlib.sha256(files[name]).hexdigest() != digest for name, digest in schedule.hashes.items()):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        reads: str | None = json.loads(files[GIVEN])["reads"]
        return Given(request_record.from_files(files), Path(reads) if reads else None)

    def request(self, schedule: Schedule) -> RunRequest:
        """What is to be asked for now; FileNotReadAgain where the person's file is not what it was."""
        given = self.given(schedule)
        asked = replace(given.request, schedule_id=schedule.id)
        return replace(asked, notebook=self.read(given.reads), notebook_hash="") if given.reads else asked

    def read(self, file: Path) -> bytes:
        """A regular file of the account's own, bounded: anything else would keep the portal waiting."""
        try:
            if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(self._root.parent)):
                raise FileNotReadAgain(path=file, why="it is the bench's own")
            descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as opened:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise FileNotReadAgain(path=file, why="it is no file")
                content = opened.read(self._notebook_limit + 1)
        except (OSError, ValueError) as error:  # ValueError: a name that can be none
            why = getattr(error, "strerror", None) or "it cannot be opened"
            raise FileNotReadAgain(path=file, why=why) from None
        if len(content) > self._notebook_limit:
            raise FileNotReadAgain(path=file, why="it has grown beyond what this bench takes")
        return content

    def remove(self, id: str) -> None:
        remove_tree(self._root / id)

    def _read(self, id: str, name: str) -> bytes:
        try:
            return read_beneath(self._root, f"{id}/given/{name}", MOST)
        except (OSError, NotPlain) as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None
