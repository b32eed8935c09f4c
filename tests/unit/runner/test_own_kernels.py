"""The environments of a home are found by looking, in whatever state the home is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from drybench_runner import kernelspecs
from drybench_runner.own_kernels import LIST, MOST, MOST_ENTRIES, find


def an_environment(prefix: Path, ipykernel: bool = True, conda: bool = False) -> Path:
    """As much of one as is looked at."""
    packages = prefix / "lib/python3.12/site-packages"
    packages.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").symlink_to("/nowhere/here/python3.12")  # it is in an image, say
    if ipykernel:
        (packages / "ipykernel_launcher.py").touch()
    if conda:
        (prefix / "conda-meta").mkdir()
    return prefix


def names(home: Path) -> list[str]:
    return [kernel.name for kernel in find(home)]


@pytest.mark.parametrize(
    "place",
    [
        ".conda/envs/wing", "miniconda3/envs/wing", "miniforge3/envs/wing", "mambaforge/envs/wing",
        "micromamba/envs/wing", ".local/share/mamba/envs/wing", "venvs/wing", ".virtualenvs/wing", "envs/wing",
    ],
)  # fmt: skip
def test_in_the_usual_places(tmp_path: Path, place: str) -> None:
    an_environment(tmp_path / place)
    (kernel,) = find(tmp_path)
    assert (kernel.name, kernel.title, kernel.prefix) == ("env-wing", "Python (wing)", tmp_path / place)
    assert kernel.argv[0] == str(tmp_path / place / "bin/python")


def test_without_ipykernel_it_is_no_kernel(tmp_path: Path) -> None:
    an_environment(tmp_path / "venvs/bare", ipykernel=False)
    (tmp_path / "venvs/empty").mkdir()
    assert find(tmp_path) == []


def test_a_conda_environment_is_entered_as_conda_does(tmp_path: Path) -> None:
    prefix = an_environment(tmp_path / "miniconda3/envs/wing", conda=True)
    (kernel,) = find(tmp_path)
    assert kernel.env == {"PATH": f"{prefix}/bin:${{PATH}}", "CONDA_PREFIX": str(prefix), "PYTHONPATH": ""}


def test_what_the_lists_name(tmp_path: Path) -> None:
    """Conda's own list; and the person's, with an environment, a folder of several, and what is nothing."""
    home = tmp_path / "home"
    for prefix in ("elsewhere/first", "home/projects/disc/.venv", "home/many/second", "home/many/third"):
        an_environment(tmp_path / prefix)
    (home / ".conda").mkdir(parents=True)
    (home / ".conda/environments.txt").write_text(f"{tmp_path}/elsewhere/first\n/not/there\n")
    own = home / LIST
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n\n~/projects/disc/.venv\n~/many\nrelative\n~/../..\n/\0\n\xff\n")
    assert names(home) == ["env-first", "env-disc", "env-second", "env-third"]


def test_two_of_one_name_are_told_apart_and_one_is_listed_once(tmp_path: Path) -> None:
    for place in (".conda/envs/Größe 1", "venvs/gr-e-1", "envs/..."):
        an_environment(tmp_path / place)
    (tmp_path / ".conda/environments.txt").write_text(f"{tmp_path}/.conda/envs/Größe 1\n")
    assert names(tmp_path) == ["env-gr-e-1", "env-gr-e-1-2", "env-unnamed"]


def test_from_outside_of_a_container_the_same_are_seen(tmp_path: Path) -> None:
    an_environment(tmp_path / "venvs/wing")
    an_environment(tmp_path / "projects/disc")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda/environments.txt").write_text(f"/home/ada/projects/disc\n{tmp_path}/projects/disc\n/etc\n")
    found = find(tmp_path, Path("/home/ada"))
    assert [(kernel.name, str(kernel.prefix)) for kernel in found] == [
        ("env-wing", "/home/ada/venvs/wing"),
        ("env-disc", "/home/ada/projects/disc"),
    ]


def test_a_hostile_home_keeps_nobody(tmp_path: Path) -> None:
    """Pipes, links that turn in circles, thousands of entries, lists without end."""
    good = an_environment(tmp_path / ".virtualenvs/good")
    (tmp_path / ".conda").mkdir()
    os.mkfifo(tmp_path / ".conda/environments.txt")
    (tmp_path / LIST).parent.mkdir(parents=True)
    (tmp_path / LIST).write_bytes(b"/" + b"x" * 5_000_000 + b"\n/proc/self/fd\n" * 100_000)
    (tmp_path / "venvs").mkdir()
    for number in range(3 * MOST_ENTRIES):
        (tmp_path / "venvs" / f"v{number}").symlink_to(tmp_path / "venvs")
    (tmp_path / "envs").symlink_to("envs")
    (tmp_path / "miniconda3").mkdir()
    os.mkfifo(tmp_path / "miniconda3/envs")
    odd = an_environment(tmp_path / ".conda/envs/odd", ipykernel=False)
    os.mkfifo(odd / "lib/python3.12/site-packages/ipykernel_launcher.py")
    began = time.monotonic()
    assert [kernel.prefix for kernel in find(tmp_path)] == [good]
    assert time.monotonic() - began < 60  # what hangs, hangs for ever
    for number in range(MOST + 20):
        an_environment(tmp_path / "micromamba/envs" / f"e{number}")
    assert len(find(tmp_path)) == MOST


def test_a_device_is_no_list(tmp_path: Path) -> None:
    (tmp_path / LIST).parent.mkdir(parents=True)
    (tmp_path / LIST).symlink_to("/dev/zero")
    assert find(tmp_path) == []


def test_an_installed_kernel_of_the_same_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    an_environment(tmp_path / "venvs/wing")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    own = kernelspecs.find("ENV-wing")
    assert own.packages == tmp_path / "venvs/wing/lib/python3.12/site-packages"
    assert "env-wing" in kernelspecs.names()
    installed = tmp_path / "share/kernels/env-wing"
    installed.mkdir(parents=True)
    (installed / "kernel.json").write_text('{"argv": ["other"]}')
    assert kernelspecs.find("env-wing").argv == ("other",)
