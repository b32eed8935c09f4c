"""The `.desktop` files in an environment's folder: programs for its menu and its desktops. Read before an image is made
of them, for a desktop says nothing of one that it does not understand: it only does not show it.

As freedesktop.org's Desktop Entry Specification has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LARGEST = 64 << 10  # bytes
GROUP = "[Desktop Entry]"
NEEDS = {"Application": "Exec", "Link": "URL"}
YES_OR_NO = frozenset({"Terminal", "NoDisplay", "Hidden", "StartupNotify", "DBusActivatable"})
_LINE = re.compile(r"([A-Za-z0-9-]+(?:\[[\w.@-]+\])?)\s*=\s*(.*)")
_CODE = re.compile(r"%(.?)")
_CODES = "fFuUickdDnNvm%"


@dataclass
class Unfit(Exception):
    file: Path
    line: int
    problem: str


def in_folder(folder: Path) -> Sequence[Path]:
    """In one order on every machine."""
    return sorted(file for file in folder.glob("*.desktop") if file.is_file() and not file.is_symlink())


def check(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Unfit(file, 1, f"it cannot be read ({error})") from None
    if len(content) > LARGEST:
        raise Unfit(file, 1, f"it is larger than {LARGEST >> 10} KiB")
    for line, problem in _problems(text):
        raise Unfit(file, line, problem)


def _problems(text: str) -> Iterator[tuple[int, str]]:
    """The first one counts."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines or lines[0][1] != GROUP:
        yield (lines[0][0] if lines else 1, f"it does not begin with {GROUP}")
    said: dict[str, tuple[int, str]] = {}
    for number, line in lines[1:]:
        if line.startswith("["):  # what follows is of no concern to who shows it
            break
        found = _LINE.fullmatch(line)
        if found is None:
            yield number, f"“{line[:60]}” is no `Key=Value`"
        elif found[1] in said:
            yield number, f"`{found[1]}` is said twice"
        else:
            said[found[1]] = number, found[2]
            yield from ((number, problem) for problem in _problem_of(found[1], found[2]))
    yield from ((1, f"`{key}` is missing") for key in _missing(said))


def _problem_of(key: str, value: str) -> Iterator[str]:
    if key == "Type" and value not in NEEDS:
        yield f"`Type` is Application or Link, not “{value[:60]}”"
    if key in YES_OR_NO and value not in ("true", "false"):
        yield f"`{key}` is true or false"
    if key == "Exec":
        if wrong := [code for code in _CODE.findall(value) if not code or code not in _CODES]:
            yield f"`Exec` has %{wrong[0]}, which means nothing (for a % write %%)"
        if len(re.findall(r'(?<!\\)"', value)) % 2:
            yield "`Exec` has a quotation mark that is never closed"


def _missing(said: dict[str, tuple[int, str]]) -> Iterator[str]:
    kind = said.get("Type", (1, ""))[1]
    for key in ("Type", "Name", *([NEEDS[kind]] if kind in NEEDS else [])):
        if not said.get(key, (1, ""))[1]:
            yield key
