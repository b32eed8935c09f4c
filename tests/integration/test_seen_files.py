"""A portal that is root shows a person what their tasks see, with their rights, and never with its own."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drybench.beneath import read_beneath
from drybench.engines.base import Capabilities
from drybench.errors import FolderNotShown, NoFilesFound, NoFilesHere, NoSuchFolder, NotebookUnreadable, OneAccount
from drybench.files import Look, OwnFiles, seen_by
from drybench.images.repositories import read_files
from drybench.model import Account, Environment, Mount, Person, Surroundings
from drybench.people import seen_files
from drybench.people.acting import acting_as
from drybench.runs.sweep_files import files_of as sweep_files
from tests.parts import leave_out
from tests.somebody import SOMEBODY, as_somebody, folder_of_somebody

ADA = Person("1", "ada")
TASK = Account(23_456, 23_456, (30_000,))
LIMIT = 1000


@pytest.fixture(autouse=True)
def root() -> None:
    if os.geteuid() != 0:
        leave_out("Only root can look with others' rights.")


def theirs(path: Path, content: str | None = None, mode: int = 0o700, owner: int = TASK.uid, group: int = 0) -> Path:
    path.mkdir() if content is None else path.write_text(content)
    os.chown(path, owner, group or owner)
    path.chmod(mode)
    return path


def rights() -> tuple[int, int]:
    """The numbers that count for files, of this thread."""
    lines = dict(line.split(":", 1) for line in Path("/proc/thread-self/status").read_text().splitlines())
    return int(lines["Uid"].split()[3]), int(lines["Gid"].split()[3])


@pytest.fixture
def host(tmp_path: Path) -> Path:
    host = tmp_path / "closed to all but root"
    host.mkdir(mode=0o700)
    home = theirs(host / "home")
    theirs(home / "a.ipynb", "{}", 0o600)
    theirs(home / "of another.ipynb", "secret", 0o600, owner=34_567)
    theirs(theirs(home / "plates") / "b.ipynb", "{}")
    theirs(home / "closed", mode=0o700, owner=34_567)
    (home / "roots").symlink_to("/etc/shadow")
    (home / "link.ipynb").symlink_to("a.ipynb")
    (home / "up").symlink_to("/")
    shared = theirs(host / "shared", mode=0o2770, owner=0, group=30_000)
    theirs(shared / "ours.ipynb", "{}", 0o660, owner=34_567, group=30_000)
    theirs(host / "secret.ipynb", "secret", 0o644, owner=0)
    return host


@pytest.fixture
def around(host: Path) -> Surroundings:
    mounts = (Mount(host / "home", Path("/home/ada")), Mount(host / "shared", Path("/shared"), read_only=True))
    return Surroundings(Path("/home/ada"), TASK, mounts)


def files_of(around: Surroundings, data: Path = Path("/nowhere"), **more: Capabilities) -> OwnFiles:
    engines = {name: SimpleNamespace(can=can) for name, can in more.items()}
    engines["docker"] = SimpleNamespace(can=Capabilities(mounts=True))
    desk: Any = SimpleNamespace(
        home=Path("/root"),
        engines=engines,
        ledger=SimpleNamespace(people=lambda: [Person("0", "first"), ADA]),
        people_trust_each_other=False,
        surroundings=lambda person, can: around,
    )
    return OwnFiles(desk, ("/etc",), data)


@pytest.fixture
def files(around: Surroundings) -> Iterator[OwnFiles]:
    yield files_of(around)
    assert (os.geteuid(), os.getegid()) == (0, 0)
    with ThreadPoolExecutor(4) as threads:
        assert {*threads.map(lambda _: os.geteuid(), range(8))} == {0}


def test_what_is_shown_is_called_as_their_tasks_call_it(files: OwnFiles) -> None:
    listed = files.list(ADA, Look())
    assert [(place.name, place.path) for place in listed.places] == [("Home", "/home/ada"), ("/shared", "/shared")]
    assert listed.folder == "/home/ada"
    found = {entry.name: entry for entry in listed.entries}
    assert found["a.ipynb"].path == "/home/ada/a.ipynb"
    assert {found[name].path for name in ("roots", "link.ipynb", "up")} == {None}
    assert [entry.path for entry in files.list(ADA, Look("~/plates")).entries] == ["/home/ada/plates/b.ipynb"]
    assert [entry.path for entry in files.list(ADA, Look("/shared")).entries] == ["/shared/ours.ipynb"]


@pytest.mark.parametrize(
    "folder",
    ["/", "/etc", "/root", "/home", "/home/ada/..", "~/up", "~/closed", "~/none", "/shared/../etc", "\0", "HOST"],
)
def test_nothing_else_is_listed(files: OwnFiles, host: Path, folder: str) -> None:
    with pytest.raises((FolderNotShown, NoSuchFolder)):
        files.list(ADA, Look(folder.replace("HOST", str(host / "home"))))


def test_a_notebook_of_theirs_or_of_their_group(files: OwnFiles) -> None:
    assert files.notebook(ADA, "~/a.ipynb", LIMIT) == (Path("/home/ada/a.ipynb"), b"{}")
    assert files.notebook(ADA, "/shared/ours.ipynb", LIMIT) == (Path("/shared/ours.ipynb"), b"{}")


@pytest.mark.parametrize(
    "path",
    [
        "~/of another.ipynb",
        "~/roots",
        "~/link.ipynb",
        "~/up/etc/shadow",
        "/etc/passwd",
        "~/../../secret.ipynb",
        "~/plates",
        "/home/ada",
        "",
        "/proc/self/fd/0",
        "HOST/secret.ipynb",
    ],
)
def test_root_lends_nobody_its_rights(files: OwnFiles, host: Path, path: str) -> None:
    with pytest.raises(NotebookUnreadable):
        files.notebook(ADA, path.replace("HOST", str(host)), LIMIT)


def test_a_folder_for_others_to_read(files: OwnFiles) -> None:
    def read(folder: Path) -> tuple[bytes, int]:
        return read_beneath(folder, "b.ipynb", LIMIT), rights()[0]

    assert files.look(ADA, "~/plates", read) == (b"{}", TASK.uid)
    with pytest.raises((FolderNotShown, NoSuchFolder)):
        files.look(ADA, "~/up", read)


def test_a_run_may_name_the_folders_that_its_task_sees(around: Surroundings, host: Path) -> None:
    def has(folder: str) -> bool:
        return seen_files.has_folder(around, Path(folder))

    assert all(map(has, ("/home/ada", "/home/ada/plates", "/shared")))
    others = ("/", "/root", "/home/ada/closed", "/home/ada/up", "/home/ada/up/root", "/home/ada/a.ipynb", "/shared/..")
    assert not any(map(has, (*others, str(host / "home"), "/home/ada/" + "x" * 300, "/home/ada/none", "/home/ada/\0")))


def test_a_sweep_over_files_sees_what_its_tasks_see(around: Surroundings, host: Path) -> None:
    assert sweep_files(Path("/home/ada/plates"), "*.ipynb", 9, around) == ["/home/ada/plates/b.ipynb"]
    assert sweep_files(Path("/shared"), "*", 9, around) == ["/shared/ours.ipynb"]
    for folder in ("/root", "/home/ada/closed", "/home/ada/up", "/shared/..", str(host), str(host / "home")):
        with pytest.raises(NoSuchFolder):
            sweep_files(Path(folder), "*", 9, around)
    with pytest.raises(NoFilesFound):
        sweep_files(Path("/home/ada"), "link*", 9, around)


def test_how_a_run_sees_files_is_asked_of_its_engine(around: Surroundings) -> None:
    def desk(**can: Capabilities) -> Any:
        return SimpleNamespace(
            engines={name: SimpleNamespace(can=one) for name, one in can.items()},
            ledger=SimpleNamespace(people=lambda: [Person("0", "first"), ADA]),
            people_trust_each_other=False,
            around=lambda person, environment: around,
        )

    both = desk(local=Capabilities(one_account=True), docker=Capabilities(mounts=True))
    local, docker = (Environment(name, name, "", name, ()) for name in ("local", "docker"))
    assert seen_by(both, ADA, docker) == around
    assert seen_by(both, Person("0", "first"), local) is None
    with pytest.raises(OneAccount):
        seen_by(both, ADA, local)


def test_the_benchs_own_data_are_not_shown_though_a_real_home_holds_them(around: Surroundings, host: Path) -> None:
    in_the_home = files_of(around, data=host / "home" / "plates")
    with pytest.raises(FolderNotShown):
        in_the_home.list(ADA, Look("~/plates"))
    with pytest.raises(NotebookUnreadable, match="bench's own files"):
        in_the_home.notebook(ADA, "~/plates/b.ipynb", LIMIT)
    over_the_home = files_of(around, data=host)
    assert over_the_home.notebook(ADA, "~/plates/b.ipynb", LIMIT)[1] == b"{}"


def test_who_has_no_share_in_the_one_account_has_their_own_files(around: Surroundings) -> None:
    both = files_of(around, local=Capabilities(one_account=True))
    assert both.list(ADA, Look()).folder == "/home/ada"
    assert both.list(Person("0", "first"), Look()).folder == "/root"
    assert both.list(Person("0", "first"), Look(engine="docker")).folder == "/home/ada"
    with pytest.raises(OneAccount):
        both.list(ADA, Look(engine="local"))


def told(around: Surroundings) -> str:
    with pytest.raises(NoFilesHere):
        files_of(around).list(ADA, Look())
    assert not files_of(around).are_shown(ADA)
    mine = Surroundings(around.home, Account(SOMEBODY, SOMEBODY), around.mounts)
    assert files_of(mine).are_shown(ADA)
    return "said"


def test_a_portal_that_is_not_root_shows_its_own_accounts_files_only(around: Surroundings) -> None:
    with folder_of_somebody():
        assert as_somebody(told, around) == "said"


def test_rights_are_those_of_one_thread(host: Path) -> None:
    def who() -> tuple[int, int, list[int]]:
        return *rights(), os.getgroups()

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: acting_as(TASK, who), range(32)))
    assert set(map(str, found)) == {str((TASK.uid, TASK.gid, list(TASK.groups)))}
    assert who()[:2] == (0, 0)


def test_an_environment_brought_from_a_folder_is_read_with_their_rights(files: OwnFiles, host: Path) -> None:
    brought = theirs(host / "home" / "brought")
    theirs(brought / "requirements.txt", "numpy\n")
    theirs(brought / "of another.txt", "secret", 0o600, owner=34_567)
    (brought / "shadow").symlink_to("/etc/shadow")
    (brought / ".binder").symlink_to("/etc")
    with pytest.raises(NoSuchFolder, match="you can open"):
        files.look(ADA, "~/brought", read_files)
    (brought / "of another.txt").unlink()
    assert files.look(ADA, "~/brought", read_files) == {"requirements.txt": b"numpy\n"}
    with pytest.raises((FolderNotShown, NoSuchFolder)):
        files.look(ADA, "/etc", read_files)


def test_nobody_sends_signals_to_a_thread_that_looks_with_their_rights() -> None:
    """One signal ends the portal with all of its threads."""

    def signals(thread: int) -> int:
        return subprocess.run(["/bin/sh", "-c", f"kill -0 {thread}"], user=TASK.uid, check=False).returncode

    with ThreadPoolExecutor(1) as aside:
        assert acting_as(TASK, lambda: aside.submit(signals, threading.get_native_id()).result()) != 0
