"""What was handed in for a sweep, kept once: `sweeps/ID/given/` with the notebook, the request and the plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from drybench.beneath import NotPlain, read_beneath
from drybench.errors import RecordUnreadable
from drybench.runs import sweeps
from drybench.runs.removing import remove_tree
from drybench.runs.run_folder import write_given

MOST = 1 << 29  # ours: what was handed in was bounded by the settings
REQUEST, PLAN, NOTEBOOK, REQUIREMENTS = "sweep.json", "plan.json", "notebook.ipynb", "requirements.txt"


@dataclass(frozen=True)
class Given:
    """All that the runs of a sweep are made from."""

    request: Mapping[str, Any]
    plan: sweeps.Plan
    notebook: bytes
    requirements: str


class SweepFolders:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.plan = lru_cache(maxsize=16)(self._plan)  # it never changes, and a page asks for it each second

    def make(self, id: str, given: Given) -> None:
        """Whole, or nothing of it is left."""
        files = {
            PLAN: json.dumps(sweeps.as_json(given.plan)).encode(),
            NOTEBOOK: given.notebook,
            REQUIREMENTS: given.requirements.encode(),
        }
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        request = json.dumps({**given.request, "hashes": hashes}, indent=1).encode()
        try:
            write_given(self._root / id, {REQUEST: request, **files})
        except OSError:
            self.remove(id)
            raise

    def given(self, id: str) -> Given:
        """As it was handed in, or RecordUnreadable: a task of this account could have written to it."""
        request: dict[str, Any] = json.loads(self._read(id, REQUEST))
        hashes: Mapping[str, str] = request.pop("hashes")
        files = {name: self._read(id, name) for name in hashes}
        if any(hashlib.sha256(content).hexdigest() != hashes[name] for name, content in files.items()):
            raise RecordUnreadable(file="given/", problem="it is not what was handed in")
        return Given(request, _plan_of(files[PLAN]), files[NOTEBOOK], files[REQUIREMENTS].decode())

    def remove(self, id: str) -> None:
        remove_tree(self._root / id)

    def _plan(self, id: str) -> sweeps.Plan:
        return _plan_of(self._read(id, PLAN))

    def _read(self, id: str, name: str) -> bytes:
        try:
            return read_beneath(self._root, f"{id}/given/{name}", MOST)
        except (OSError, NotPlain) as problem:
            raise RecordUnreadable(file=name, problem=problem.strerror) from None


def _plan_of(content: bytes) -> sweeps.Plan:
    try:
        return sweeps.from_json(json.loads(content))
    except (ValueError, KeyError, TypeError) as problem:
        raise RecordUnreadable(file=PLAN, problem=problem) from None
