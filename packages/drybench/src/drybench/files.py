"""The person's own files on this machine, to choose from: a list of one folder, and a notebook by its path.

Read only. What is shown is what a run of that person could read anyway: where tasks have the portal's own account as
the portal sees it, in containers as their tasks see it and with their rights. Beneath the folders that are shown no
link is followed: on the portal's account one that leads to another of them is offered under its real path, all others
are named and lead nowhere. The bench's own data are never shown.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

from drybench.asking import Desk
from drybench.beneath import NotPlain, folder_beneath, read_beneath
from drybench.errors import DrybenchError, FolderNotShown, NoFilesHere, NoSuchFolder, NotebookUnreadable, OneAccount
from drybench.model import Environment, Person, Surroundings
from drybench.people import permissions, seen_files
from drybench.people.mounting import outside

PAGE = 500
MOST = 20_000  # names that are looked at in one folder
Kind = Literal["folder", "file", "link", "other"]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Look:
    """What somebody wants to see."""

    folder: str = ""  # empty: the home
    pattern: str = ""  # of files; folders are there to be gone into
    search: str = ""  # a part of any name
    folders_only: bool = False
    hidden: bool = False
    beside: str = ""  # a notebook, whose folder is shown too
    since: int = 0
    engine: str = ""  # as tasks there see it; empty: the first that shows any


@dataclass(frozen=True)
class Place:
    name: str
    path: str


@dataclass(frozen=True)
class Entry:
    name: str
    kind: Kind
    path: str | None  # to choose it by, where it can be chosen
    size: int | None = None
    modified: float | None = None


@dataclass(frozen=True)
class Listing:
    folder: str
    places: Sequence[Place]  # where one can begin
    way: Sequence[Place]  # from one of them to here
    entries: Sequence[Entry]
    next: int | None  # since where there is more
    cut: bool  # the folder has more names than are looked at


def seen_by(desk: Desk, person: Person, environment: Environment) -> Surroundings | None:
    """How a run of theirs there sees this machine's files; None: as the portal does, whose account it has."""
    engine = desk.engines.get(environment.engine)
    if engine is not None and engine.can.one_account:
        permissions.may_share_an_account(person, desk.ledger.people(), desk.people_trust_each_other)
        return None
    return desk.around(person, environment)


class OwnFiles:
    """Synchronous; handlers call it in a thread. Raises errors.* with a sentence."""

    def __init__(self, desk: Desk, shown: Sequence[str], data: Path) -> None:
        self._desk = desk
        self._home = desk.home
        self._shown = [Path(path) for path in shown]
        self._data = os.path.realpath(data)

    def are_shown(self, person: Person) -> bool:
        """To those whose account it is, and to nobody else."""
        try:
            self._around(person)
        except DrybenchError:
            return False
        return True

    def list(self, person: Person, look: Look) -> Listing:
        around = self._around(person, look.engine)
        if around is not None:
            return self._list_as_seen(around, look)
        places = self._places(look.beside)
        folder = self._whole(look.folder)
        root = _root_of(folder, places)
        if root is None or self._is_ours(folder):
            raise _not_shown(folder, places)
        with _refusals(folder, places), folder_beneath(Path(root.path), _below(root, folder)) as opened:
            return self._listing(opened, folder, root, places, look)

    def notebook(self, person: Person, path: str, most: int, engine: str = "") -> tuple[Path, bytes]:
        """Where it lies, as its runs see it, and what is in it. Nothing but a regular file is opened."""
        around = self._around(person, engine)
        file = self._whole(path, around and around.home)
        try:
            if around is not None:
                return file, self._seen(around, file, lambda folder, below: read_beneath(folder, below, most))
            real = Path(os.path.realpath(file))
            if self._is_ours(real):
                raise NotebookUnreadable(path=path[:200], why="it lies among the bench's own files")
            return file, read_beneath(real.parent, real.name, most)
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or "it is no path"
            raise NotebookUnreadable(path=path[:200], why=_small(why)) from None

    def look(self, person: Person, folder: str, work: Callable[[Path], Found], engine: str = "") -> Found:
        """`work` is called with this folder as it can be opened here and now, with the person's rights.

        Links in it are `work`'s to refuse.
        """
        around = self._around(person, engine)
        path = self._whole(folder, around and around.home)
        places = self._places("") if around is None else _places_of(around)
        root = _root_of(path, places)
        if root is None or (around is None and self._is_ours(path)):
            raise _not_shown(path, places)

        def there(above: Path, below: str) -> Found:
            with folder_beneath(above, below) as opened:
                return work(Path(f"/proc/self/fd/{opened}"))

        with _refusals(path, places):
            return (
                there(Path(root.path), _below(root, path)) if around is None else seen_files.look(around, path, there)
            )

    def _around(self, person: Person, engine: str = "") -> Surroundings | None:
        """What their tasks see; None: what the portal itself sees."""
        can = [one.can for name, one in self._desk.engines.items() if engine in ("", name)]
        surroundings = self._desk.surroundings
        mounting = next((one for one in can if one.mounts and one.shares_files and not one.one_account), None)
        if any(one.one_account for one in can):
            try:
                permissions.may_share_an_account(person, self._desk.ledger.people(), self._desk.people_trust_each_other)
                return None
            except OneAccount:
                if mounting is None:
                    raise
        if mounting is None or surroundings is None:
            raise NoFilesHere()
        around = surroundings(person, mounting)
        seen_files.check(around)
        return around

    def _list_as_seen(self, around: Surroundings, look: Look) -> Listing:
        places, folder = _places_of(around), self._whole(look.folder, around.home)
        root = _root_of(folder, places)
        if root is None:
            raise _not_shown(folder, places)

        def listed(above: Path, below: str) -> Listing:
            with folder_beneath(above, below) as opened:
                return self._listing(opened, folder, root, places, look, seen=True)

        with _refusals(folder, places):
            return self._seen(around, folder, listed)

    def _seen(self, around: Surroundings, path: Path, work: Callable[[Path, str], Found]) -> Found:
        """A real home may well hold the data directory; those that the bench keeps lie in it themselves."""
        there = outside(path, around.mounts)
        lies_in_a_home = any(
            self._is_ours(mount.source) for mount in around.mounts if path.is_relative_to(mount.target)
        )
        if there is not None and self._is_ours(there) and not lies_in_a_home:
            raise NotPlain(errno.EPERM, "it lies among the bench's own files")
        return seen_files.look(around, path, work)

    def _whole(self, path: str, home: Path | None = None) -> Path:
        """A path may begin in the home (`~/`); a step up is refused where it is resolved."""
        typed = path.strip() if path.strip() != "~" else ""
        return (home or self._home) / (typed.removeprefix("~/") if typed.startswith("~/") else typed)

    def _places(self, beside: str) -> list[Place]:
        places = [Place("Home", str(self._home)), *(Place(str(path), str(path)) for path in self._shown)]
        notebook = self._whole(beside) if beside else None
        if notebook and notebook.suffix == ".ipynb" and ".." not in notebook.parts and _is_file(notebook):
            places.append(Place("Beside the notebook", str(notebook.parent)))
        return places

    def _is_ours(self, path: Path) -> bool:
        real = os.path.realpath(path)
        return real == self._data or real.startswith(self._data + os.sep)

    def _listing(
        self, opened: int, folder: Path, root: Place, places: list[Place], look: Look, seen: bool = False
    ) -> Listing:
        with os.scandir(opened) as scanned:
            there = list(islice(scanned, MOST + 1))
        names = sorted(
            _wanted(there[:MOST], look), key=lambda one: (not one.is_dir(follow_symlinks=False), _order(one))
        )
        here = names[look.since : look.since + PAGE]
        more = look.since + PAGE < len(names)
        return Listing(
            folder=str(folder),
            places=places,
            way=_way(root, folder),
            entries=[self._entry(opened, folder, one, [] if seen else places) for one in here],
            next=look.since + PAGE if more else None,
            cut=len(there) > MOST,
        )

    def _entry(self, opened: int, folder: Path, found: os.DirEntry[str], places: list[Place]) -> Entry:
        name = _plain(found.name)
        try:
            about = os.stat(found.name, dir_fd=opened, follow_symlinks=False)
        except OSError:  # gone meanwhile
            return Entry(name, "other", None)
        if stat.S_ISLNK(about.st_mode):
            return self._link(name, folder / found.name, places)
        kind = _kind(about.st_mode)
        path = str(folder / found.name) if name == found.name and kind in ("file", "folder") else None
        return Entry(name, kind, path, about.st_size if kind == "file" else None, about.st_mtime)

    def _link(self, name: str, link: Path, places: list[Place]) -> Entry:
        """Whoever chooses it gets what it leads to, if that is shown at all. In a container it may lead elsewhere."""
        if not places:
            return Entry(name, "link", None)
        try:
            real = Path(os.path.realpath(link))
            about = real.stat()
        except (OSError, ValueError):
            return Entry(name, "link", None)
        inside = any(real.is_relative_to(os.path.realpath(place.path)) for place in places)
        kind = _kind(about.st_mode)
        if not inside or self._is_ours(real) or _plain(str(real)) != str(real) or kind == "other":
            return Entry(name, "link", None)
        return Entry(name, kind, str(real), about.st_size if kind == "file" else None, about.st_mtime)


@contextmanager
def _refusals(folder: Path, places: Iterable[Place]) -> Generator[None]:
    try:
        yield
    except NotPlain:  # a link, or another file system
        raise _not_shown(folder, places) from None
    except OSError:
        raise NoSuchFolder(path=str(folder)[:200]) from None


def _places_of(around: Surroundings) -> list[Place]:
    homes = [Place("Home", str(mount.target)) for mount in around.mounts if mount.target == around.home]
    return homes + [
        Place(str(mount.target), str(mount.target)) for mount in around.mounts if mount.target != around.home
    ]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long, or beneath what may not be opened
        return False


def _not_shown(folder: Path, places: Iterable[Place]) -> FolderNotShown:
    return FolderNotShown(path=str(folder)[:200], there=", ".join(place.path for place in places))


def _root_of(folder: Path, places: Iterable[Place]) -> Place | None:
    """The nearest one that it lies in, as it is written."""
    if ".." in folder.parts or "\0" in str(folder):
        return None
    inside = [place for place in places if folder.is_relative_to(place.path)]
    return max(inside, key=lambda place: len(place.path), default=None)


def _below(root: Place, folder: Path) -> str:
    below = str(folder.relative_to(root.path))
    return "" if below == "." else below


def _way(root: Place, folder: Path) -> list[Place]:
    steps, here = [root], Path(root.path)
    for part in folder.relative_to(root.path).parts:
        here = here / part
        steps.append(Place(part, str(here)))
    return steps


def _wanted(seen: Iterable[os.DirEntry[str]], look: Look) -> Iterator[os.DirEntry[str]]:
    search = look.search.strip().casefold()
    for one in seen:
        if (one.name.startswith(".") and not look.hidden) or search not in one.name.casefold():
            continue
        goes_on = one.is_dir(follow_symlinks=False) or one.is_symlink()
        if goes_on or not (look.folders_only or (look.pattern and not fnmatch(one.name, look.pattern))):
            yield one


def _order(found: os.DirEntry[str]) -> tuple[str, str]:
    return found.name.casefold(), found.name


def _kind(mode: int) -> Kind:
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def _plain(name: str) -> str:
    """As it can be shown; one that had to be changed for that is not to be chosen."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]
