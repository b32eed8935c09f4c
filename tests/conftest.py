"""What every test has: its parts, or a sentence that says how to get them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from drybench.data_folder import DataFolder
from tests.bench import bench as bench
from tests.ledger import Clock
from tests.parts import needs

pytest_plugins = ["tests.postgres", "tests.docker", "tests.shipped"]

HERE = Path(__file__).parent
ORDER = ("browser", "integration", "contract", "images", "docs", "unit")

settings.register_profile("busy", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # the machine may have other work


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """With nothing in it."""
    data = DataFolder(tmp_path / "bench")
    data.make()
    return data


def pytest_configure() -> None:
    """Who is started in the background is deaf to Ctrl-C, and so would be all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        needs(*mark.args)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, and when the images are built, those that need them.

    With the many short ones at the end all workers are done at once.
    """
    in_images = {item.path for item in items if isinstance(item, pytest.Function) and "shipped" in item.fixturenames}
    items.sort(
        key=lambda item: ORDER.index("images" if item.path in in_images else item.path.relative_to(HERE).parts[0])
    )
