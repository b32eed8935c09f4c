"""GPUs from the form of New run to the container: the hook that would bring them in sees those that were granted.

There is no GPU here. Docker takes requests for them where it finds the toolkit's program when it starts; that
program stands in for the real one, and keeps what it is told of each container.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.asking import Desk
from drybench.catalogue import Catalogue
from drybench.engines.base import Capabilities
from drybench.engines.docker import DockerEngine
from drybench.engines.local import LocalEngine
from drybench.ids import uuid7
from drybench.model import Account, App, Environment, Gpu, Person, Run, Size, Surroundings
from drybench.phases import Phase
from drybench.runs.submitting import Rules, Runs
from drybench.web.app import create_app
from tests.docker import BASE, SOCKET, PrivateDocker, need_base, private_docker
from tests.ledger import Clock
from tests.unit.web.little_bench import LittleBench, little_bench, notebook, now, xsrf
from tests.waiting import PATIENCE
from tests.world import World

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(600)]

GIB = 1 << 30
SMALL, BIG, HUGE = Gpu("GPU-small", 8 * GIB), Gpu("GPU-big", 24 * GIB), Gpu("GPU-huge", 80 * GIB)
SIZES = (Size("default", "Small", 1, GIB), Size("gpu", "With a GPU", 1, GIB, gpus=(0,)))
PLACE = Environment("python", "In a container", "", "local", (App("lab", "JupyterLab"),), image=BASE)
HOOK = """#!/bin/sh
PATH=/usr/bin:/bin
bundle=$(sed -n 's/.*"bundle":"\\([^"]*\\)".*/\\1/p')
told={folder}/$(basename "$bundle")
cp "$bundle/config.json" "$told.new" && mv "$told.new" "$told.json"
"""
NOTEBOOK = notebook("print(1)")


@dataclass(frozen=True)
class Seen:
    """What the hook was told, by task."""

    folder: Path

    def by_task(self) -> Mapping[str, Mapping[str, set[str]]]:
        return dict(map(_variables, self.folder.glob("*.json")))


class OneImage(Catalogue):
    def environments(self) -> Sequence[Environment]:
        return (PLACE,)

    def environment(self, name: str, *_: object) -> Environment:
        return PLACE

    def kernels(self, environment: Environment) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class Bench:
    """Pages, ledger, loop and the Docker engine, without a Hub."""

    little: LittleBench
    world: World
    client: httpx.AsyncClient

    async def ask(self, *gpus: str, size: str = "default") -> Run:
        """As a browser does: first the notebook, then what is typed beside it. A new run comes at the top."""
        answer = await self.press(*gpus, size=size)
        assert answer.status_code == 303, answer.text
        return self.little.portal.runs.get(self.little.person(), answer.headers["location"].rpartition("/")[2])

    async def press(self, *gpus: str, size: str = "default") -> httpx.Response:
        kept = self.little.portal.handed_in.keep(self.little.person().id, NOTEBOOK)
        fields = {"n.1.source": f"kept:{kept}", "n.1.name": f"{uuid7()}.ipynb", "size": size, "gpus": list(gpus)}
        return await self.client.post("/runs/new", data=fields, headers=xsrf())

    async def until(self, condition: Callable[[], object], seconds: float = 3 * PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the loop never got there"
            await self.world.loop.look()
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def docker() -> Iterator[PrivateDocker]:
    need_base(SOCKET)
    with private_docker(gpus=True) as own:
        with subprocess.Popen(["docker", "save", BASE], stdout=subprocess.PIPE) as saving:
            loading = ["docker", "-H", own.url, "load", "-q"]
            subprocess.run(loading, stdin=saving.stdout, check=True, stdout=subprocess.DEVNULL)
        yield own


@pytest.fixture
def seen(docker: PrivateDocker, tmp_path: Path) -> Seen:
    folder = tmp_path / "seen"
    folder.mkdir()
    hook = docker.folder / "bin" / "nvidia-container-runtime-hook"
    hook.write_text(HOOK.format(folder=folder))
    return Seen(folder)


@pytest.fixture
async def bench(docker: PrivateDocker, tmp_path: Path) -> AsyncIterator[Bench]:
    little, clock = little_bench(tmp_path), Clock()
    tasks = little.data.tasks
    engine = DockerEngine(
        tasks, url=docker.url, bench_id=uuid7(), cores=8, memory=16 * GIB, gpus=(SMALL, BIG, HUGE), network="none"
    )
    world = World(little.ledger, little.data.path, clock)
    world.engine = engine  # type: ignore[assignment]
    world.new_portal()
    catalogue = OneImage({}, SIZES, tmp_path)
    desk = Desk(
        little.ledger, {"local": engine}, catalogue, little.portal.changes, world.loop.wake, now, uuid7, tmp_path,
        surroundings=_for_ada,
    )  # fmt: skip
    runs = Runs(desk, little.portal.run_folders, little.portal.runs._shelf, little.data.overlays, Rules(1 << 20))  # type: ignore[reportPrivateUsage]
    portal = replace(little.portal, catalogue=catalogue, runs=runs, gpus=(SMALL, BIG, HUGE))
    little = replace(little, portal=portal)
    async with little.client(app=create_app(portal)) as client:
        yield Bench(little, world, client)
    for task in little.ledger.open_tasks():
        await engine.forget({"format": 1, "task": task.id})
    await engine.close()


async def test_the_hook_sees_the_gpus_that_were_granted_and_no_others(bench: Bench, seen: Seen) -> None:
    runs = [await bench.ask("any"), await bench.ask("16 GiB"), await bench.ask("30 GB")]
    tasks = {run.task.id: gpu for run, gpu in zip(runs, (SMALL, BIG, HUGE), strict=True)}
    await bench.until(lambda: seen.by_task().keys() >= tasks.keys())
    for task, gpu in tasks.items():
        told = seen.by_task()[task]
        row = bench.little.ledger.task(task)
        assert told["NVIDIA_VISIBLE_DEVICES"] == {gpu.id}
        assert told["CUDA_VISIBLE_DEVICES"] == {gpu.id}
        assert row is not None
        assert row.gpus == (gpu.id,)


async def test_two_at_once_and_those_of_the_size(bench: Bench, seen: Seen) -> None:
    """In the order of asking: first the size's, then those that were typed."""
    run = await bench.ask("24 GB", size="gpu")
    await bench.until(lambda: run.task.id in seen.by_task())
    row = bench.little.ledger.task(run.task.id)
    assert row is not None
    assert row.gpus == (SMALL.id, BIG.id)
    assert seen.by_task()[run.task.id]["NVIDIA_VISIBLE_DEVICES"] == {f"{SMALL.id},{BIG.id}"}


async def test_who_asks_for_none_gets_none(bench: Bench, seen: Seen) -> None:
    run = await bench.ask()
    await bench.until(lambda: (row := bench.little.ledger.task(run.task.id)) and row.phase is Phase.ENDED)
    assert seen.by_task() == {}


async def test_what_can_never_be_given_is_refused_at_once_with_what_there_is(bench: Bench) -> None:
    answer = await bench.press("24 GB", "24 GB", "24 GB")
    assert answer.status_code == 422
    sentence = "It asks for 3 GPUs with 24 GB; this bench has one with 80 GiB and one with 24 GiB and one with 8 GiB."
    assert sentence in answer.text
    assert bench.little.ledger.open_tasks() == []


async def test_on_the_machine_itself_a_task_is_told_which_are_its_own(tmp_path: Path) -> None:
    little, seen = little_bench(tmp_path), tmp_path / "seen"
    seen.mkdir()
    world = World(little.ledger, little.data.path, Clock())
    engine = LocalEngine(little.data.tasks, cores=4, memory=8 * GIB, gpus=(SMALL, BIG, HUGE))
    world.engine = engine  # type: ignore[assignment]
    world.new_portal()
    telling: dict[str, Any] = {
        "command": ("sh", "-c", 'echo "$CUDA_VISIBLE_DEVICES" > $DRYBENCH_TASK'),
        "workdir": seen,
        "memory": GIB,
    }
    wishes = ((), (0,), (16 * GIB, 0))
    asks = {world.run(**telling, gpu_count=len(vram), vram=vram).task.id: vram for vram in wishes}
    bench = Bench(little, world, httpx.AsyncClient())
    await bench.until(lambda: len([file for file in seen.iterdir() if file.read_text()]) == len(asks))
    told = {asks[file.name]: file.read_text().strip() for file in seen.iterdir()}
    assert told == {(): "", (0,): SMALL.id, (16 * GIB, 0): f"{BIG.id},{HUGE.id}"}
    await bench.until(lambda: not little.ledger.open_tasks())
    await bench.client.aclose()
    await engine.close()


def _for_ada(person: Person, can: Capabilities) -> Surroundings:
    return Surroundings(Path("/home") / person.name, Account(20_001, 20_001))


def _variables(file: Path) -> tuple[str, Mapping[str, set[str]]]:
    """A variable may be said twice, and must not say two things."""
    said: dict[str, Any] = json.loads(file.read_text())
    found: dict[str, set[str]] = {}
    for name, _, value in (one.partition("=") for one in said["process"]["env"]):
        found.setdefault(name, set()).add(value)
    (task,) = found["DRYBENCH_TASK"]
    return task, found
