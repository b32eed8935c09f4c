"""What a ready container is shown with its work: folders that nobody knew of when it started.

Its slot is in it from the start, empty. For the one claim they are mounted below it, and then it is sealed: on the
host nothing of them is mounted any more, and nothing else can ever appear in that container.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from struct import Struct

from drybench.engines import host_mounts
from drybench.engines.local_folder import TaskFolder
from drybench.model import Mount

SLOT = "slot"
ANSWERS_WITHIN = 3.0
CREDENTIALS = Struct("3i")


def work(tasks: Path, url: str) -> bool:
    """Only root can, and only where Docker sees what is mounted here."""
    served_by = _served_by(url)
    return (served_by is None or host_mounts.same_as(served_by)) and host_mounts.work(tasks)


def of(folder: TaskFolder) -> Path:
    return folder.path / SLOT


def fill(folder: TaskFolder, inside: Path | None, mounts: Sequence[Mount], process: int) -> bool:
    """Whether the container of that process has all of these, as they are to be, and will have no others.

    It is asked again after a kill at any moment; what was shown is looked for where it is to be seen: inside,
    where it has its slot.
    """
    slot = of(folder)
    if inside is None or not all(mount.target.is_relative_to(inside) for mount in mounts):
        return False
    places = {mount: slot / mount.target.relative_to(inside) for mount in mounts}
    if host_mounts.is_slot(slot) and not _strangers(slot, places.values()):
        for mount in _missing(mounts, process):
            place = places[mount]
            _make(slot, place)
            host_mounts.show(Mount(mount.source, place, mount.read_only))
        host_mounts.seal(slot)
    return not any(_missing(mounts, process))


def remove(folder: TaskFolder) -> None:
    """What is mounted below a folder must not be removed with it."""
    host_mounts.clear(of(folder))
    folder.remove()


def _make(slot: Path, place: Path) -> None:
    """What is there already may lie in what was shown, and stays as it is."""
    for folder in reversed((place, *place.parents)):
        if folder.is_relative_to(slot) and not folder.exists():
            host_mounts.make_open(folder)


def _strangers(slot: Path, places: Iterable[Path]) -> bool:
    """Something was shown there for other work. What is mounted in what is shown comes with it."""
    real = slot.resolve()
    known = [real / place.relative_to(slot) for place in places]
    return any(
        found != real and not any(found.is_relative_to(place) for place in known) for found in host_mounts.below(slot)
    )


def _missing(mounts: Sequence[Mount], process: int) -> Iterator[Mount]:
    """What lies in another comes after it."""
    for mount in sorted(mounts, key=lambda one: len(one.target.parts)):
        if not _appears(mount, Path(f"/proc/{process}/root")):
            yield mount


def _appears(mount: Mount, root: Path) -> bool:
    inside = root / mount.target.relative_to("/")
    try:
        read_only = bool(os.statvfs(inside).f_flag & os.ST_RDONLY)
        return inside.samefile(mount.source) and read_only == mount.read_only
    except OSError:
        return False


def _served_by(url: str) -> int | None:
    """The process that opened Docker's socket; None where it cannot be asked now."""
    if not url.startswith("unix://"):
        return 0
    try:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(ANSWERS_WITHIN)
            caller.connect(url.removeprefix("unix://"))
            return CREDENTIALS.unpack(caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))[0]
    except OSError:
        return None
