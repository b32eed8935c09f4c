"""The environment of sessions and runs, made from a small lock: the real one is made once for all other tests."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from drybench import own_packages, python_environment
from drybench.data_folder import DataFolder
from drybench.errors import EnvironmentNotMade
from drybench.python_environment import LOCK, OURS, compile_all, current, make


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.make()
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One package of the real lock, with its hashes."""
    found = re.search(r"^traitlets==.*?(?=^\S)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    lock = tmp_path / "small.lock"
    lock.write_text(found[0])
    return lock


def python_in(folder: Path, code: str) -> str:
    command = [folder / "bin" / "python", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


def test_it_holds_the_lock_and_our_own_and_nothing_of_the_bench(data: DataFolder, small: Path) -> None:
    folder = make(data, print, small)
    assert current(data) == folder
    where = python_in(folder, "import drybench_runner, drybench_client, traitlets; print(drybench_runner.__file__)")
    assert where.startswith(str(folder))
    assert list(Path(where).parent.glob("__pycache__/record.*.pyc"))
    installed = python_in(folder, "from importlib.metadata import distributions as d; print(*(i.name for i in d()))")
    assert set(installed.split()) == {"traitlets", *OURS}


def test_what_was_compiled_for_another_is_taken_from_there(data: DataFolder, small: Path) -> None:
    first = make(data, print, small)
    small.write_text(f"{small.read_text()}\n# another\n")
    second = make(data, print, small)
    assert second != first
    taken, anew = (next(folder.rglob("traitlets/__pycache__/traitlets.*.pyc")) for folder in (first, second))
    assert (taken.stat().st_mtime_ns, taken.read_bytes()) == (anew.stat().st_mtime_ns, anew.read_bytes())
    code = "import traitlets; print(traitlets.__cached__, traitlets.HasTraits.observe.__code__.co_filename)"
    assert [str(second) in said for said in python_in(second, code).split()] == [True, True]


def test_what_is_being_compiled_there_is_left_out(tmp_path: Path) -> None:
    """By a program that imports it for the first time: its file has another name by the time that it is copied."""
    one, other = (tmp_path / name / "lib/python3.11/site-packages/traitlets" for name in ("one", "other"))
    one.mkdir(parents=True)
    (other / "__pycache__").mkdir(parents=True)
    (other / "__pycache__" / "traitlets.cpython-311.pyc").write_bytes(b"compiled")
    (other / "__pycache__" / "config.cpython-311.pyc.140735").symlink_to("gone")
    (tmp_path / "one" / "bin").mkdir()
    (tmp_path / "one" / "bin" / "python").symlink_to(sys.executable)
    compile_all(tmp_path / "one", [tmp_path / "other"])
    assert [file.name for file in (one / "__pycache__").iterdir()] == ["traitlets.cpython-311.pyc"]


def test_a_second_call_says_and_does_nothing(data: DataFolder, small: Path) -> None:
    made = make(data, print, small)
    said: list[str] = []
    assert make(data, said.append, small) == made
    assert said == []


def test_two_who_ask_at_once_make_it_once(data: DataFolder, small: Path) -> None:
    said: list[str] = []
    both = [threading.Thread(target=make, args=(data, said.append, small)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len([line for line in said if line.startswith("Making")]) == 1


def test_whole_or_not_at_all(data: DataFolder, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = small.read_text()
    with monkeypatch.context() as broken:
        broken.setattr(python_environment, "OURS", ("drybench-runner",))
        broken.setattr(python_environment, "installable", lambda *_: "/nowhere/at-all")
        with pytest.raises(EnvironmentNotMade, match="/nowhere/at-all"):
            make(data, print, small)
    with pytest.raises(FileNotFoundError):
        current(data)
    small.write_text(right.replace("sha256:", "sha256:0"))
    with pytest.raises(EnvironmentNotMade):
        make(data, print, small)
    small.write_text(right)
    assert python_in(make(data, print, small), "import traitlets; print('there')") == "there"


def test_another_lock_makes_another_beside_it(data: DataFolder, small: Path) -> None:
    old = make(data, print, small)
    small.write_text(small.read_text() + "# newer\n")
    new = make(data, print, small)
    assert new != old
    assert current(data) == new
    assert (old / "bin" / "python").exists()
    assert stat.S_IMODE(new.parent.stat().st_mode) == 0o700


def test_it_follows_the_source_of_our_own_packages(tmp_path: Path) -> None:
    source = tmp_path / "runner"
    (source / "src").mkdir(parents=True)
    file = source / "src" / "work.py"
    file.write_text("1")
    runner = own_packages.Part("drybench-runner", "0.1", source)
    before = python_environment._digest(LOCK, [runner])
    assert python_environment._digest(LOCK, [runner]) == before
    file.write_text("2")
    assert python_environment._digest(LOCK, [runner]) != before
