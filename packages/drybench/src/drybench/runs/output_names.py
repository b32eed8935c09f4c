"""How the name of a file that a task made is shown, and which file is meant by what was shown.

On disk a name is any bytes. Shown, it is text without control characters: what is not UTF-8
or cannot be seen becomes \\xNN, so that no name can play tricks on a page or a terminal.
"""

from __future__ import annotations

import os
import re
import unicodedata

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def shown(name: bytes) -> str:
    return "".join(letter if _visible(letter) else _escaped(letter) for letter in os.fsdecode(name))


def meant(name: str) -> list[bytes]:
    """The file of exactly that name comes first, then the one that is shown so."""
    exact = name.encode(errors="backslashreplace")
    return [exact, _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), exact)]


def _visible(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))
