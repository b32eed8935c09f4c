"""The page around a screen, and the files that it is made of, which a browser asks for once.

Modules that import modules would be asked for one after the other, each a whole way to the session and back. So the
page names at once all that the picture needs, at an address that changes when one of them does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

FILES = Path(__file__).parent.parent / "screen"
FIRST = ("frame.js", "worker.js")  # what draws the picture; the tools come when it is there
_IMPORT = re.compile(rb'^(?:import|export)\b[^;]*?"\./([\w-]+\.js)";', re.MULTILINE)


def render(base: str, **said: str) -> str:
    pages = Environment(loader=FileSystemLoader(FILES), autoescape=True)
    files = f"{base}drybench/{address()}"
    return pages.get_template("frame.html").render(base=base, files=files, modules=modules(), **said)


def address() -> str:
    """Where the files are, as they are now: below BASE_URL/drybench/."""
    return f"screen/{_version()}/"


@cache
def _version() -> str:
    """Of all the files together."""
    content = hashlib.sha256()
    for file in sorted(FILES.iterdir()):
        content.update(b"%s\0%d\0" % (file.name.encode(), file.stat().st_size) + file.read_bytes())
    return content.hexdigest()[:16]


@cache
def modules() -> tuple[str, ...]:
    """Those that the first ones import, and those import in turn; the worker's last, for the others start it."""
    return tuple(dict.fromkeys(name for first in FIRST for name in _with_imported(first)))


def _with_imported(first: str) -> list[str]:
    found = [first]
    for name in found:  # it grows on the way
        found += [other for other in dict.fromkeys(_imported(name)) if other not in found]
    return found


def _imported(name: str) -> Iterator[str]:
    return (found.decode() for found in _IMPORT.findall((FILES / name).read_bytes()))
