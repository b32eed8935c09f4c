"""The notebooks that a form or a request names without sending them: chosen before, a file of one's own, a run's.

What is in them is asked for again and again while a form is filled in, so what was found is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from drybench.errors import NoNotebookSent
from drybench.model import Person
from drybench.runs.requests import RunRequest
from drybench.web.portal import Portal
from drybench.web.shapes import InspectedJson
from drybench.web.showing import inspected

REMEMBERED = 200  # notebooks


@dataclass(frozen=True)
class Taken:
    notebook: bytes
    name: str
    where_from: Mapping[str, Any] = field(default_factory=dict[str, Any])  # as `RunRequest` calls it


def take(portal: Portal, person: Person, source: str, name: str = "") -> Taken:
    """By `kept:ID`, `path:/x.ipynb`, `run:ID` or `sweep:ID`, if it is theirs."""
    kind, _, id = source.partition(":")
    if kind == "kept":
        return Taken(portal.handed_in.read(person.id, id, name or "The notebook"), name)
    if kind == "path":
        file, content = portal.files.notebook(person, id, portal.settings.runs.notebook_limit)
        return Taken(content, file.name, {"folder": file.parent})
    if kind == "run":
        return _again(portal.runs.request_of(person, id))
    if kind == "sweep":
        return _again(portal.sweeps.request_of(portal.sweeps.get(person, id)))
    raise NoNotebookSent()


def _again(request: RunRequest) -> Taken:
    folder: Path | None = request.folder
    where_from = {"folder": folder, "again_of": request.again_of, "notebook_hash": request.notebook_hash}
    return Taken(request.notebook, request.notebook_name, where_from)


class Inspections:
    """What stood in the notebooks that were looked at last."""

    def __init__(self) -> None:
        self._known = OrderedDict[tuple[str, ...], InspectedJson]()
        self._lock = Lock()

    def of(self, portal: Portal, person: Person, source: str, name: str) -> InspectedJson:
        key = (person.id, source, _mark(source))
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        taken = take(portal, person, source, name)
        found = inspected(portal, taken.notebook, taken.name)
        self.note(person, source, found)
        return found

    def note(self, person: Person, source: str, found: InspectedJson) -> None:
        with self._lock:
            self._known[(person.id, source, _mark(source))] = found
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def _mark(source: str) -> str:
    """A person's own file may change meanwhile; all else stays as it is."""
    if not source.startswith("path:"):
        return ""
    try:
        about = Path(source.removeprefix("path:")).stat()
        return f"{about.st_mtime_ns} {about.st_size} {about.st_ino}"
    except (OSError, ValueError):
        return "gone"
