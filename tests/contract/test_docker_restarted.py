"""A Docker of the tests' own: killed and started again in the middle, and asked for GPUs."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drybench.engines.docker import DockerEngine
from drybench.errors import NoSuchGpu
from drybench.model import Gpu
from drybench.phases import Seen
from tests.contract.containers import Bench, clear, new_bench
from tests.docker import BASE, PrivateDocker, docker, inspected, private_docker
from tests.waiting import PATIENCE

GPUS = (Gpu("GPU-0b1e", 24 << 30), Gpu("GPU-7c2d", 12 << 30), Gpu("2", 12 << 30))


@pytest.fixture(scope="module")
def own_docker(docker_url: str) -> Iterator[PrivateDocker]:
    """It has the one image that all have."""
    with private_docker(gpus=True) as own:
        image = own.folder / "image.tar"
        subprocess.run(["docker", "-H", docker_url, "save", "-o", image, BASE], check=True)
        docker("load", "-q", "-i", str(image), socket=own.socket)
        yield own


@pytest.fixture
async def restarted(own_docker: PrivateDocker, tmp_path: Path) -> AsyncIterator[Bench]:
    own_docker.be_up()
    bench = new_bench(own_docker.url, BASE, tmp_path, gpus=GPUS)
    yield bench
    own_docker.be_up()
    await clear(bench)


async def test_a_docker_that_is_killed_and_comes_back(restarted: Bench, own_docker: PrivateDocker) -> None:
    """Its containers run on meanwhile, and it finds them."""
    own_docker.options = ("--live-restore",)
    own_docker.stop()
    own_docker.start()
    handle = await restarted.start("sh", "-c", "echo began; until [ -e /tmp/end ]; do sleep 0.05; done; exit 3")
    await restarted.said(handle, "began")
    news = asyncio.create_task(_ended(restarted.engine, handle))
    own_docker.kill()
    assert (await restarted.sight(handle)).seen is Seen.UNREACHABLE
    await asyncio.to_thread(own_docker.start)
    assert (await restarted.sight(handle)).seen is Seen.RUNNING
    assert await restarted.log(handle) == "began\n"
    docker("exec", "-d", f"drybench-{handle['task']}", "touch", "/tmp/end", socket=own_docker.socket)
    await asyncio.wait_for(news, PATIENCE)
    assert (await restarted.sight(handle)).exit_code == 3


async def test_a_docker_that_takes_its_containers_with_it(restarted: Bench, own_docker: PrivateDocker) -> None:
    """As it does unless it is told otherwise: they have ended, and are not started again."""
    own_docker.options = ()
    own_docker.stop()
    own_docker.start()
    task = restarted.task("sh", "-c", "echo began; exec sleep 1000")
    handle = await restarted.engine.start(task, {})
    await restarted.said(handle, "began")
    own_docker.stop()
    assert (await restarted.sight(handle)).seen is Seen.UNREACHABLE
    await asyncio.to_thread(own_docker.start)
    for _ in range(2):
        assert (await restarted.ended(handle)).exit_code in (137, 143)
        handle = await restarted.engine.start(task, {})
    assert await restarted.log(handle) == "began\n"


async def test_it_gets_exactly_the_gpus_that_it_was_given(restarted: Bench, own_docker: PrivateDocker) -> None:
    task = restarted.task("env", gpu_count=2, gpus=("GPU-0b1e", "GPU-7c2d"))
    handle = await restarted.engine.start(task, {})
    await restarted.ended(handle)
    asked = inspected(f"drybench-{task.id}", own_docker.socket)["HostConfig"]["DeviceRequests"]
    assert [(request["DeviceIDs"], request["Capabilities"]) for request in asked] == [(list(task.gpus), [["gpu"]])]
    said = (await restarted.log(handle)).splitlines()
    assert "NVIDIA_VISIBLE_DEVICES=GPU-0b1e,GPU-7c2d" in said
    assert "CUDA_VISIBLE_DEVICES=GPU-0b1e,GPU-7c2d" in said
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in said


async def test_by_its_number_cuda_finds_the_only_one_there_is(restarted: Bench) -> None:
    said = (await restarted.says("env", gpu_count=1, gpus=("2",))).splitlines()
    assert "NVIDIA_VISIBLE_DEVICES=2" in said
    assert not any(line.startswith("CUDA_VISIBLE_DEVICES") for line in said)


async def test_without_gpus_it_sees_none_whatever_its_image_wants(restarted: Bench) -> None:
    said = (await restarted.says("env")).splitlines()
    assert {"NVIDIA_VISIBLE_DEVICES=void", "CUDA_VISIBLE_DEVICES="} <= set(said)


async def test_gpus_that_are_not_there_are_refused(restarted: Bench) -> None:
    with pytest.raises(NoSuchGpu):
        restarted.engine.check(restarted.task("env", gpu_count=4))


async def _ended(engine: DockerEngine, handle: Mapping[str, Any]) -> None:
    async for id in engine.changes():
        if id == handle["task"] and (await engine.poll([handle]))[0].seen is Seen.ENDED:
            return
