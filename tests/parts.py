"""Parts of the system that some tests need, and how to get each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Part:
    name: str
    packages: tuple[str, ...]  # Debian's
    found: Callable[[], bool]

    @property
    def sentence(self) -> str:
        return f"{self.name} is missing: `apt-get install {' '.join(self.packages)}` as root brings it."


def _program(*names: str) -> Callable[[], bool]:
    places = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return lambda: any(shutil.which(name, path=places) for name in names)


def _postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


PARTS = {
    part.name: part
    for part in (
        Part("chromium", ("chromium", "fonts-dejavu-core"), _program("chromium")),
        Part("postgresql", ("postgresql",), _postgresql),
        Part("sshd", ("openssh-server",), _program("sshd")),
        Part("ssh", ("openssh-client",), _program("ssh")),
        Part("openssl", ("openssl",), _program("openssl")),
        Part("mmdebstrap", ("mmdebstrap",), _program("mmdebstrap")),
    )
}


def has(name: str) -> bool:
    return PARTS[name].found()


def needs(*names: str) -> None:
    """Skip with the sentence how to get what is missing; with CI=true fail instead."""
    missing = [PARTS[name] for name in names if not PARTS[name].found()]
    if missing:
        leave_out(" ".join(part.sentence for part in missing))


def leave_out(sentence: str) -> None:
    """This machine cannot run the test. With CI=true nothing may be skipped for that."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
