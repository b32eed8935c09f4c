"""The images that come with Drybench, as its own command builds them: once for all workers, and kept for the next time.

It takes minutes where nothing is there yet, so it is begun as soon as the tests begin, beside those that need none.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.bench import DRYBENCH, SHARED
from tests.docker import docker_for_all

NAMES = ("base", "desktop")
BUILDS_WITHIN = 1500  # seconds; what is there already takes two
AHEAD = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    if _wanted() and not hasattr(session.config, "workerinput"):
        session.config.stash[AHEAD] = subprocess.Popen(
            [sys.executable, "-m", "tests.shipped"], stderr=subprocess.DEVNULL, start_new_session=True
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    if ahead := session.config.stash.get(AHEAD, None):
        with suppress(ProcessLookupError):
            os.killpg(ahead.pid, signal.SIGTERM)
        ahead.wait()


@pytest.fixture(scope="session")
def shipped(docker_url: str) -> None:
    """Docker has them. DRYBENCH_SHIPPED=older: an older one will do, while one works on what goes into them.

    To build them takes minutes, so that `make test` leaves out what needs them unless DRYBENCH_TEST_IMAGES says
    `light`; `all` is for those that build on them.
    """
    if not os.environ.get("DRYBENCH_TEST_IMAGES"):
        pytest.skip("needs the shipped images: `make test-images`, or `DRYBENCH_TEST_IMAGES=light make test`")
    need()


def need(*names: str) -> None:
    if _wanted():
        build(*names)


def build(*names: str) -> None:
    """Whoever wants the same at the same time waits for it."""
    SHARED.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    trusted = os.environ.get("SSL_CERT_FILE", "")  # this machine's way to packages is that of its images
    built = subprocess.run(
        [DRYBENCH, "images", "build", *(names or NAMES), "--data", SHARED.path],
        env={**os.environ, "DRYBENCH_IMAGES__EXTRA_CA": trusted},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILDS_WITHIN,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-5000:]


def _wanted() -> bool:
    return bool(os.environ.get("DRYBENCH_TEST_IMAGES")) and os.environ.get("DRYBENCH_SHIPPED") != "older"


if __name__ == "__main__":
    with docker_for_all():
        build()
        build("napari")
