"""The images that come with Drybench, as its own command builds them: once for all workers, and kept for the next time.

`python -m tests.shipped` builds them ahead, so that no test waits for it: minutes where nothing is there yet.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.bench import DRYBENCH, SHARED
from tests.docker import docker_for_all

NAMES = ("base", "desktop")
BUILDS_WITHIN = 1500  # seconds; what is there already takes two


@pytest.fixture(scope="session")
def shipped(docker_url: str) -> None:
    """Docker has them. DRYBENCH_SHIPPED=older: an older one will do, while one works on what goes into them.

    To build them takes minutes, so that `make test` leaves out what needs them, and `make test-images` has it.
    """
    if not os.environ.get("DRYBENCH_TEST_IMAGES"):
        pytest.skip("the shipped images are built and tried by `make test-images`")
    if os.environ.get("DRYBENCH_SHIPPED") != "older":
        build()


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


if __name__ == "__main__":
    with docker_for_all():
        build(*sys.argv[1:])
