"""Work done as somebody who is not root: a number that no account of this machine has, with the group of Docker."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, TypeVar

from tests.docker import SOCKET

SOMEBODY = 18_765

Answer = TypeVar("Answer")


@contextmanager
def folder_of_somebody() -> Generator[Path]:
    """Of theirs alone, as a data directory is; pytest's own folders are closed to everybody but root."""
    with TemporaryDirectory(prefix="somebody-", dir="/tmp", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            os.chown(name, SOMEBODY, SOMEBODY)
        yield Path(name)


def as_somebody(work: Callable[..., Answer], *said: Any) -> Answer:
    """In a process that has what is imported here already, for it may not be able to read it. As who runs the tests,
    where that is not root."""
    if os.geteuid() != 0:
        return work(*said)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _become_somebody_and(work, said, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    done, result = pickle.loads(answer)
    assert done, result
    return result


def _become_somebody_and(work: Callable[..., Any], said: tuple[Any, ...], pipe: int) -> NoReturn:
    """Nothing of the tests' own process goes on in it: no clearing up, no report."""
    try:
        os.setgroups([SOCKET.stat().st_gid])
        os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
        os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
        os.umask(0o077)
        answer = pickle.dumps((True, work(*said)))
    except BaseException:
        answer = pickle.dumps((False, traceback.format_exc()))
    with os.fdopen(pipe, "wb") as opened:
        opened.write(answer)
    os._exit(0)
