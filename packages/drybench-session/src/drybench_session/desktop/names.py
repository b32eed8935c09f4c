"""Names of files that cross between a browser and the home: both ends may be hostile to the other.

What a small change makes safe is changed; what would lead out of the folder is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from drybench_session.errors import BadName

PART = ".drybench-"  # how the names of half uploads begin, so nothing else may
LONGEST = 240  # bytes; a file system's limit is 255, and " (12)" must have its place
DEEPEST = 16  # folders in folders
_ENDING = re.compile(r"(?:\.tar)?\.[^.\s]{1,16}$")
_JOINERS = "\u200c\u200d"  # several scripts, and emoji, cannot do without
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, direction, half a character, ends of lines


def safe_path(path: str) -> tuple[str, ...]:
    """The parts of a name such as `plate 3/A1.tif`, each safe; BadName when it is none beneath a folder."""
    parts = path.split("/")
    if len(parts) > DEEPEST or any(part.strip() in ("", ".", "..") for part in parts):
        raise BadName(name=shown(path))
    return tuple(safe_name(part) for part in parts)


def safe_name(name: str) -> str:
    """One that is shown as it is, is no option of a command, and leaves room for a number."""
    name = "".join("_" if _hidden(letter) or letter in "/\\" else letter for letter in name).strip()
    if name.startswith(("-", PART)) or name in ("", ".", ".."):
        name = f"_{name[1:]}"
    stem, ending = split(name)
    return _short(stem, LONGEST - len(ending.encode())) + ending


def numbered(name: str) -> Iterator[str]:
    """The name, then `name (1).tif`, `name (2).tif` and so on."""
    yield name
    stem, ending = split(name)
    yield from (f"{stem} ({number}){ending}" for number in range(1, 1000))


def split(name: str) -> tuple[str, str]:
    ending = _ENDING.search(name, 1)  # .bashrc is all stem
    return (name[: ending.start()], ending.group()) if ending else (name, "")


def shown(name: str) -> str:
    """For a sentence."""
    return _short("".join("_" if _hidden(letter) else letter for letter in name), 80)


def _hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS


def _short(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")
