"""What Docker is sent: the same bytes for the same content."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from drybench.environment_files import Recipe
from drybench.errors import BuildFailed
from drybench.images.context import Options, arguments, write_context
from drybench.model import Environment


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    folder = tmp_path / "one"
    (folder / "sub").mkdir(parents=True)
    (folder / "Dockerfile").write_text("ARG FLAVOUR\nFROM scratch\n")
    (folder / "environment.toml").write_text("title = 'One'")
    (folder / "sub" / "run").write_text("#!/bin/sh")
    (folder / "sub" / "run").chmod(0o700)
    (folder / "link").symlink_to("/etc/passwd")
    return Recipe(Environment("one", "One", "", "docker", ()), folder, dockerfile=True)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "ours-1.whl").write_bytes(b"ours")
    return folder


def sent(recipe: Recipe, wheels: Path, options: Options) -> bytes:
    file = io.BytesIO()
    write_context(recipe, wheels, options, file)
    return file.read()


def test_all_that_a_dockerfile_may_ask_for_is_there(recipe: Recipe, wheels: Path, tmp_path: Path) -> None:
    extra, certificates = tmp_path / "extra", tmp_path / "ca.pem"
    extra.mkdir()
    (extra / "torch.whl").write_bytes(b"torch")
    certificates.write_text("trust")
    with tarfile.open(fileobj=io.BytesIO(sent(recipe, wheels, Options(certificates, extra)))) as tar:
        there = {one.name: one for one in tar.getmembers()}
        assert list(there) == [
            "Dockerfile",
            "link",
            "sub/run",
            "drybench-wheels",
            "drybench-wheels/ours-1.whl",
            "drybench-extra-wheels",
            "drybench-extra-wheels/torch.whl",
            "drybench-ca.crt",
        ]
        assert (there["sub/run"].mode, there["Dockerfile"].mode) == (0o755, 0o644)
        assert (there["link"].issym(), there["link"].linkname) == (True, "/etc/passwd")  # followed by nobody here
        assert {(one.mtime, one.uid, one.gid, one.uname) for one in there.values()} == {(0, 0, 0, "")}
        found = tar.extractfile("drybench-ca.crt")
        assert found
        assert found.read() == b"trust"


def test_programs_beside_a_dockerfile_are_added_to_it(recipe: Recipe, wheels: Path) -> None:
    (recipe.folder / "fiji.desktop").write_text("[Desktop Entry]")
    with tarfile.open(fileobj=io.BytesIO(sent(recipe, wheels, Options()))) as tar:
        dockerfile = tar.extractfile("Dockerfile")
        assert dockerfile
        assert dockerfile.read() == b"ARG FLAVOUR\nFROM scratch\n\nCOPY *.desktop /opt/drybench/applications/\n"
        assert "fiji.desktop" in tar.getnames()


def test_the_same_bytes_for_the_same_content(recipe: Recipe, wheels: Path) -> None:
    first = sent(recipe, wheels, Options())
    os.utime(recipe.folder / "Dockerfile", (1, 1))
    (recipe.folder / "Dockerfile").chmod(0o600)
    assert sent(recipe, wheels, Options()) == first
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert tar.getmember("drybench-ca.crt").size == 0
        assert tar.getmember("drybench-extra-wheels").isdir()


def test_a_file_of_certificates_that_is_not_there(recipe: Recipe, wheels: Path) -> None:
    with pytest.raises(BuildFailed, match="nowhere"):
        sent(recipe, wheels, Options(Path("/nowhere.pem")))


def test_the_parent_is_named_by_an_argument(recipe: Recipe) -> None:
    options = Options(arguments={"FLAVOUR": "sweet", "OTHER": "x"})
    assert arguments(recipe, "drybench/base:1", options) == {"FLAVOUR": "sweet", "DRYBENCH_PARENT": "drybench/base:1"}
    assert arguments(recipe, None, Options()) == {}
