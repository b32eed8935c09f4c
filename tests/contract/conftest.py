"""Engines for what only one of them has to hold."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from drybench.engines import local as local_engine
from drybench.engines.base import Handle
from drybench.engines.local import LocalEngine
from drybench.engines.processes import Identity
from drybench.model import RUN, Task
from drybench.phases import Seen, Sight
from tests.contract.containers import Bench, clear, new_bench
from tests.contract.engine_contract import log_of, log_with, until
from tests.waiting import PATIENCE, eventually


@dataclass(frozen=True)
class Local:
    """A local engine, and short words for what the tests do with it."""

    tasks: Path
    engine: LocalEngine

    def task(self, *command: str, **more: Any) -> Task:
        given: dict[str, Any] = {"workdir": self.tasks.parent, "memory": 512 << 20, **more}
        return Task(id=str(uuid4()), person="ada", kind=RUN, command=command, **given)

    async def start(self, *command: str, env: dict[str, str] | None = None, **more: Any) -> Handle:
        return await self.engine.start(self.task(*command, **more), env or {})

    async def sight(self, handle: Handle) -> Sight:
        return (await self.engine.poll([handle]))[0]

    async def ended(self, handle: Handle, seconds: float = PATIENCE) -> Sight:
        return await until(self.engine, handle, Seen.ENDED, seconds=seconds)

    async def log(self, handle: Handle) -> bytes:
        return await log_of(self.engine, handle)

    async def said(self, handle: Handle, text: str) -> str:
        return (await log_with(self.engine, handle, text.encode())).decode()

    async def number(self, handle: Handle) -> int:
        """A number that it printed first, such as a pid."""
        await self.said(handle, "\n")
        return int((await self.log(handle)).split()[0])

    def folder(self, handle: Handle) -> Path:
        return self.tasks / handle["task"]

    def watcher(self, handle: Handle) -> Identity:
        return self._identity(handle, "watcher.json")

    def command(self, handle: Handle) -> Identity:
        return self._identity(handle, "command.json")

    async def kill(self, identity: Identity) -> None:
        identity.signal(9)
        await eventually(lambda: not identity.is_alive)

    def _identity(self, handle: Handle, name: str) -> Identity:
        identity = Identity.from_json(json.loads((self.folder(handle) / name).read_text()))
        assert identity is not None
        return identity


@pytest.fixture
async def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Local]:
    monkeypatch.setattr(local_engine, "START_WITHIN", PATIENCE)  # what is busy with other tests takes longer
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    engine = LocalEngine(tasks, cores=2, memory=4 << 30)
    yield Local(tasks, engine)
    for folder in tasks.iterdir():
        await engine.forget({"format": 1, "task": folder.name})
    await engine.close()


@pytest.fixture
async def containers(docker_url: str, python_image: str, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = new_bench(docker_url, python_image, tmp_path)
    yield bench
    await clear(bench)
