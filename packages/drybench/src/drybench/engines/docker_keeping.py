"""What is left when a task has ended: its log for a while, and the container itself where it has files of its own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiodocker
import structlog

from drybench.engines import docker_log, docker_slots, host_mounts
from drybench.engines.docker_connection import ask, part, parts
from drybench.engines.docker_container import BENCH_LABEL, ENV_FILE, KEPT, TASK_LABEL
from drybench.engines.docker_leavings import is_over, left_behind
from drybench.engines.docker_looking import Container
from drybench.engines.local_folder import TaskFolder
from drybench.errors import DrybenchError
from drybench.people import hands_in_a_container

log = structlog.get_logger("docker")

SWEEP_EVERY = 600.0
LOGS_FOR = 24 * 3600.0  # seconds


class Keeping:
    def __init__(self, tasks: Path, bench_id: str, keep_stopped: float) -> None:
        self._tasks = tasks
        self._bench = f"{BENCH_LABEL}={bench_id}"
        self._keep_stopped = keep_stopped
        self._sweep_after = 0.0
        self._sweeping: asyncio.Task[None] | None = None

    async def clear(
        self, docker: aiodocker.Docker, container: Container | None, folder: TaskFolder, called: str
    ) -> None:
        """`called`: the task that it was last, where it stood ready for another."""
        if container is not None:
            if await asyncio.to_thread(folder.exists):
                with suppress(aiodocker.DockerError):  # a log that cannot be had must not keep what is over
                    await docker_log.keep(docker, container.id, folder.path)
            if await self._stays(docker, container, called):
                await asyncio.to_thread(_leave, folder)
                return
            await _can_be_removed(docker, folder.own)
            await _remove(docker, container.id)
        if not await self._is_kept(docker, folder):
            await asyncio.to_thread(_clear_away, folder, self._tasks / called)

    def begin_sweep(self, docker: aiodocker.Docker) -> None:
        """Now and then; nobody waits for it."""
        if time.monotonic() >= self._sweep_after:
            self._sweep_after = time.monotonic() + SWEEP_EVERY
            self._sweeping = asyncio.create_task(self._sweep_safely(docker))

    async def sweep(self, docker: aiodocker.Docker) -> None:
        now = datetime.now(UTC)
        for shown in await self._kept(docker):
            state = (await ask(docker, f"containers/{shown['Id']}/json"))["State"]
            if is_over(state, self._keep_stopped, now):
                await asyncio.to_thread(self._remove_folder, shown["Labels"][TASK_LABEL])
                await _remove(docker, shown["Id"])  # last, for all of this is found by it
        await asyncio.to_thread(self._remove_logs, now)

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    async def _stays(self, docker: aiodocker.Docker, container: Container, called: str) -> bool:
        """Stopped, under a name of its own, so that its files can still be fetched; its folder is mounted in it.

        Which files it has changed takes Docker seconds, how many bytes it has written a moment.
        """
        if self._keep_stopped <= 0 or not container.has_begun:
            return False
        shown = await ask(docker, f"containers/{container.id}/json", params={"size": True})
        if shown.get("SizeRw") == 0:
            return False
        changes: Sequence[Mapping[str, Any]] | None = await ask(docker, f"containers/{container.id}/changes")
        targets = [str(mount["Destination"]) for mount in parts(shown, "Mounts")]
        if not left_behind(changes, targets, part(shown, "Config").get("WorkingDir") or "/"):
            return False
        await ask(docker, f"containers/{container.id}/rename", "POST", params={"name": f"{KEPT}{called}"})
        return True

    async def _is_kept(self, docker: aiodocker.Docker, folder: TaskFolder) -> bool:
        return bool(await self._kept(docker, f"{TASK_LABEL}={folder.path.name}"))

    async def _kept(self, docker: aiodocker.Docker, label: str = TASK_LABEL) -> list[Mapping[str, Any]]:
        params = {"all": True, "filters": {"label": [self._bench, label]}}
        shown = await ask(docker, "containers/json", params=params)
        return [each for each in shown if Container.of(each).is_kept]

    async def _sweep_safely(self, docker: aiodocker.Docker) -> None:
        try:
            await self.sweep(docker)
        except (DrybenchError, aiodocker.DockerError, OSError) as problem:
            log.warning("what is old was not removed", cause=str(problem))

    def _remove_folder(self, id: str) -> None:
        folder = TaskFolder.of(self._tasks, id)
        if folder is not None:
            docker_slots.remove(folder)
        for link in self._tasks.iterdir():
            if link.is_symlink() and str(link.readlink()) == id:
                link.unlink()

    def _remove_logs(self, now: datetime) -> None:
        """Of containers that are gone: nothing else lies beside such a log."""
        for file in self._tasks.glob(f"*/{docker_log.KEPT}"):
            with suppress(OSError):
                old = now.timestamp() - file.stat().st_mtime > LOGS_FOR
                if old and not file.parent.is_symlink() and not (file.parent / "own").exists():
                    file.unlink()
                    file.parent.rmdir()


async def _can_be_removed(docker: aiodocker.Docker, own: Path) -> None:
    """What another uid wrote only that uid can remove, unless one is root. Its image has no part."""
    if os.geteuid() != 0:
        with suppress(FileNotFoundError):
            await hands_in_a_container.take_back(docker, own)


async def _remove(docker: aiodocker.Docker, id: str) -> None:
    """With the volumes that its image wanted. What is gone already, or going, is no error."""
    try:
        await ask(docker, f"containers/{id}", "DELETE", params={"v": True, "force": True})
    except aiodocker.DockerError as problem:
        if problem.status not in (404, 409):
            raise


def _leave(folder: TaskFolder) -> None:
    """All but what must not be kept."""
    host_mounts.clear(docker_slots.of(folder))
    with suppress(OSError):  # the task may have put a folder in its place
        (folder.own / ENV_FILE).unlink(missing_ok=True)


def _clear_away(folder: TaskFolder, called: Path) -> None:
    """All but the log, which lies by the task's name from then on."""
    log_file, aside = folder.path / docker_log.KEPT, folder.path.with_name(f"{folder.path.name}.log")
    has_words = log_file.is_file() and log_file.stat().st_size > 0
    if has_words:
        log_file.rename(aside)
    docker_slots.remove(folder)
    if has_words:
        called.mkdir(mode=0o700, exist_ok=True)
        aside.rename(called / docker_log.KEPT)
