"""The time zone of this machine, by its name: a container has another /etc, and would show UTC."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
FOLDER = re.compile(r".*/zoneinfo/(?:posix/|right/)?")


def here(etc: Path = Path("/etc")) -> str | None:
    return name(os.environ.get("TZ", ""), os.path.realpath(etc / "localtime"), _text(etc / "timezone"))


def name(variable: str, localtime: str, timezone: str) -> str | None:
    """By what TZ says, where /etc/localtime leads, and what Debian writes beside it; None: nothing names it.

    The link comes before the file, which is not always written anew. A rule (`CET-1CEST`) is as good as a name.
    """
    said, leads, written = variable.removeprefix(":").strip(), FOLDER.sub("", localtime), timezone.strip()
    if said and not said.startswith("/"):
        return said
    return next((one for one in (FOLDER.sub("", said), leads, written) if NAME.fullmatch(one)), None)


def _text(file: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text()
    return ""
