"""What a person's tasks see in a real container: their home, shared folders, and what the keeper mounts."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from drybench.data_folder import DataFolder
from drybench.database import sqlite_url
from drybench.engines.base import Capabilities
from drybench.errors import FolderNotGiven, FolderNotMade
from drybench.ledger import Ledger
from drybench.model import Account, Person, Surroundings
from drybench.people.accounts import Accounts
from drybench.people.folders import PersonFolders
from drybench.people.hands import Hands, OwnHands
from drybench.people.hands_in_a_container import ContainerHands
from drybench.people.mounting import safe_name
from drybench.settings_folders import Accounts as AccountsSaid
from drybench.settings_folders import Folders
from tests.docker import BASE, docker
from tests.ledger import Clock, fresh_ledger
from tests.parts import leave_out
from tests.somebody import SOMEBODY, as_somebody, folder_of_somebody

CONTAINERS = Capabilities(images=True, mounts=True)
LOCAL = Capabilities(one_account=True)
ODD_NAMES = ["ada@lab.example", "../../etc", "a b:c", "ådá ß", "x" * 300, "~root", "-v", "{name}"]

Make = Callable[..., PersonFolders]


@pytest.fixture(autouse=True)
def root() -> None:
    if os.geteuid() != 0:
        leave_out("These tests make folders of several accounts, which only root can clear away.")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with fresh_ledger(sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        yield ledger


@pytest.fixture
def folders(ledger: Ledger, data: DataFolder, tmp_path: Path) -> Make:
    def make(said: dict[str, Any] | None = None, hands: Hands | None = None, of: str = "range") -> PersonFolders:
        accounts = Accounts(AccountsSaid(of=of, shared_uid=4000), ledger, one_person=False)
        return PersonFolders(data, Folders(**said or {}), accounts, hands or OwnHands(), tmp_path / "own")

    return make


@pytest.fixture
def ada(ledger: Ledger) -> Person:
    return ledger.person_seen("ada", frozenset({"imaging"}))


@pytest.fixture
def bob(ledger: Ledger) -> Person:
    return ledger.person_seen("bob", frozenset({"imaging"}))


@pytest.fixture
def eve(ledger: Ledger) -> Person:
    return ledger.person_seen("eve")


def work(around: Surroundings, script: str) -> str:
    """As an engine starts a task."""
    account = around.account
    assert account is not None
    mounts = [f"type=bind,source={one.source},target={one.target}" for one in around.mounts]
    modes = [",readonly" if one.read_only else "" for one in around.mounts]
    return docker(
        *("run", "--rm", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *(f"--user={account.uid}:{account.gid}", *(f"--group-add={gid}" for gid in account.groups)),
        *(f"--mount={mount}{mode}" for mount, mode in zip(mounts, modes, strict=True)),
        *(f"--workdir={around.home}", f"--env=HOME={around.home}", BASE, "sh", "-c", script),
    )


def owner(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)


def test_a_home_of_their_own_that_stays(docker_url: str, folders: Make, data: DataFolder, ada: Person) -> None:
    around = folders().surroundings(ada, CONTAINERS)
    work(around, "umask 022; echo kept > ~/a.txt; pwd > ~/where")
    assert owner(data.homes / "ada") == (20_000, 20_000, 0o700)
    assert work(folders().surroundings(ada, CONTAINERS), "cat ~/a.txt ~/where") == "kept\n/home/ada"


def test_nobody_enters_anothers_home(docker_url: str, folders: Make, ada: Person, bob: Person) -> None:
    hers, his = folders().surroundings(ada, CONTAINERS), folders().surroundings(bob, CONTAINERS)
    work(hers, "echo mine > ~/a.txt; chmod 644 ~/a.txt")
    assert his.mounts[0].source != hers.mounts[0].source
    into = Surroundings(his.home, his.account, hers.mounts)
    assert "Permission denied" in work(into, "cat /home/ada/a.txt 2>&1 || true")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_odd_name_has_a_home_like_everybody(
    docker_url: str, folders: Make, data: DataFolder, ledger: Ledger, name: str
) -> None:
    around = folders().surroundings(ledger.person_seen(name), CONTAINERS)
    assert around.mounts[0].source == data.homes / safe_name(name)
    assert around.mounts[0].source.parent == data.homes
    assert work(around, 'echo kept > "$HOME/a.txt"; cat ~/a.txt') == "kept"


def test_the_local_engine_has_the_home_that_it_had(folders: Make, ada: Person, tmp_path: Path) -> None:
    assert folders().surroundings(ada, LOCAL) == Surroundings(tmp_path / "own")


@pytest.mark.parametrize("of", ["range", "shared"])
def test_a_name_made_again_finds_nothing_of_who_had_it(
    docker_url: str, folders: Make, ledger: Ledger, clock: Clock, ada: Person, of: str
) -> None:
    work(folders(of=of).surroundings(ada, CONTAINERS), "echo mine > ~/a")
    ledger.person_gone("ada")
    clock.pass_by(hours=1)
    around = folders(of=of).surroundings(ledger.person_seen("ada"), CONTAINERS)
    assert around.home == Path("/home/ada")
    assert work(around, "ls ~") == ""


def test_what_everybody_sees_is_what_each_sees_but_for_their_home_and_what_is_their_own(
    folders: Make, ada: Person, tmp_path: Path
) -> None:
    shared = [
        {"source": f"{tmp_path}/all", "target": "/shared/all"},
        {"source": f"{tmp_path}/imaging", "target": "/shared/imaging", "for": "group:imaging"},
        {"source": f"{tmp_path}/each/{{name}}", "target": "/shared/own"},
    ]
    there = folders({"shared": shared}, of="shared")
    anybody, hers = there.of_anybody(), there.surroundings(ada, CONTAINERS)
    assert anybody.home == hers.home.parent == Path("/home")
    assert [str(mount.target) for mount in anybody.mounts] == ["/shared/all"]
    assert [str(mount.target) for mount in hers.mounts] == [
        "/home/ada",
        "/shared/all",
        "/shared/imaging",
        "/shared/own",
    ]
    only_for_all = folders({"shared": shared[:1]}, of="shared")
    hers = only_for_all.surroundings(ada, CONTAINERS)
    assert (only_for_all.of_anybody().account, only_for_all.of_anybody().mounts) == (hers.account, hers.mounts[1:])


SHARED = {"shared": [{"source": "SHARED", "target": "/shared/imaging", "for": "group:imaging"}]}


def where(said: dict[str, Any], folder: Path) -> dict[str, Any]:
    entries = [{**entry, "source": entry["source"].replace("SHARED", str(folder))} for entry in said["shared"]]
    return {"shared": entries}


def test_a_group_works_in_its_folder_together(
    docker_url: str, folders: Make, ada: Person, bob: Person, eve: Person, tmp_path: Path
) -> None:
    shared = tmp_path / "imaging"
    said = where(SHARED, shared)
    hers, his = (folders(said).surroundings(person, CONTAINERS) for person in (ada, bob))
    work(hers, "umask 022; cd /shared/imaging; echo one > a.csv; mkdir -p plates/7; echo x > plates/7/x")
    work(his, "cd /shared/imaging; echo two >> a.csv; echo y > plates/7/y; rm plates/7/x")
    assert (shared / "a.csv").read_text() == "one\ntwo\n"
    assert [mount.target for mount in folders(said).surroundings(eve, CONTAINERS).mounts] == [Path("/home/eve")]
    assert stat.S_IMODE(shared.stat().st_mode) & 0o7007 == 0o2000


def test_everybodys_folder_and_one_persons(
    docker_url: str, folders: Make, ada: Person, eve: Person, tmp_path: Path
) -> None:
    said = {
        "shared": [
            {"source": f"{tmp_path}/all", "target": "/all"},
            {"source": f"{tmp_path}/hers", "target": "/hers", "for": "person:ada"},
            {"source": f"{tmp_path}/each/{{name}}", "target": "/scratch"},
        ]
    }
    hers, eves = (folders(said).surroundings(person, CONTAINERS) for person in (ada, eve))
    work(hers, "echo one > /all/a; echo mine > /hers/a; echo mine > /scratch/a")
    assert work(eves, "echo two >> /all/a; cat /all/a; ls /hers 2>/dev/null; ls /scratch") == "one\ntwo"
    assert (tmp_path / "each" / "ada" / "a").exists()


def test_what_is_read_only_is_read_only(docker_url: str, folders: Make, ada: Person, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir(mode=0o777)
    (tmp_path / "raw").chmod(0o777)
    (tmp_path / "raw" / "a").write_text("raw")
    said = {"mounts": [{"source": f"{tmp_path}/raw", "target": "/data/raw", "read_only": True}]}
    around = folders(said).surroundings(ada, CONTAINERS)
    assert "Read-only file system" in work(
        around, "cat /data/raw/a; echo x 2>&1 > /data/raw/b || true; touch /data/raw/b 2>&1 || true"
    )
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["a"]


def test_a_shared_folder_that_the_keeper_made_is_left_as_it_is(folders: Make, ada: Person, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    os.chown(made, 0, 5_000)
    made.chmod(0o2775)
    said = {"shared": [{"source": str(made), "target": "/shared"}]}
    around = folders(said).surroundings(ada, CONTAINERS)
    assert owner(made) == (0, 5_000, 0o2775)
    assert around.account == Account(20_000, 20_000, (5_000,))


@pytest.mark.parametrize("kind", ["missing", "file", "socket", "link to the bench", "home"])
def test_what_cannot_be_given_is_said(folders: Make, data: DataFolder, ada: Person, tmp_path: Path, kind: str) -> None:
    source, target = tmp_path / "x", "/x"
    if kind == "file":
        source.touch()
    elif kind == "socket":
        os.mknod(source, stat.S_IFSOCK | 0o600)
    elif kind == "link to the bench":
        source.symlink_to(data.runs)
    elif kind == "home":
        source.mkdir()
        target = "/home/ada"  # which is nobody's else
    said = {"mounts": [{"source": str(source), "target": target}]}
    with pytest.raises(FolderNotGiven, match=target):
        folders(said).surroundings(ada, CONTAINERS)


def test_a_folder_in_ones_own_could_lead_anywhere(folders: Make, ada: Person, data: DataFolder) -> None:
    home = folders().surroundings(ada, CONTAINERS).mounts[0].source
    (home / "x").symlink_to(data.runs)
    outside = data.path.parent / "lab"
    (outside / "x").mkdir(parents=True)
    os.chown(outside, 20_000, 20_000)
    for source in (home / "x", outside / "x"):
        with pytest.raises(FolderNotGiven):
            folders({"mounts": [{"source": str(source), "target": "/x"}]}).surroundings(ada, CONTAINERS)


@pytest.mark.parametrize("kind", ["mounts", "shared"])
@pytest.mark.parametrize("link", ["anothers", "empty/../anothers"])
def test_a_link_in_a_folder_of_ones_own_leads_nowhere(
    folders: Make, ada: Person, tmp_path: Path, kind: str, link: str
) -> None:
    """Where it leads all is well, but it is its person who says where it leads."""
    hers = tmp_path / "lab" / "ada"
    for folder in (hers, tmp_path / "anothers", tmp_path / "empty"):
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    folders().surroundings(ada, CONTAINERS)
    os.chown(hers, 20_000, 20_000)
    (hers / "data").symlink_to(tmp_path / link)
    said = {kind: [{"source": f"{tmp_path}/lab/{{name}}/data", "target": "/data"}]}
    with pytest.raises(FolderNotGiven, match="lead anywhere"):
        folders(said).surroundings(ada, CONTAINERS)
    (tmp_path / "by link").symlink_to(hers / "data")
    with pytest.raises(FolderNotGiven, match="lead anywhere"):
        folders({kind: [{"source": f"{tmp_path}/by link", "target": "/data"}]}).surroundings(ada, CONTAINERS)
    assert owner(tmp_path / "anothers") == owner(tmp_path / "empty") == (0, 0, 0o755)


@pytest.mark.parametrize("said", [{"homes": "LAB/{name}/home"}, {"shared": [{"source": "LAB/ada/x", "target": "/x"}]}])
def test_nothing_is_made_in_a_folder_of_ones_own(
    folders: Make, ada: Person, tmp_path: Path, said: dict[str, Any]
) -> None:
    folders().surroundings(ada, CONTAINERS)
    hers = tmp_path / "lab" / "ada"
    hers.mkdir(parents=True)
    os.chown(hers, 20_000, 20_000)
    with pytest.raises(FolderNotGiven, match="lead anywhere"):
        folders(json.loads(json.dumps(said).replace("LAB", str(hers.parent)))).surroundings(ada, CONTAINERS)
    assert not list(hers.iterdir())


def test_who_has_no_folder_of_a_pattern_has_none(folders: Make, ada: Person, bob: Person, tmp_path: Path) -> None:
    (tmp_path / "raw" / "ada").mkdir(parents=True)
    said = {"mounts": [{"source": f"{tmp_path}/raw/{{name}}", "target": "/raw"}]}
    assert len(folders(said).surroundings(ada, CONTAINERS).mounts) == 2
    assert len(folders(said).surroundings(bob, CONTAINERS).mounts) == 1


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "large").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return


def test_a_home_on_a_full_disk(folders: Make, ada: Person, bob: Person, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        said = {"homes": f"{disk}/{{name}}"}
        before = folders(said).surroundings(ada, CONTAINERS)
        fill(disk)
        with pytest.raises(FolderNotMade, match="no space left"):
            folders(said).surroundings(bob, CONTAINERS)
        assert not (disk / "bob").exists()
        assert folders(said).surroundings(ada, CONTAINERS) == before  # who has one goes in, to clear it up


def test_anothers_home_is_not_taken(folders: Make, ada: Person, tmp_path: Path) -> None:
    home = tmp_path / "homes" / "ada"
    home.mkdir(parents=True)
    for prepare in (lambda: os.chown(home, 4_321, 4_321), lambda: (os.chown(home, 0, 0), (home / "x").touch())):
        prepare()
        with pytest.raises(FolderNotMade, match="belongs to number"):
            folders({"homes": f"{tmp_path}/homes/{{name}}"}).surroundings(ada, CONTAINERS)


def test_a_home_that_was_not_given_away_when_the_portal_was_killed(
    folders: Make, data: DataFolder, ada: Person
) -> None:
    (data.homes / "ada").mkdir(mode=0o700)
    folders().surroundings(ada, CONTAINERS)
    assert owner(data.homes / "ada") == (20_000, 20_000, 0o700)


def test_two_at_once_make_one_home(folders: Make, data: DataFolder, ledger: Ledger) -> None:
    people = [ledger.person_seen(f"person-{number}") for number in range(8)]
    for person in people:
        accounts = folders()
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: accounts.surroundings(person, CONTAINERS), range(8)))  # noqa: B023
        assert len(set(found)) == 1
        account = found[0].account
        assert account is not None
        assert owner(data.homes / person.name) == (account.uid, account.gid, 0o700)


# a portal that is not root


class Fixed:
    """Accounts without a ledger, which another account could not open."""

    def __init__(self, account: Account, one: bool = False) -> None:
        self._account, self._one = account, one

    def with_groups(self, person: Person) -> Person:
        return person

    def of(self, person: Person) -> Account:
        return self._account

    def are_one(self, account: Account) -> bool:
        return self._one

    def group(self, name: str) -> int:
        return 30_000

    def is_member(self, person: Person, account: Account, name: str) -> bool:
        return name in person.groups

    def has_namesake(self, person: Person, account: Account) -> bool:
        return False


def of_somebody(place: Path, url: str, account: Account, said: dict[str, Any], one: bool = False) -> Surroundings:
    data = DataFolder(place / "bench")
    data.make()
    accounts: Any = Fixed(account, one)
    hands = ContainerHands(partial(aiodocker.Docker, url))
    folders = PersonFolders(data, Folders(**said), accounts, hands, place)
    person = Person("an-id", "ada", frozenset({"imaging"}))
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: folders.surroundings(person, CONTAINERS), range(2))
    assert first == second
    return first


def test_a_portal_that_is_not_root_makes_them_too(docker_url: str) -> None:
    with folder_of_somebody() as place:
        said = where(SHARED, place / "imaging")
        hers = as_somebody(of_somebody, place, docker_url, Account(23_456, 23_456), said)
        his = as_somebody(
            of_somebody, place, docker_url, Account(23_457, 23_457), said | {"homes": f"{place}/of/{{name}}"}
        )
        work(hers, "umask 022; echo mine > ~/a; echo one > /shared/imaging/a")
        work(his, "echo two >> /shared/imaging/a; echo mine > ~/a")
        assert owner(place / "bench" / "homes" / "ada") == (23_456, 23_456, 0o700)
        assert owner(place / "imaging")[:2] == (SOMEBODY, 30_000)
        assert (place / "imaging" / "a").read_text() == "one\ntwo\n"
        again = as_somebody(of_somebody, place, "unix:///nowhere.sock", Account(23_456, 23_456), said)
        assert again == hers  # nothing is left to be done, so Docker is not asked


def test_ones_own_real_home_keeps_its_path(docker_url: str) -> None:
    with folder_of_somebody() as place:
        around = as_somebody(of_somebody, place, "unix:///nowhere.sock", Account(SOMEBODY, SOMEBODY), {}, True)
        assert around.home == place
        assert work(around, "echo mine > ~/a; pwd") == str(place)
        assert owner(place / "a")[:2] == (SOMEBODY, SOMEBODY)
