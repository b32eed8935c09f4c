"""What every test has: its parts, or a sentence that says how to get them."""

from __future__ import annotations

import pytest

from tests.bench import bench as bench
from tests.parts import needs

pytest_plugins = ["tests.postgres", "tests.docker", "tests.shipped"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        needs(*mark.args)
