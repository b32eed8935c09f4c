"""Names and paths of folders in containers. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from drybench.model import Mount

PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
LONGEST = 40  # letters of a name that is not plain


def safe_name(name: str) -> str:
    """A folder's name for a person's: never two for one, nor one for two; what is plain stays as it is."""
    if PLAIN.fullmatch(name):
        return name
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:LONGEST].strip("._-") or "person"
    return f"{readable}~{sha256(name.encode(errors='surrogatepass')).hexdigest()[:24]}"


def filled(pattern: str, name: str) -> Path:
    return Path(pattern.replace("{name}", name))


def inside(path: Path, mounts: Sequence[Mount]) -> Path | None:
    """Where a task finds what lies there on the host; None: it does not see it."""
    for mount in sorted(mounts, key=lambda one: (-len(one.source.parts), one.read_only)):
        if ".." not in path.parts and path.is_relative_to(mount.source):
            there = mount.target / path.relative_to(mount.source)
            if outside(there, mounts) == path:  # and no other folder lies over it
                return there
    return None


def outside(path: Path, mounts: Sequence[Mount]) -> Path | None:
    """Where on the host lies what a task finds there; None: in its container only."""
    over = [mount for mount in mounts if ".." not in path.parts and path.is_relative_to(mount.target)]
    if not over:
        return None
    nearest = max(over, key=lambda mount: len(mount.target.parts))
    return nearest.source / path.relative_to(nearest.target)


def overlapping(mounts: Sequence[Mount]) -> Mount | None:
    """The first that would lie in another, or over one."""
    for place, mount in enumerate(mounts):
        for other in mounts[:place]:
            if mount.target.is_relative_to(other.target) or other.target.is_relative_to(mount.target):
                return mount
    return None
