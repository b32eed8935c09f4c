"""What the contract needs where tasks are containers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import drybench_runner
from drybench.engines.base import Engine, Handle
from drybench.engines.docker import DockerEngine
from drybench.model import RUN, Account, Mount, Task
from drybench.phases import Seen, Sight
from tests.contract.engine_contract import SERVER, TAKES_ONE, EngineContract, MakeEngine, log_of, log_with, until
from tests.docker import Door, door, remove_containers
from tests.waiting import PATIENCE

ADA = Account(uid=20_001, gid=20_001)
RUNNER = Path(drybench_runner.__file__).parent.parent


def for_ada(folder: Path) -> Path:
    os.chown(folder, ADA.uid, ADA.gid)
    return folder


class ContainerContract(EngineContract):
    """With the fixtures `url` and `image`."""

    serves = ("python3", "-c", SERVER.replace("127.0.0.1", "0.0.0.0"))
    is_ready = ("python3", "-c", TAKES_ONE)

    @pytest.fixture
    async def docker_door(self, url: str) -> AsyncIterator[Door]:
        async with door(url) as made:
            yield made

    @pytest.fixture
    def make_engine(self, docker_door: Door, image: str, tmp_path: Path) -> MakeEngine:
        tasks = tmp_path / "tasks"
        tasks.mkdir()
        self.door, self.image, bench_id = docker_door, image, f"test-{uuid4()}"
        return lambda: DockerEngine(
            tasks, url=docker_door.url, bench_id=bench_id, cores=2, memory=2 << 30, runner=RUNNER
        )

    def given(self, folder: Path) -> Mapping[str, Any]:
        return {"image": self.image, "account": ADA, "mounts": (Mount(for_ada(folder), folder),)}

    def out_of_reach(self, engine: Engine) -> AbstractAsyncContextManager[None]:
        return self.door.closed()


@dataclass(frozen=True)
class Bench:
    """An engine of containers, and short words for what the tests do with it."""

    engine: DockerEngine
    tasks: Path
    image: str
    bench_id: str
    socket: Path
    made: list[str] = field(default_factory=list[str])

    def task(self, *command: str, **more: Any) -> Task:
        self.made.append(str(uuid4()))
        given: dict[str, Any] = {"image": self.image, "account": ADA, "memory": 512 << 20, **more}
        return Task(id=self.made[-1], person=given.pop("person", "ada"), kind=RUN, command=command, **given)

    async def start(self, *command: str, env: Mapping[str, str] | None = None, **more: Any) -> Handle:
        return await self.engine.start(self.task(*command, **more), env or {})

    async def sight(self, handle: Handle) -> Sight:
        return (await self.engine.poll([handle]))[0]

    async def ended(self, handle: Handle, seconds: float = PATIENCE) -> Sight:
        return await until(self.engine, handle, Seen.ENDED, seconds=seconds)

    async def runs(self, handle: Handle) -> Sight:
        return await until(self.engine, handle, Seen.RUNNING)

    async def log(self, handle: Handle) -> str:
        return (await log_of(self.engine, handle)).decode()

    async def said(self, handle: Handle, text: str) -> str:
        return (await log_with(self.engine, handle, text.encode())).decode()

    async def says(self, *command: str, **more: Any) -> str:
        """All that it printed when it had ended."""
        handle = await self.start(*command, **more)
        await self.ended(handle)
        return await self.log(handle)


MakeBench = Callable[..., Bench]


def new_bench(url: str, image: str, folder: Path, **more: Any) -> Bench:
    tasks, bench_id = folder / "tasks", f"test-{uuid4()}"
    tasks.mkdir(mode=0o700, exist_ok=True)
    given: dict[str, Any] = {"cores": 2, "memory": 4 << 30, "runner": RUNNER, **more}
    return Bench(
        DockerEngine(tasks, url=url, bench_id=bench_id, **given),
        tasks,
        image,
        bench_id,
        Path(url.removeprefix("unix://")),
    )


async def clear(bench: Bench) -> None:
    for id in bench.made:
        await bench.engine.forget({"format": 1, "task": id})
    await bench.engine.close()
    await asyncio.to_thread(remove_containers, f"org.drybench.bench={bench.bench_id}", bench.socket)
