"""Names that make folders, and paths on the two sides of a mount."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench.model import Mount
from drybench.people.mounting import filled, inside, outside, overlapping, safe_name

HOME = Mount(Path("/srv/homes/ada"), Path("/home/ada"))
DATA = Mount(Path("/srv/data"), Path("/data"), read_only=True)
DEEP = Mount(Path("/srv/data/plates"), Path("/plates"))
MOUNTS = (HOME, DATA, DEEP)

names = some.text(min_size=1, max_size=300) | some.sampled_from(
    ["../x", "/etc", "..", ".", "a b", "ada@lab.example", "Ada", "ådá", "x\0y", "~", "a:b", "-rf", "\udc80", "a/../b"]
)
parts = some.lists(some.sampled_from(["a", "plates", "data", "ada"]), max_size=3)


@given(names)
def test_a_name_makes_one_folder_and_nothing_else(name: str) -> None:
    safe = safe_name(name)
    assert safe.isascii()
    assert 0 < len(safe) <= 80
    assert not set(safe) & set("/\0:,=\\ \n'\"$")
    assert safe not in (".", "..")
    assert not safe.startswith((".", "-", "~"))
    assert (Path("/homes") / safe).parent == Path("/homes")


@given(names, names)
def test_two_names_never_make_one_folder(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


@given(names)
def test_nobody_gets_anothers_folder_by_calling_themselves_so(name: str) -> None:
    assert (safe_name(safe_name(name)) == safe_name(name)) == (safe_name(name) == name)


def test_a_plain_name_stays_as_it_is() -> None:
    assert [safe_name(name) for name in ("ada", "ada.l", "a_b-c", "Ada9")] == ["ada", "ada.l", "a_b-c", "Ada9"]
    assert safe_name("ada@lab.example").startswith("ada_lab.example~")
    assert filled("/srv/{name}/of/{name}", "ada") == Path("/srv/ada/of/ada")


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("/srv/homes/ada/a.ipynb", "/home/ada/a.ipynb"),
        ("/srv/homes/ada", "/home/ada"),
        ("/srv/data/x", "/data/x"),
        ("/srv/data/plates/x", "/plates/x"),
        ("/srv/homes/ada2", None),
        ("/srv/homes/ada/../bob", None),
        ("/etc/passwd", None),
    ],
)
def test_where_a_task_finds_what_lies_on_the_host(there: str, here: str | None) -> None:
    assert inside(Path(there), MOUNTS) == (here and Path(here))


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/home/ada/a", "/srv/homes/ada/a"),
        ("/data/plates/x", "/srv/data/plates/x"),
        ("/plates/x", "/srv/data/plates/x"),
        ("/home", None),
        ("/tmp/x", None),
        ("/home/ada/../bob", None),
    ],
)
def test_where_on_the_host_lies_what_a_task_finds(here: str, there: str | None) -> None:
    assert outside(Path(here), MOUNTS) == (there and Path(there))


@given(parts, some.sampled_from(MOUNTS))
def test_there_and_back(below: list[str], mount: Mount) -> None:
    path = mount.source.joinpath(*below)
    here = inside(path, MOUNTS)
    assert here is not None
    assert outside(here, MOUNTS) == path


def test_of_two_places_the_one_that_can_be_written_to() -> None:
    both = (Mount(Path("/srv"), Path("/look"), read_only=True), Mount(Path("/srv"), Path("/work")))
    assert inside(Path("/srv/x"), both) == Path("/work/x")


def test_what_another_mount_hides_is_not_seen() -> None:
    over = (Mount(Path("/srv"), Path("/work")), Mount(Path("/other"), Path("/work/x")))
    assert inside(Path("/srv/x/y"), over) is None
    assert inside(Path("/srv/z"), over) == Path("/work/z")
    assert overlapping(over) == over[1]
    assert overlapping(MOUNTS) is None
    assert overlapping((over[1], over[0])) == over[0]
    assert overlapping((over[0], over[0])) == over[0]
