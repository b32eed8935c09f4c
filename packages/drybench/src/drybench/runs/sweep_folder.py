"""What was handed in for a sweep, kept once for all of its runs: `sweeps/ID/given/` with the request and the plan."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from drybench.beneath import NotPlain, read_beneath
from drybench.errors import RecordUnreadable
from drybench.runs import request_record, sweeps
from drybench.runs.removing import remove_tree
from drybench.runs.requests import RunRequest
from drybench.runs.run_folder import write_given

MOST = 1 << 29  # ours: what was handed in was bounded by the settings
PLAN = "plan.json"


class SweepFolders:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.plan = lru_cache(maxsize=16)(self._plan)  # it never changes, and a page asks for it each second

    def make(self, id: str, request: RunRequest, plan: sweeps.Plan) -> Mapping[str, str]:
        """Whole, or nothing of it is left. The hashes of what was handed in."""
        plan_json = json.dumps(sweeps.as_json(plan)).encode()
        try:
            return write_given(self._root / id, {**request_record.as_files(request), PLAN: plan_json})
        except OSError:
            self.remove(id)
            raise

    def request(self, id: str, hashes: Mapping[str, str]) -> RunRequest:
        """As it was handed in, or RecordUnreadable: on an engine of one account a task could have written to it."""
        files = {name: self._read(id, name) for name in hashes}
        if any(hashlib.sha256(content).hexdigest() != hashes[name] for name, content in files.items()):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        return request_record.from_files(files)

    def remove(self, id: str) -> None:
        remove_tree(self._root / id)

    def with_folder(self) -> Iterator[str]:
        """Ids that have one, also one that was being removed when the portal was killed."""
        with os.scandir(self._root) as entries:
            yield from (entry.name.removeprefix(".gone-") for entry in entries)

    def _plan(self, id: str) -> sweeps.Plan:
        try:
            return sweeps.from_json(json.loads(self._read(id, PLAN)))
        except (ValueError, KeyError, TypeError) as problem:
            raise RecordUnreadable(file=PLAN, problem=problem) from None

    def _read(self, id: str, name: str) -> bytes:
        try:
            return read_beneath(self._root, f"{id}/given/{name}", MOST)
        except (OSError, NotPlain) as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None
