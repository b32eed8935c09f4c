"""The shelf of links by which people see their runs from their home."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drybench.data_folder import DataFolder
from drybench.folders import RunShelf
from drybench.model import Person
from tests.ledger import a_run

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADA = Person("an-id", "ada")


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    data = DataFolder(tmp_path / "data")
    data.make()
    return data


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def test_a_run_is_seen_from_the_home_under_a_name_that_says_something(data: DataFolder, home: Path) -> None:
    run = a_run(ADA, NOW, "areas/../of nuclei")
    (data.runs / run.id).mkdir()
    shelf = RunShelf(data, "drybench-runs")
    shelf.show_in(home, ADA.id)
    shelf.add(run)
    shelf.add(run)
    [link] = (home / "drybench-runs").iterdir()
    assert link.name.startswith("2026-11-01 areas_.._of nuclei ")
    assert link.resolve() == data.runs / run.id


def test_what_stands_there_already_is_left_alone(data: DataFolder, home: Path) -> None:
    own = home / "drybench-runs"
    own.write_text("mine")
    RunShelf(data, "drybench-runs").show_in(home, ADA.id)
    assert own.read_text() == "mine"


def test_the_link_of_a_bench_that_is_gone_gives_way(data: DataFolder, home: Path) -> None:
    link = home / "drybench-runs"
    link.symlink_to("/nowhere/any/more")
    RunShelf(data, "drybench-runs").show_in(home, ADA.id)
    assert link.resolve() == data.path / "shelves" / ADA.id


def test_a_home_that_nobody_can_write_to_hinders_no_work(data: DataFolder, home: Path) -> None:
    shelf = RunShelf(data, "drybench-runs")
    shelf.show_in(home / "missing", ADA.id)
    shelf.add(replace(a_run(ADA, NOW), name="/" * 400))
