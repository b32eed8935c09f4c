"""Images in the manner of Jupyter's docker-stacks, as those cannot be pulled everywhere; `tests/stacks` is in them."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench.environment_folders import SHIPPED
from tests.docker import docker

NOTEBOOK, DESKTOP = "drybench-test/stacks", "drybench-test/stacks-desktop"
FILES = Path(__file__).with_name("stacks")


@pytest.fixture(scope="session")
def stacks_image(docker_url: str) -> str:
    """Built in minutes, so `make test` leaves out what needs it, and `make test-images` has it."""
    if os.environ.get("DRYBENCH_TEST_IMAGES") != "all":
        pytest.skip("images in the manner of docker-stacks are built and tried by `make test-images`")
    return _built(NOTEBOOK, "notebook")


@pytest.fixture(scope="session")
def stacks_desktop_image(stacks_image: str) -> str:
    """The same, with jupyter-remote-desktop-proxy and TigerVNC."""
    return _built(DESKTOP, "desktop")


def _built(image: str, target: str) -> str:
    """A minute or two; what Docker remembers takes a second."""
    docker("build", "-q", "-t", image, "--target", target, "-", input=_context())
    return image


def _context() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(FILES.iterdir()):
            _add(tar, path.name, path.read_bytes(), 0o755)
        _add(tar, "pins", "".join(_pins()).encode())
        _add(tar, "certificates", _certificates())
    return file.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _pins() -> Iterator[str]:
    """The versions that our own images have, where they have it."""
    for folder in (SHIPPED / "base", FILES):
        lock = (folder / "requirements.lock").read_text()
        yield from (f"{pin}\n" for pin in re.findall(r"^[\w.-]+==[^\s;]+", lock, re.MULTILINE))


def _certificates() -> bytes:
    """Of this machine: behind a proxy it trusts more than Debian does."""
    file = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    return Path(file).read_bytes()
