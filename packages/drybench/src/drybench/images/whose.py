"""Whose an environment is that somebody brought: a note beside its folder, which is no part of what it is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drybench.environment_files import FILE, NAME
from drybench.model import Person

LARGEST = 64 << 10
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Brought:
    name: str
    person_id: str
    person: str
    everybody: bool
    source: str  # in words
    commit: str
    at: datetime
    gone: bool = False  # removed: its name stays theirs, for builds and images of that name are left


class Whose:
    def __init__(self, folder: Path, keeper: Callable[[], str], others: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._others = others  # with the bench's own environments, which come first
        self.keeper = keeper  # by name: who that is may show only when the first one has signed in

    def keeps(self, person: Person) -> bool:
        """Whether this is the keeper of the bench."""
        return person.name == self.keeper()

    def may_see(self, person: Person, name: str) -> bool:
        """And may use it."""
        found = self.brought(name)
        return found is None or found.everybody or found.person_id == person.id or self.keeps(person)

    def brought(self, name: str) -> Brought | None:
        """None: it came with Drybench, or is the keeper's own."""
        if not NAME.fullmatch(name) or any((folder / name / FILE).exists() for folder in self._others):
            return None
        return self._read(self.note(name))

    def all(self) -> Iterator[Brought]:
        """But for what is gone."""
        for file in sorted(self._folder.glob("*.json")):
            if (found := self._read(file)) and not found.gone:
                yield found

    def note(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def write(self, found: Brought) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._folder / f".{found.name}"
        beside.write_text(json.dumps({"format": 1, **asdict(found), "at": found.at.isoformat()}))
        beside.replace(self.note(found.name))

    def _read(self, file: Path) -> Brought | None:
        """Of one that cannot be read nobody knows whose it is: it is the keeper's."""
        try:
            with file.open("rb") as opened:
                said: dict[str, Any] = json.loads(opened.read(LARGEST))
            said.pop("format")
            said["at"] = datetime.fromisoformat(said["at"])
            return Brought(**said)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            return Brought(file.stem, "", "", False, "its record cannot be read", "", NEVER)
