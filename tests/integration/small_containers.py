"""A bench with small containers, and a folder that all of them see."""

from __future__ import annotations

from pathlib import Path

import pytest

BASE = "base"


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where notebooks in containers leave word for a test: every task sees it under this path."""
    folder = tmp_path_factory.mktemp("marks")
    folder.chmod(0o777)
    return folder


def settings(marks: Path, ready: int) -> str:
    """Of a bench whose containers see `marks`, keep so many ready, and fit beside each other on a small machine."""
    return f"""
[ready]
most = {ready}
[sizes.default]
cores = 0.5
memory = "500 MB"
[[folders.mounts]]
source = "{marks}"
target = "{marks}"
"""
