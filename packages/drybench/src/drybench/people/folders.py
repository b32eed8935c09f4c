"""Who a person's tasks are in containers and what they see: their home, shared folders, the keeper's other folders.

What is missing is made when it is first needed, with the right owner from then on: no start of a task changes owners.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from drybench import settings_folders
from drybench.data_folder import DataFolder
from drybench.engines.base import Capabilities
from drybench.errors import FolderNotGiven, FolderNotMade
from drybench.model import Account, Mount, Person, Surroundings
from drybench.people.accounts import Accounts
from drybench.people.hands import Hands
from drybench.people.mounting import filled, overlapping, safe_name
from drybench.pool import NOBODY
from drybench.settings_folders import EVERYBODY, LEAST_UID, NAME, HostFolder, SharedFolder, lies_in, touches

PRIVATE, TOGETHER = 0o700, 0o2770
MOST_STEPS = 400  # on the way to a folder, through links
ALL = "*"  # the group of everybody; no group of a Hub is called that
DEFAULT_ACL = "system.posix_acl_default"
ALL_FOR_THE_GROUP = struct.pack("<I", 2) + b"".join(  # user and group: rwx, others: nothing
    struct.pack("<HHI", tag, rights, 0xFFFFFFFF) for tag, rights in ((0x01, 7), (0x04, 7), (0x20, 0))
)


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int
    mode: int


class PersonFolders:
    """Synchronous; raises errors.FolderNotMade, FolderNotGiven and NoAccount with a sentence."""

    def __init__(
        self, data: DataFolder, said: settings_folders.Folders, accounts: Accounts, hands: Hands, own_home: Path
    ) -> None:
        self._data = data
        self._said = said
        self._accounts = accounts
        self._hands = hands
        self._own_home = own_home

    def surroundings(self, person: Person, can: Capabilities) -> Surroundings:
        if can.one_account:
            return Surroundings(self._own_home)
        person = self._accounts.with_groups(person)
        account = self._accounts.of(person)
        home = self._home(person, account)
        if not can.mounts:
            return Surroundings(home.target, account)
        return self._around(home.target, account, [home], self._seen(person, account))

    def of_anybody(self) -> Surroundings:
        """What everybody sees; its home is the folder in which homes appear. Only where all have one account."""
        account = self._accounts.of(NOBODY)
        seen = (one for one in self._seen(NOBODY, account) if NAME not in one[0].source + one[0].target)
        return self._around(Path(self._said.home_inside).parent, account, [], seen)

    def _around(
        self, home: Path, account: Account, given: list[Mount], seen: Iterable[tuple[HostFolder, Mount]]
    ) -> Surroundings:
        groups = set(account.groups)
        for entry, mount in seen:
            about = self._ready(entry, mount, account)
            if about is None:
                continue
            if (entry.create or isinstance(entry, SharedFolder)) and about.st_gid >= LEAST_UID:
                groups.add(about.st_gid)
            given.append(mount)
        if lost := overlapping(given):
            raise _not_given(lost, "it would lie in another, or over one")
        return Surroundings(home, replace(account, groups=tuple(sorted(groups - {account.gid}))), tuple(given))

    def _home(self, person: Person, account: Account) -> Mount:
        """The real one is seen under its own path, for scripts that name it."""
        if not self._said.homes and self._accounts.are_one(account) and self._own_home.is_dir():
            return Mount(self._own_home, self._own_home)
        name = safe_name(person.name)
        own = f"{name}~{safe_name(person.id)}" if self._accounts.has_namesake(person, account) else name
        pattern = self._said.homes or f"{self._data.homes}/{NAME}"
        home = Mount(filled(pattern, own), filled(self._said.home_inside, name))
        _check_way(home, account)
        _make(home.source, Owner(account.uid, account.gid, PRIVATE), self._hands)
        self._looked_at(home, account, self._data.homes)
        return home

    def _seen(self, person: Person, account: Account) -> Iterator[tuple[HostFolder, Mount]]:
        name = safe_name(person.name)
        for entry in (*self._said.shared, *self._said.mounts):
            kind, _, whose = entry.whom.partition(":")
            if (
                kind == EVERYBODY
                or (kind == "person" and whose == person.name)
                or (kind == "group" and self._accounts.is_member(person, account, whose))
            ):
                yield entry, Mount(filled(entry.source, name), filled(entry.target, name), entry.read_only)

    def _ready(self, entry: HostFolder, mount: Mount, account: Account) -> os.stat_result | None:
        """None: this person has none."""
        _check_way(mount, account)
        if entry.create:
            _make(mount.source, self._owner(entry, account), self._hands)
        elif NAME in entry.source and not mount.source.exists():
            return None
        return self._looked_at(mount, account)

    def _owner(self, entry: HostFolder, account: Account) -> Owner:
        """Of a shared folder its group, by whatever number it has; the rest of it stays the bench's."""
        kind, _, name = entry.whom.partition(":")
        if kind == "person" or NAME in entry.source:
            return Owner(account.uid, account.gid, PRIVATE)
        return Owner(os.geteuid(), self._accounts.group(name if kind == "group" else ALL), TOGETHER)

    def _looked_at(self, mount: Mount, account: Account, allowed: Path | None = None) -> os.stat_result:
        """As it is now: whoever may rename what lies above a folder decides what is mounted."""
        _check_way(mount, account)
        try:
            real = mount.source.resolve(strict=True)
            about = real.stat()
        except (OSError, RuntimeError) as problem:
            raise _not_given(mount, getattr(problem, "strerror", None) or "it cannot be looked at") from None
        if not stat.S_ISDIR(about.st_mode):
            raise _not_given(mount, "it is no folder")
        if touches(real, self._data.path) and not (allowed and lies_in(real, allowed)):
            raise _not_given(mount, "it would show the bench's own data")
        return about


def _not_given(mount: Mount, why: str) -> FolderNotGiven:
    return FolderNotGiven(source=mount.source, target=mount.target, why=why[:1].lower() + why[1:])


def _check_way(mount: Mount, account: Account) -> None:
    """Before anything is made there, too: root would make it wherever a link leads."""
    try:
        way = [folder.stat() for folder in _way(mount.source)]
    except (OSError, RuntimeError) as problem:
        raise _not_given(mount, getattr(problem, "strerror", None) or "it cannot be looked at") from None
    if account.uid != os.geteuid() and any(_may_write(folder, account) for folder in way):
        raise _not_given(mount, "its person may write to a folder above it, so it could be made to lead anywhere")


def _way(path: Path) -> Iterator[Path]:
    """All folders in which a name is looked up on the way there, as far as it exists: those of each link, too."""
    left, here = list(reversed(path.parts[1:])), Path("/")
    for _ in range(MOST_STEPS):
        if not left:
            return
        yield here
        name = left.pop()
        there = here.parent if name == ".." else here / name
        if there.is_symlink():
            link = there.readlink()
            here = Path("/") if link.is_absolute() else here
            left += reversed([part for part in link.parts if part != "/"])
        elif there.is_dir():
            here = there
        else:
            return  # it is not there, or it is no folder
    raise RuntimeError("too many links")


def _may_write(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return True
    by_group = folder.st_mode & stat.S_IWGRP and folder.st_gid in (account.gid, *account.groups)
    return bool((by_group or folder.st_mode & stat.S_IWOTH) and not folder.st_mode & stat.S_ISVTX)


def _make(folder: Path, owner: Owner, hands: Hands) -> None:
    """Two at once make one. What others made before is left as it is, if it is its owner's."""
    try:
        if not folder.exists():
            folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            _refuse_a_full_disk(folder.parent)
            with suppress(FileExistsError):
                folder.mkdir(mode=PRIVATE)
        if _is_unfinished(folder):
            _finish(folder, owner, hands)
        found = folder.stat().st_uid
    except OSError as problem:
        raise FolderNotMade(folder=folder, why=(problem.strerror or str(problem)).lower()) from None
    if owner.mode == PRIVATE and found != owner.uid:
        raise FolderNotMade(folder=folder, why=f"it belongs to number {found}, not to number {owner.uid}")


def _refuse_a_full_disk(folder: Path) -> None:
    """An empty folder may still find its place there, and nothing in it would."""
    if os.statvfs(folder).f_bavail == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_unfinished(folder: Path) -> bool:
    """Ours and empty, as it was made: perhaps by a portal that was killed before it gave it away."""
    about = folder.stat()
    as_made = about.st_gid == os.getegid() or about.st_mode & 0o777 == PRIVATE
    with suppress(PermissionError):  # given away in this very moment
        return about.st_uid == os.geteuid() and as_made and not any(folder.iterdir())
    return False


def _finish(folder: Path, owner: Owner, hands: Hands) -> None:
    """Its mode first, while it is ours to change."""
    with suppress(PermissionError):  # somebody else was quicker
        folder.chmod(owner.mode)
        if owner.mode == TOGETHER:
            with suppress(OSError):  # a file system that knows no such lists
                os.setxattr(folder, DEFAULT_ACL, ALL_FOR_THE_GROUP)
    hands.give(folder, owner.uid, owner.gid)
