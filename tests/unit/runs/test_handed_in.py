"""What was chosen is kept for its person, for a day, and bounded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from drybench.errors import NotebookGone
from drybench.ids import uuid7
from drybench.runs import handed_in
from drybench.runs.handed_in import HandedIn

LIMIT = 100


@pytest.fixture
def kept(tmp_path: Path) -> HandedIn:
    return HandedIn(tmp_path, uuid7, LIMIT)


def test_it_is_there_for_its_person_only(kept: HandedIn, tmp_path: Path) -> None:
    id = kept.keep("ada", b"one")
    assert kept.read("ada", id) == b"one"
    assert (tmp_path / "ada" / id).stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotebookGone):
        kept.read("bob", id)


@pytest.mark.parametrize("id", ["", "..", "../ada/x", "0" * 32, "0" * 31, "a" * 33, "A" * 32, "/etc/passwd"])
def test_nothing_else_is_read(kept: HandedIn, id: str) -> None:
    kept.keep("ada", b"one")
    with pytest.raises(NotebookGone, match="wing"):
        kept.read("bob", id, "wing.ipynb")


def test_what_is_not_a_file_any_more_is_gone(kept: HandedIn, tmp_path: Path) -> None:
    id = kept.keep("ada", b"one")
    (tmp_path / "ada" / id).unlink()
    (tmp_path / "ada" / id).symlink_to("/etc/passwd")
    with pytest.raises(NotebookGone):
        kept.read("ada", id)


def test_the_oldest_makes_room(kept: HandedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "MOST", 3)
    ids = [kept.keep("ada", b"x") for _ in range(5)]
    with pytest.raises(NotebookGone):
        kept.read("ada", ids[1])
    assert all(kept.read("ada", id) for id in ids[2:])
    monkeypatch.setattr(handed_in, "MOST_BYTES", 10)
    large = kept.keep("ada", b"x" * 50)
    assert kept.read("ada", large)
    with pytest.raises(NotebookGone):
        kept.read("ada", ids[4])


def test_it_goes_after_a_day(kept: HandedIn, tmp_path: Path) -> None:
    old = kept.keep("ada", b"old")
    yesterday = time.time() - handed_in.KEPT - 1
    os.utime(tmp_path / "ada" / old, (yesterday, yesterday))
    kept.keep("ada", b"new")
    with pytest.raises(NotebookGone):
        kept.read("ada", old)
