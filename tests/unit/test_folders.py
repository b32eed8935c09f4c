"""The shelf of links by which people see their runs from their home."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drybench.data_folder import DataFolder
from drybench.folders import INSIDE, RunShelf
from drybench.model import Account, Mount, Person, Surroundings
from tests.ledger import a_run

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADA = Person("an-id", "ada")


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


def test_a_container_sees_them_read_only_and_by_a_link_that_leads_there(data: DataFolder, home: Path) -> None:
    seen = Path("/home/ada")
    around = Surroundings(seen, Account(os.geteuid(), os.getegid()), (Mount(home, seen),))
    mounts = RunShelf(data, "drybench-runs").show(around, ADA.id)
    shelf = INSIDE / "shelves" / ADA.id
    assert (home / "drybench-runs").readlink() == shelf
    assert mounts == (
        Mount(data.path / "shelves" / ADA.id, shelf, read_only=True),
        Mount(data.runs, INSIDE / "runs", read_only=True),
    )


def test_where_all_have_one_number_no_container_sees_them(data: DataFolder, home: Path) -> None:
    around = Surroundings(Path("/home/ada"), Account(4321, 4321), (Mount(home, Path("/home/ada")),))
    assert RunShelf(data, "drybench-runs", one_number_for_all=True).show(around, ADA.id) == ()
    assert not (home / "drybench-runs").is_symlink()
