"""An image is named after all that goes into it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from drybench.environment_files import Recipe
from drybench.images.hashing import Hashing, files_of, taken
from drybench.model import Environment


def recipe(folder: Path, name: str = "one", dockerfile: bool = True) -> Recipe:
    return Recipe(Environment(name, name, "", "docker", ()), folder, dockerfile=dockerfile)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "one"
    (made / "smoke").mkdir(parents=True)
    (made / "Dockerfile").write_text("ARG DRYBENCH_PARENT\narg FLAVOUR=plain\nFROM ${DRYBENCH_PARENT}\n")
    (made / "environment.toml").write_text("title = 'One'")
    (made / "smoke" / "try.sh").write_text("true")
    (made / "link").symlink_to("smoke/try.sh")
    return made


def test_the_same_content_has_the_same_name(folder: Path) -> None:
    first = Hashing("ours", {})(recipe(folder), ())
    os.utime(folder / "Dockerfile", (0, 0))
    (folder / "environment.toml").write_text("title = 'Another title'")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("x")
    assert Hashing("ours", {"UNASKED": "1"})(recipe(folder), ()) == first
    assert len(first) == 12


def test_whatever_goes_in_changes_it(folder: Path, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir()
    (parent / "Dockerfile").write_text("FROM scratch")
    names = [Hashing("ours", {})(recipe(folder), ())]

    def look(ours: str = "ours", *parents: Recipe, **arguments: str) -> None:
        names.append(Hashing(ours, arguments)(recipe(folder), parents))

    look("newer")
    look(FLAVOUR="sweet")
    look("ours", recipe(parent, "parent"))
    (parent / "Dockerfile").write_text("FROM scratch\n")
    look("ours", recipe(parent, "parent"))
    (folder / "smoke" / "try.sh").chmod(0o755)
    look()
    (folder / "smoke" / "try.sh").write_text("false")
    look()
    (folder / "link").unlink()
    look()
    assert len(set(names)) == len(names)


def test_only_arguments_that_its_dockerfile_declares(folder: Path) -> None:
    assert taken(recipe(folder), {"FLAVOUR": "sweet", "OTHER": "x"}) == {"FLAVOUR": "sweet"}
    assert taken(recipe(folder, dockerfile=False), {"FLAVOUR": "sweet"}) == {}


def test_what_somebody_brought_hears_none_of_the_keepers_arguments(folder: Path) -> None:
    brought = replace(recipe(folder), brought=True)
    assert taken(brought, {"FLAVOUR": "sweet"}) == {}
    assert Hashing("ours", {"FLAVOUR": "sweet"})(brought, ()) == Hashing("ours", {})(brought, ())


def test_neither_what_says_what_it_is_nor_what_python_left(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert [str(file.relative_to(folder)) for file in files_of(folder)] == ["Dockerfile", "link", "smoke/try.sh"]
