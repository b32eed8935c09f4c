"""What a task may have written into its own folder, read without harm."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from drybench.engines.local_folder import TaskFolder

TOO_LARGE = 10**400


@pytest.mark.parametrize("number", [TOO_LARGE, 1 << 70, -1, True, "1", float("nan"), float("inf")])
def test_numbers_that_no_table_can_hold_are_no_numbers(tmp_path: Path, number: Any) -> None:
    (tmp_path / "usage.json").write_text(json.dumps({"memory": number, "cpu": number}))
    (tmp_path / "exit.json").write_text(json.dumps({"format": 1, "exit_code": number}))
    folder = TaskFolder(tmp_path)
    end = folder.end()
    assert folder.usage() == (None, None)
    assert end
    assert end.exit_code is None


def test_what_the_watcher_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "usage.json").write_text(json.dumps({"memory": 3 << 40, "cpu": 1.5}))
    (tmp_path / "exit.json").write_text(json.dumps({"format": 1, "exit_code": 137}))
    folder = TaskFolder(tmp_path)
    end = folder.end()
    assert folder.usage() == (3 << 40, 1.5)
    assert end
    assert end.exit_code == 137


def test_what_is_too_deep_for_python_is_removed(tmp_path: Path) -> None:
    folder = TaskFolder(tmp_path / "task")
    folder.make()
    here = os.open(folder.own, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    folder.remove()
    assert not folder.exists()
