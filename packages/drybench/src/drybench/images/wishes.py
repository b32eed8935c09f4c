"""What people ask the keeper to install: one small file each, and what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from drybench.errors import NoSuchWish, TooManyWishes, WishWrong
from drybench.model import Person

LONGEST_WHAT, LONGEST_WHY, LONGEST_ANSWER = 100, 1000, 500
MOST_A_DAY = 5  # of one person
MOST = 500  # that are kept of all; the oldest go
LARGEST = 64 << 10

_ID = re.compile(r"[0-9a-f-]{32,36}")
_ODD = re.compile(
    r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True)
class Wish:
    id: str
    person_id: str
    person: str
    what: str
    why: str
    at: datetime
    answer: str = ""
    answered_at: datetime | None = None
    told: tuple[str, ...] = ()  # the keeper's channels that it went to
    tries: int = 0
    next_at: datetime | None = None  # when it is tried again to tell of it; None: not any more


class Wishes:
    def __init__(self, folder: Path, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._folder = folder
        self._now = now
        self._new_id = new_id

    def ask(self, person: Person, what: str, why: str) -> Wish:
        what, why = _plain(what).replace("\n", " "), _plain(why)
        _check("What it is", what, LONGEST_WHAT)
        _check("Why you need it", why, LONGEST_WHY)
        since = self._now() - timedelta(days=1)
        if sum(one.at > since for one in self.of(person)) >= MOST_A_DAY:
            raise TooManyWishes(most=MOST_A_DAY)
        wish = Wish(self._new_id(), person.id, person.name, what, why, self._now(), next_at=self._now())
        self.write(wish)
        for one in self.every()[MOST:]:
            self._file(one.id).unlink(missing_ok=True)
        return wish

    def every(self) -> Sequence[Wish]:
        """The newest first, and those without an answer before the others."""
        return sorted(self._read(), key=lambda one: (one.answered_at is None, one.at, one.id), reverse=True)

    def of(self, person: Person) -> Sequence[Wish]:
        return [one for one in self.every() if one.person_id == person.id]

    def get(self, id: str) -> Wish:
        found = self._one(self._file(id)) if _ID.fullmatch(id) else None
        if found is None:
            raise NoSuchWish()
        return found

    def answer(self, id: str, words: str) -> Wish:
        words = _plain(words)
        if len(words) > LONGEST_ANSWER:
            raise WishWrong(problem=f"An answer has at most {LONGEST_ANSWER} characters")
        wish = replace(self.get(id), answer=words or "Done.", answered_at=self._now(), next_at=None)
        self.write(wish)
        return wish

    def write(self, wish: Wish) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said: dict[str, Any] = {"format": 1, **asdict(wish)}
        beside = self._folder / f".{wish.id}"
        beside.write_text(json.dumps(said, default=datetime.isoformat))
        beside.replace(self._file(wish.id))

    def _read(self) -> Iterator[Wish]:
        with suppress(FileNotFoundError):
            for file in self._folder.iterdir():
                if file.suffix == ".json" and (found := self._one(file)):
                    yield found

    def _one(self, file: Path) -> Wish | None:
        """One that is damaged hides no other."""
        try:
            with file.open("rb") as opened:
                said: dict[str, Any] = json.loads(opened.read(LARGEST))
            said.pop("format")
            said |= {name: _time(said[name]) for name in ("at", "answered_at", "next_at")}
            said["told"] = tuple(said["told"])
            return Wish(**said)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _file(self, id: str) -> Path:
        return self._folder / f"{id}.json"


def _check(what: str, said: str, most: int) -> None:
    if not said:
        raise WishWrong(problem=f"{what} is not said")
    if len(said) > most:
        raise WishWrong(problem=f"{what} is said in {len(said)} characters, and {most} are taken")


def _plain(words: str) -> str:
    """Visible characters, in lines."""
    lines = (" ".join(_ODD.sub(" ", line).split()) for line in words.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines).strip()


def _time(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
