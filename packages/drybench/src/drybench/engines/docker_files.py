"""What a container finds of its task on the host: its private folder, its names, and once what must not be kept."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from drybench.engines import docker_container, host_mounts
from drybench.engines.docker_container import Place
from drybench.engines.local_folder import TaskFolder
from drybench.model import Account, Task

ASK_AGAIN = 0.02


def make(folder: TaskFolder, task: Task, place: Place, env: Mapping[str, str]) -> None:
    """Again does no harm, as long as the container has not begun."""
    give_to(folder.own, place.account, 0o700, 0o777)
    _write(folder.path / "passwd", docker_container.passwd(task, place))
    _write(folder.path / "group", docker_container.group(task, place))
    if place.slot is not None:
        host_mounts.make_slot(place.slot)
    if env:
        new = folder.path / "env.new"
        _write(new, docker_container.env_file(env))
        give_to(new, place.account, 0o600, 0o644)
        new.rename(folder.own / docker_container.ENV_FILE)


def name_anew(folder: TaskFolder, task: Task, place: Place) -> None:
    """In the very files that a container sees which stood ready for anybody. Nobody works in it yet."""
    texts = {"passwd": docker_container.passwd(task, place), "group": docker_container.group(task, place)}
    for name, text in texts.items():
        descriptor = os.open(folder.path / name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


@asynccontextmanager
async def one_at_a_time(folder: TaskFolder) -> AsyncGenerator[None, None]:
    """Also among portals. The lock is the kernel's, so that of one who was killed is free."""
    await asyncio.to_thread(folder.make)
    descriptor = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(descriptor):
            await asyncio.sleep(ASK_AGAIN)
        yield
    finally:
        os.close(descriptor)


def give_to(path: Path, account: Account, mode: int, foreign: int) -> None:
    """A portal that is not root cannot: then everybody may, but nobody else comes through the folder around it."""
    if os.geteuid() == 0:
        os.chown(path, account.uid, account.gid)
    path.chmod(mode if os.geteuid() in (0, account.uid) else foreign)


def _locked(descriptor: int) -> bool:
    """Not waited for: every thread that waits is one that the holder may need."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    """A container that runs already has the old file mounted, so it is never written over."""
    new = path.with_name(f"{path.name}.part")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600 if path.name.startswith("env") else 0o644)
        file.write(text)
    new.rename(path)
