from __future__ import annotations

import os
from pathlib import Path

import pytest

from drybench_runner import full_home

NAMES = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


@pytest.fixture(autouse=True)
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*NAMES, "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DRYBENCH_TASK_DIR", str(tmp_path / "task"))
    return tmp_path / "task"


def test_a_home_with_room_is_used_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    full_home.begin_elsewhere()
    assert not any(name in os.environ for name in NAMES)
    assert list((tmp_path / "home").iterdir()) == []


def test_where_nothing_can_be_written_it_is_only_read(
    tmp_path: Path, task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", "/opt/share/jupyter")
    full_home.begin_elsewhere()  # it is not even there
    assert all(Path(os.environ[name]).is_dir() and Path(os.environ[name]).is_relative_to(task) for name in NAMES)
    assert os.environ["JUPYTER_CONFIG_PATH"] == f"{tmp_path}/home/.jupyter"
    assert os.environ["JUPYTER_PATH"] == f"/opt/share/jupyter:{tmp_path}/home/.local/share/jupyter"
    assert f"Nothing can be written to {tmp_path}/home" in capsys.readouterr().out


def test_outside_of_a_task_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRYBENCH_TASK_DIR")
    full_home.begin_elsewhere()
    assert not any(name in os.environ for name in NAMES)
