"""A small image in which sessions work: the Python is that of all tests, which a container sees under its own path."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from drybench.model import Mount
from tests.docker import PYTHON, SOCKET, docker, has_image
from tests.python_environment import CHECKOUT

NAME = "drybench-test/session"
DOCKERFILE = """
FROM {base}
RUN {open}
ENV PATH={environment}/bin:$PATH
LABEL org.drybench.test=session
"""


@dataclass(frozen=True)
class SessionImage:
    name: str
    mounts: Sequence[Mount]  # what it needs to see


@pytest.fixture(scope="session")
def session_image(python_image: str, python_environment: Path) -> SessionImage:
    """Its packages are links to this checkout, so that nothing is built anew when they change."""
    folders = list(dict.fromkeys((python_environment, Path(sys.base_prefix).resolve(), CHECKOUT / "packages")))
    above = sorted({str(parent) for folder in folders for parent in folder.parents if parent != Path("/")})
    opened = " && ".join(f"mkdir -p '{folder}' && chmod a+x '{folder}'" for folder in above)
    dockerfile = DOCKERFILE.format(base=PYTHON, open=opened, environment=python_environment)
    name = f"{NAME}:{hashlib.sha256(dockerfile.encode()).hexdigest()[:12]}"
    if not has_image(SOCKET, name):
        docker("build", "-q", "-t", name, "-", input=dockerfile.encode())
    return SessionImage(name, [Mount(folder, folder, read_only=True) for folder in folders])
