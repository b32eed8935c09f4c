"""What a container leaves: whether somebody may want it, and for how long it is kept. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

PASSING = ("/tmp", "/run", "/var/run", "/dev", "/proc", "/sys", "/drybench", "/etc/passwd", "/etc/group")
OF_DOCKER = (
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/mtab",
    "/.dockerenv",
    "/sbin/docker-init",
    "/usr/sbin/docker-init",
)
GENERATED = ("__pycache__", ".cache")


def left_behind(changes: Sequence[Mapping[str, Any]] | None, targets: Collection[str], workdir: str = "/") -> list[str]:
    """The files in the container itself that are not of its image; what lies in mounts is safe anyway.

    A folder counts by what changed in it: it changes also where only a mount was put into it. The one to work in
    is made by Docker where the image has none.
    """
    paths = [PurePosixPath(str(change["Path"])) for change in changes or () if change.get("Kind") in (0, 1)]
    folders = {parent for path in paths for parent in path.parents}
    away = [PurePosixPath(place) for place in (*PASSING, *OF_DOCKER, *targets)]
    left = {path for path in paths if path not in folders and not _passes(path, away)}
    return sorted(str(path) for path in left - {PurePosixPath(workdir)})


def is_over(state: Mapping[str, Any], keep: float, now: datetime) -> bool:
    ended = moment(state.get("FinishedAt"))
    return ended is None or (now - ended).total_seconds() > keep


def moment(text: object) -> datetime | None:
    """In UTC by Docker, in the machine's own zone by Podman."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):  # before it began it is in the year 1
        return None


def _passes(path: PurePosixPath, away: Sequence[PurePosixPath]) -> bool:
    if any(part in GENERATED for part in path.parts):
        return True
    return any(path.is_relative_to(place) or place.is_relative_to(path) for place in away)
