"""What is shown of a person's files to choose from, and what never is: the folder is anybody's who works there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drybench import files
from drybench.engines.base import Capabilities
from drybench.errors import DrybenchError, FolderNotShown, NoFilesHere, NoSuchFolder, NotebookUnreadable, OneAccount
from drybench.files import Look, OwnFiles
from drybench.model import Person

ADA, BOB = Person("1", "ada"), Person("2", "bob")
LIMIT = 1000


def own(home: Path, shown: tuple[str, ...] = (), one_account: bool = True, trusted: bool = False) -> OwnFiles:
    desk: Any = SimpleNamespace(
        home=home,
        engines={"local": SimpleNamespace(can=Capabilities(one_account=one_account))},
        surroundings=None,
        ledger=SimpleNamespace(people=lambda: [ADA, BOB]),
        people_trust_each_other=trusted,
    )
    return OwnFiles(desk, shown, home / ".bench")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "plate 7" / "raw").mkdir(parents=True)
    (home / ".bench" / "secrets").mkdir(parents=True)
    (home / ".bench" / "secrets" / "portal_token").write_text("secret")
    (home / "b.ipynb").write_text("{}")
    (home / "A.csv").write_bytes(b"x" * 5)
    (home / ".hidden").touch()
    (home / "plate 7" / "c.ipynb").touch()
    return home


def names(own: OwnFiles, look: Look) -> list[tuple[str, str]]:
    return [(entry.name, entry.kind) for entry in own.list(ADA, look).entries]


def test_folders_come_first_and_hidden_ones_only_when_asked_for(home: Path) -> None:
    assert names(own(home), Look()) == [("plate 7", "folder"), ("A.csv", "file"), ("b.ipynb", "file")]
    hidden = [name for name, _ in names(own(home), Look(hidden=True))]
    assert hidden == [".bench", "plate 7", ".hidden", "A.csv", "b.ipynb"]
    entry = own(home).list(ADA, Look()).entries[1]
    assert (entry.path, entry.size) == (str(home / "A.csv"), 5)
    assert entry.modified is not None
    assert datetime.fromtimestamp(entry.modified, UTC).year >= 2020


def test_what_is_looked_for(home: Path) -> None:
    assert names(own(home), Look(pattern="*.ipynb")) == [("plate 7", "folder"), ("b.ipynb", "file")]
    assert names(own(home), Look(folders_only=True)) == [("plate 7", "folder")]
    assert names(own(home), Look(search="a.C")) == [("A.csv", "file")]
    below = own(home).list(ADA, Look(folder="~/plate 7"))
    assert [place.name for place in below.way] == ["Home", "plate 7"]
    assert [entry.name for entry in below.entries] == ["raw", "c.ipynb"]


def test_a_long_folder_comes_in_parts_and_a_huge_one_is_cut(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PAGE", 2)
    first = own(home).list(ADA, Look())
    assert (len(first.entries), first.next, first.cut) == (2, 2, False)
    second = own(home).list(ADA, Look(since=2))
    assert ([entry.name for entry in second.entries], second.next) == (["b.ipynb"], None)
    monkeypatch.setattr(files, "MOST", 3)
    assert own(home).list(ADA, Look()).cut


@pytest.mark.parametrize(
    "folder", ["/", "/etc", "..", "~/..", "plate 7/../..", "/home/../etc", "~/plate 7/raw/../../..", "\0", "x\0y"]
)
def test_nothing_outside_is_listed(home: Path, folder: str) -> None:
    with pytest.raises((FolderNotShown, NoSuchFolder)):
        own(home).list(ADA, Look(folder=folder))


@pytest.mark.parametrize("folder", ["nowhere", "b.ipynb", "plate 7/nowhere", "x" * 300])
def test_a_folder_that_is_none_is_said(home: Path, folder: str) -> None:
    with pytest.raises((NoSuchFolder, FolderNotShown)):
        own(home).list(ADA, Look(folder=folder))


def test_the_benchs_own_data_are_never_shown(home: Path) -> None:
    (home / "in").symlink_to(home / ".bench")
    for folder in (".bench", ".bench/secrets", "in", "in/secrets"):
        with pytest.raises(FolderNotShown):
            own(home).list(ADA, Look(folder=folder))
    (link,) = [entry for entry in own(home).list(ADA, Look()).entries if entry.name == "in"]
    assert (link.kind, link.path) == ("link", None)


def test_links_lead_nowhere_but_to_what_is_shown(home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name, target in {
        "out": outside,
        "etc": Path("/etc/passwd"),
        "gone": home / "no",
        "loop": home / "loop",
    }.items():
        (home / name).symlink_to(target)
    (home / "in").symlink_to("plate 7")
    found = {entry.name: entry for entry in own(home).list(ADA, Look()).entries}
    assert {name: found[name].path for name in ("out", "etc", "gone", "loop")} == dict.fromkeys(
        ("out", "etc", "gone", "loop")
    )
    assert (found["in"].kind, found["in"].path) == ("folder", str(home / "plate 7"))
    with pytest.raises(FolderNotShown):
        own(home).list(ADA, Look(folder="out"))
    shown = {entry.name: entry for entry in own(home, (str(outside),)).list(ADA, Look()).entries}
    assert shown["out"].path == str(outside)


def test_strange_things_are_named_and_not_chosen(home: Path) -> None:
    os.mkfifo(home / "pipe")
    (home / "two\nlines").touch()
    (home / "turned\u202egpj.exe").touch()
    Path(os.fsdecode(os.fsencode(home) + b"/\xff")).touch()
    found = {entry.name: entry for entry in own(home).list(ADA, Look()).entries}
    assert (found["pipe"].kind, found["pipe"].path) == ("other", None)
    for name in ("two\ufffdlines", "turned\ufffdgpj.exe", "\ufffd"):
        assert found[name].path is None


def test_the_folder_beside_a_notebook_is_shown_too(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    notebook = tmp_path / "elsewhere" / "x.ipynb"
    notebook.touch()
    listed = own(home).list(ADA, Look(folder=str(notebook.parent), beside=str(notebook)))
    assert [place.name for place in listed.places] == ["Home", "Beside the notebook"]
    for beside in (
        "x" * 3000 + ".ipynb",
        "\0.ipynb",
        "/etc/passwd",
        str(tmp_path / "elsewhere" / "no.ipynb"),
        str(home / ".." / "x.ipynb"),
    ):
        with pytest.raises(FolderNotShown):
            own(home).list(ADA, Look(folder=str(notebook.parent), beside=beside))


def test_one_account_serves_one_person(home: Path) -> None:
    asks: list[Callable[[OwnFiles], object]] = [
        lambda own: own.list(BOB, Look()),
        lambda own: own.notebook(BOB, "b.ipynb", LIMIT),
    ]
    for ask in asks:
        with pytest.raises(OneAccount):
            ask(own(home))
        with pytest.raises(NoFilesHere):
            ask(own(home, one_account=False))
        ask(own(home, trusted=True))


def test_a_notebook_is_read_by_its_path(home: Path) -> None:
    assert own(home).notebook(ADA, "~/b.ipynb", LIMIT) == (home / "b.ipynb", b"{}")
    (home / "link.ipynb").symlink_to("b.ipynb")
    file, content = own(home).notebook(ADA, str(home / "link.ipynb"), LIMIT)
    assert (file.name, content) == ("link.ipynb", b"{}")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("plate 7", "not a regular file"),
        ("nowhere.ipynb", "no such file"),
        ("b.ipynb/x", "not a directory"),
        ("pipe.ipynb", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("large.ipynb", "larger than 1000 bytes"),
        ("loop.ipynb", "cannot be read"),
        ("secret.ipynb", "bench's own files"),
        (".bench/secrets/portal_token", "bench's own files"),
        ("plate 7/../.bench/secrets/portal_token", "bench's own files"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("", "not a regular file"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_said(home: Path, path: str, why: str) -> None:
    os.mkfifo(home / "pipe.ipynb")
    (home / "large.ipynb").write_bytes(b" " * (LIMIT + 1))
    (home / "loop.ipynb").symlink_to("loop.ipynb")
    (home / "secret.ipynb").symlink_to(".bench/secrets/portal_token")
    with pytest.raises(NotebookUnreadable, match=why):
        own(home).notebook(ADA, path, LIMIT)


def test_a_folder_that_may_not_be_opened_is_said(home: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may open everything")
    (home / "plate 7").chmod(0)
    try:
        with pytest.raises(DrybenchError):
            own(home).list(ADA, replace(Look(), folder="plate 7"))
    finally:
        (home / "plate 7").chmod(0o700)
