"""One run for each file of a folder that matches a pattern, in the order in which people count."""

from __future__ import annotations

import fnmatch
import os
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from drybench.beneath import folder_beneath
from drybench.errors import NoFilesFound, NoSuchFolder, PatternWrong, SweepTooLarge
from drybench.model import Surroundings
from drybench.people import seen_files

MOST_LOOKED_AT = 200_000  # names in a folder


class _Entry(NamedTuple):
    name: str
    is_file: bool
    is_link: bool


def files_of(folder: Path, pattern: str, most: int, around: Surroundings | None = None) -> list[str]:
    """Whole paths. Regular files only: a link may lead anywhere, and to nowhere, by the time its run starts."""
    if not pattern or "/" in pattern or "\0" in pattern or len(pattern) > 200:
        raise PatternWrong(pattern=pattern[:200])
    names: list[str] = []
    links = 0
    for entry in _entries(folder, around):
        if fnmatch.fnmatchcase(entry.name, pattern) and (pattern[0] == "." or entry.name[0] != "."):
            if entry.is_file:
                names.append(entry.name)
            links += entry.is_link
    if not names:
        raise NoFilesFound(pattern=pattern, folder=str(folder)[:200], links=f"; {links:,} are links" if links else "")
    if len(names) > most:
        raise SweepTooLarge(count=f"{len(names):,}", limit=f"{most:,}")
    return [str(folder / name) for name in sorted(names, key=naturally)]


def naturally(name: str) -> tuple[tuple[int, int, str], ...]:
    """frame2 before frame10."""
    parts = re.split(r"([0-9]+)", name)
    numbered = (
        (0, int(part), part) if part.isdigit() and part.isascii() else (1, 0, part.casefold()) for part in parts
    )
    return (*numbered, (2, 0, name))


def _entries(folder: Path, around: Surroundings | None) -> list[_Entry]:
    """As the portal sees it, or as somebody's tasks do."""
    try:
        if not folder.is_absolute():
            raise NoSuchFolder(path=str(folder)[:200])
        return _in(folder) if around is None else seen_files.look(around, folder, _beneath)
    except (OSError, ValueError):
        raise NoSuchFolder(path=str(folder)[:200]) from None


def _beneath(above: Path, below: str) -> list[_Entry]:
    with folder_beneath(above, below) as opened:
        return _in(opened)


def _in(folder: Path | int) -> list[_Entry]:
    """A name that is no text cannot be a parameter."""
    with os.scandir(folder) as entries:
        return [
            _Entry(entry.name, entry.is_file(follow_symlinks=False), entry.is_symlink())
            for entry in islice(entries, MOST_LOOKED_AT)
            if entry.name.isprintable()
        ]
