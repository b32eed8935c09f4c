"""What stays: a person's home, and their runs seen from it."""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog

from drybench.data_folder import DataFolder
from drybench.model import Account, Mount, Run, Surroundings
from drybench.people.hands import open_to

log = structlog.get_logger("folders")

INSIDE = Path("/drybench/data")  # where a container has what of the data directory is shown in it
LONGEST_NAME = 120  # bytes of it; a file's name ends at 255


def home_of_the_account(chosen: str) -> Path:
    """On the local engine everybody's home is the owner's own."""
    return Path(chosen).expanduser() if chosen else Path.home()


class RunShelf:
    """A folder of links for each person, one for each run, under a name that says something."""

    def __init__(self, data: DataFolder, link_name: str, one_number_for_all: bool = False) -> None:
        self._data = data
        self._link_name = link_name
        self._one_number = one_number_for_all  # in containers

    def add(self, run: Run) -> None:
        with _without_hindering():
            link = self._of(run.person_id) / self.entry(run)
            if not link.is_symlink():
                link.symlink_to(f"../../{self._data.runs.name}/{run.id}")  # in containers they lie elsewhere

    def remove(self, run: Run) -> None:
        with _without_hindering():
            (self._of(run.person_id) / self.entry(run)).unlink(missing_ok=True)

    def entry(self, run: Run) -> str:
        """What its link is called."""
        return f"{run.created_at:%Y-%m-%d} {_plain(run.name)} {run.id[-6:]}"

    def show_in(self, home: Path, person_id: str) -> None:
        """A link in the home; what stands there already is left alone, but for the link of a bench that is gone."""
        self._link(home, self._of(person_id))

    def show(self, around: Surroundings, person_id: str) -> tuple[Mount, ...]:
        """The same for a session with these surroundings, and what it mounts for that, read-only.

        Of the runs' folders it can open those that were lent to its account, and list none.
        """
        home = next((mount for mount in around.mounts if mount.target == around.home), None)
        if home is None or home.source == home.target:
            self.show_in(around.home, person_id)
        if home is None or self._data.path.is_relative_to(home.source) or not self._may_show(around.account):
            return ()
        there = self._data.path if home.source == home.target else INSIDE
        if there == INSIDE:
            self._link(home.source, INSIDE / "shelves" / person_id)
        return tuple(self._mounts(person_id, there, around.account))

    def _may_show(self, account: Account | None) -> bool:
        """To itself; as root to anybody, but where all have one number nobody could be told from the others."""
        own = account is None or account.uid == os.geteuid()
        return bool(self._link_name) and (own or (os.geteuid() == 0 and not self._one_number))

    def _mounts(self, person_id: str, there: Path, account: Account | None) -> Generator[Mount]:
        shelf = self._of(person_id)
        if account is not None and account.uid != os.geteuid():
            open_to(shelf, account)
            self._data.runs.chmod(0o711)
        for folder in (shelf, self._data.runs):
            yield Mount(folder, there / folder.relative_to(self._data.path), read_only=True)

    def _link(self, home: Path, shelf: Path) -> None:
        link = home / self._link_name
        with _without_hindering():
            if self._link_name and not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(shelf)

    def _of(self, person_id: str) -> Path:
        shelf = self._data.path / "shelves" / person_id
        shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shelf


@contextmanager
def _without_hindering() -> Generator[None]:
    """A shelf is a convenience: no work waits for a full disk or for a home that nobody may write to."""
    try:
        yield
    except OSError as problem:
        log.warning("a link to a run could not be made", why=str(problem))


def _plain(name: str) -> str:
    plain = re.sub(r"[^\w .()-]+", "_", name).strip(". ").encode()[:LONGEST_NAME].decode(errors="ignore")
    return plain or "run"
