"""One run for each file of a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drybench.errors import NoFilesFound, NoSuchFolder, PatternWrong, SweepTooLarge
from drybench.runs.sweep_files import files_of


def names(folder: Path, pattern: str = "*.tif", most: int = 100) -> list[str]:
    return [Path(path).relative_to(folder).as_posix() for path in files_of(folder, pattern, most)]


def test_they_come_as_people_count(tmp_path: Path) -> None:
    for name in ("frame10.tif", "frame2.tif", "frame1.tif", "Frame3.tif", "a.tif", "notes.txt", ".hidden.tif"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["a.tif", "frame1.tif", "frame2.tif", "Frame3.tif", "frame10.tif"]


def test_a_folder_full_of_links_pipes_and_folders_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    for number in range(50):
        (tmp_path / f"{number}.tif").symlink_to("real" if number % 2 else f"{number}.tif")
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(NoFilesFound, match="50 are links"):
        names(tmp_path)
    (tmp_path / "one.tif").touch()
    assert names(tmp_path) == ["one.tif"]


def test_more_files_than_may_be_are_refused_by_their_number(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.tif").touch()
    with pytest.raises(SweepTooLarge, match="12 runs"):
        names(tmp_path, most=10)


@pytest.mark.parametrize("pattern", ["", "../*", "a/b", "\0", "x" * 300])
def test_a_pattern_does_not_lead_elsewhere(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(PatternWrong):
        names(tmp_path, pattern)


@pytest.mark.parametrize("folder", ["nowhere", "relative", "a\0b", "file"])
def test_a_folder_that_is_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    there = Path("here") if folder == "relative" else tmp_path / folder
    with pytest.raises(NoSuchFolder):
        files_of(there, "*", 10)


def test_a_name_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "plain.tif").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.tif")).touch()
    (tmp_path / "new\nline.tif").touch()
    assert names(tmp_path) == ["plain.tif"]
