"""What stays: a person's home, and their runs seen from it."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog

from drybench.data_folder import DataFolder
from drybench.model import Run

log = structlog.get_logger("folders")

LONGEST_NAME = 120  # bytes of it; a file's name ends at 255


def home_of_the_account(chosen: str) -> Path:
    """On the local engine everybody's home is the owner's own."""
    return Path(chosen).expanduser() if chosen else Path.home()


class RunShelf:
    """A folder of links for each person, one for each run, under a name that says something."""

    def __init__(self, data: DataFolder, link_name: str) -> None:
        self._data = data
        self._link_name = link_name

    def add(self, run: Run) -> None:
        with _without_hindering():
            link = self._of(run.person_id) / self.entry(run)
            if not link.is_symlink():
                link.symlink_to(self._data.runs / run.id)

    def remove(self, run: Run) -> None:
        with _without_hindering():
            (self._of(run.person_id) / self.entry(run)).unlink(missing_ok=True)

    def entry(self, run: Run) -> str:
        """What its link is called."""
        return f"{run.created_at:%Y-%m-%d} {_plain(run.name)} {run.id[-6:]}"

    def show_in(self, home: Path, person_id: str) -> None:
        """A link in the home; what stands there already is left alone, but for the link of a bench that is gone."""
        link = home / self._link_name
        with _without_hindering():
            if self._link_name and not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(self._of(person_id))

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
