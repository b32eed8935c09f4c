"""Bad luck with containers: nothing runs twice, nothing is taken for dead, and people are told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiodocker
import pytest

from drybench.engines import docker as docker_engine
from drybench.engines import docker_keeping, docker_looking
from drybench.engines.docker import DockerEngine
from drybench.engines.docker_connection import ask
from drybench.errors import ContainerRefused, DiskFull, DockerAway, ImageNotHad
from drybench.model import Mount, Task
from drybench.phases import Reason, Seen
from tests.contract.containers import Bench, clear, new_bench
from tests.docker import BASE, docker, door, inspected
from tests.waiting import PATIENCE, eventually

IGNORES_SIGTERM = "trap 'echo asked' TERM; echo up; while true; do sleep 0.1; done"
PORTAL = """
import asyncio, os, signal, sys
from pathlib import Path
from drybench.engines import docker
from drybench.engines.docker import DockerEngine
from drybench.engines.docker_connection import ask
from drybench.model import Account, Task

ask = docker.ask

async def killed_before_the_start(client, path, *rest, **more):
    if path.endswith("/start"):
        os.kill(os.getpid(), signal.SIGKILL)
    return await ask(client, path, *rest, **more)

async def main(tasks, url, bench_id, image, id):
    docker.ask = killed_before_the_start
    engine = DockerEngine(Path(tasks), url=url, bench_id=bench_id, cores=2, memory=4 << 30)
    command = ("sh", "-c", "echo began $TOKEN; exec sleep 1000")
    await engine.start(Task(id, "ada", "run", command, image=image, account=Account(20001, 20001)), {"TOKEN": "first"})

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def leaving_image(python_image: str) -> Iterator[str]:
    """One whose entrypoint ends at once."""
    name = "drybench-test/leaving"
    docker("build", "-q", "-t", name, "-", input=f'FROM {BASE}\nENTRYPOINT ["sh", "-c", "echo no; exit 5"]\n'.encode())
    yield name
    docker("rmi", "-f", name)


async def test_a_portal_killed_between_create_and_start(containers: Bench, docker_url: str) -> None:
    task = containers.task("sh", "-c", "echo began $TOKEN; exec sleep 1000")
    arguments = [str(containers.tasks), docker_url, containers.bench_id, containers.image, task.id]
    assert await asyncio.to_thread(lambda: subprocess.run([sys.executable, "-c", PORTAL, *arguments]).returncode) == -9
    assert inspected(f"drybench-{task.id}")["State"]["Status"] == "created"
    handle = {"format": 1, "task": task.id}
    assert (await containers.sight(handle)).seen is Seen.UNKNOWN
    await containers.engine.start(task, {"TOKEN": "second"})
    assert await containers.said(handle, "began") == "began second\n"


async def test_docker_away_for_a_while(docker_url: str, python_image: str, tmp_path: Path) -> None:
    async with door(docker_url) as way:
        bench = new_bench(way.url, python_image, tmp_path)
        handle = await bench.start("sh", "-c", "until [ -e /tmp/end ]; do sleep 0.05; done; exit 3")
        await bench.runs(handle)
        news = asyncio.create_task(_ended(bench.engine, handle))
        async with way.closed():
            assert (await bench.sight(handle)).seen is Seen.UNREACHABLE
            assert "Docker does not answer" in await bench.engine.prepare(bench.task("true"))
            with pytest.raises(DockerAway):
                await bench.start("true")
            docker("exec", f"drybench-{handle['task']}", "touch", "/tmp/end")
        await asyncio.wait_for(news, PATIENCE)
        assert (await bench.sight(handle)).exit_code == 3
        await clear(bench)


async def test_no_room_for_a_container(containers: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = docker_engine.ask

    async def full(client: aiodocker.Docker, path: str, *rest: Any, **more: Any) -> Any:
        if path == "containers/create":
            raise aiodocker.DockerError(500, "mkdir /var/lib/docker/overlay2/x: no space left on device")
        return await ask(client, path, *rest, **more)

    task = containers.task("sh", "-c", "echo began")
    monkeypatch.setattr(docker_engine, "ask", full)
    with pytest.raises(DiskFull):
        await containers.engine.start(task, {})
    assert (await containers.sight({"format": 1, "task": task.id})).seen is Seen.UNKNOWN
    monkeypatch.setattr(docker_engine, "ask", ask)
    await containers.ended(await containers.engine.start(task, {}))


async def test_one_that_is_removed_and_never_began_has_not_ended(
    containers: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, go_on = docker_engine.ask, asyncio.Event()

    async def slow(client: aiodocker.Docker, path: str, *rest: Any, **more: Any) -> Any:
        if path.endswith("/start"):
            await go_on.wait()
        return await ask(client, path, *rest, **more)

    async def removing(client: aiodocker.Docker, path: str, *rest: Any, **more: Any) -> Any:
        said = await ask(client, path, *rest, **more)
        return [{**one, "State": "removing"} for one in said] if path == "containers/json" else said

    monkeypatch.setattr(docker_engine, "BACK_WITHIN", 0.01)
    monkeypatch.setattr(docker_engine, "ask", slow)
    handle = await containers.start("sh", "-c", "echo began")
    await eventually(lambda: bool(docker("ps", "-aq", "--filter", f"name=drybench-{handle['task']}")))
    with monkeypatch.context() as while_removed:
        while_removed.setattr(docker_looking, "ask", removing)
        assert (await containers.sight(handle)).seen is Seen.STARTING
    go_on.set()
    await containers.ended(handle)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_slow_start_goes_on_behind_the_handle(
    containers: Bench, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    ask, go_on = docker_engine.ask, asyncio.Event()

    async def slow(client: aiodocker.Docker, path: str, *rest: Any, **more: Any) -> Any:
        if path.endswith("/start"):
            await go_on.wait()
            if fails:
                raise aiodocker.DockerError(500, "no luck")
        return await ask(client, path, *rest, **more)

    monkeypatch.setattr(docker_engine, "BACK_WITHIN", 0.01)
    monkeypatch.setattr(docker_engine, "ask", slow)
    handle = await containers.start("sh", "-c", "echo began")
    assert (await containers.sight(handle)).seen is Seen.STARTING
    go_on.set()
    ended = await containers.ended(handle)
    assert (ended.reason, "no luck" in ended.detail) == ((Reason.START_FAILED, True) if fails else (None, False))
    assert await containers.log(handle) == ("" if fails else "began\n")


async def test_one_that_comes_up_while_docker_is_asked_is_not_gone(
    containers: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's list was made a moment before it was there."""
    task = containers.task("sleep", "1000")
    looking, start = containers.engine._looking, asyncio.create_task(containers.engine.start(task, {}))
    list_all = looking.all

    async def a_moment_too_early(client: aiodocker.Docker) -> Mapping[str, Any]:
        found = {id: one for id, one in (await list_all(client)).items() if id != task.id}
        await start
        return found

    monkeypatch.setattr(looking, "all", a_moment_too_early)
    await eventually(lambda: task.id in containers.engine._starting)
    assert (await containers.sight({"format": 1, "task": task.id})).seen is Seen.STARTING


async def test_an_image_without_python_ends_with_a_sentence(containers: Bench) -> None:
    handle = await containers.start("python", "-m", "drybench_runner", image=BASE)
    assert (await containers.ended(handle)).exit_code == 127
    assert f"The image {BASE} has no python" in await containers.log(handle)


async def test_python_may_be_called_python3(containers: Bench) -> None:
    assert await containers.says("python", "-c", "print('runs')") == "runs\n"


async def test_the_runner_is_carried_in(containers: Bench) -> None:
    said = await containers.says("python", "-c", "import drybench_runner; print(drybench_runner.__file__)")
    assert said == "/drybench/runner/drybench_runner/__init__.py\n"


async def test_an_entrypoint_that_exits(containers: Bench, leaving_image: str) -> None:
    handle = await containers.start("sleep", "1000", image=leaving_image, entrypoint=True)
    assert (await containers.ended(handle)).exit_code == 5
    assert await containers.log(handle) == "no\n"


async def test_an_entrypoint_is_left_out_unless_it_is_wanted(containers: Bench, leaving_image: str) -> None:
    assert await containers.says("echo", "yes", image=leaving_image) == "yes\n"


async def test_what_ignores_sigterm_is_killed_after_its_grace(containers: Bench) -> None:
    handle = await containers.start("sh", "-c", IGNORES_SIGTERM)
    await containers.said(handle, "up")
    await containers.engine.stop(handle, 1)
    assert (await containers.ended(handle)).exit_code == 137
    assert "asked" in await containers.log(handle)


async def test_a_stop_goes_on_without_the_portal(containers: Bench, docker_url: str, tmp_path: Path) -> None:
    handle = await containers.start("sh", "-c", IGNORES_SIGTERM)
    await containers.said(handle, "up")
    killed = DockerEngine(containers.tasks, url=docker_url, bench_id=containers.bench_id, cores=2, memory=4 << 30)
    await killed.stop(handle, 2)
    await containers.said(handle, "asked")
    await killed.close()
    assert (await containers.ended(handle)).exit_code == 137


async def test_the_grace_can_be_shortened(containers: Bench) -> None:
    handle = await containers.start("sh", "-c", IGNORES_SIGTERM)
    await containers.said(handle, "up")
    await containers.engine.stop(handle, 1000)
    await containers.said(handle, "asked")
    await containers.engine.stop(handle, 0)
    await containers.ended(handle)


async def test_one_killed_or_removed_by_hand(containers: Bench) -> None:
    handle = await containers.start("sleep", "1000")
    await containers.runs(handle)
    docker("kill", f"drybench-{handle['task']}")
    assert (await containers.ended(handle)).exit_code == 137
    docker("rm", f"drybench-{handle['task']}")
    assert (await containers.sight(handle)).seen is Seen.UNKNOWN


async def test_an_image_that_cannot_be_had_says_why(containers: Bench) -> None:
    task = containers.task("true", image="127.0.0.1:1/nobody/nothing:1")
    assert await containers.engine.prepare(task) == "getting the image"
    with pytest.raises(ImageNotHad, match="connection refused"):
        await _prepared(containers, task)


@pytest.mark.parametrize("image", ["sha256:" + "0" * 64, "drybench/base:0123456789ab"])
async def test_what_was_built_here_is_not_looked_for_elsewhere(containers: Bench, image: str) -> None:
    with pytest.raises(ImageNotHad):
        await containers.engine.prepare(containers.task("true", image=image))


async def test_a_folder_that_is_not_there_is_refused(containers: Bench) -> None:
    task = containers.task("true", mounts=(Mount(Path("/nowhere/at/all"), Path("/data")),))
    with pytest.raises(ContainerRefused, match="/nowhere/at/all"):
        await containers.engine.start(task, {})
    assert (await containers.sight({"format": 1, "task": task.id})).seen is Seen.UNKNOWN


async def test_a_hostile_address_is_none(containers: Bench) -> None:
    """What it writes into its folder leads nowhere but to its own container."""
    said = json.dumps({"format": 1, "port": "80@evil"})
    script = f"cd /drybench/task; echo '{said}' >address.json; echo done; exec sleep 1000"
    handle = await containers.start("sh", "-c", script, needs_address=True)
    await containers.said(handle, "done")
    assert (await containers.sight(handle)).address is None


async def test_use_is_seen_without_asking_docker(containers: Bench) -> None:
    handle = await containers.start(
        "python3", "-c", "data = bytearray(100 << 20); print('up', flush=True)\nwhile True: pass"
    )
    await containers.said(handle, "up")
    async with asyncio.timeout(PATIENCE):
        while ((sight := await containers.sight(handle)).cpu or 0) <= 0.1:
            await asyncio.sleep(0.3)
    assert sight.memory is not None
    assert 100 << 20 <= sight.memory < 200 << 20
    assert sight.cpu is not None
    assert sight.cpu < 2.1


async def test_files_left_in_the_container_are_kept_for_a_while(
    containers: Bench, docker_url: str, tmp_path: Path
) -> None:
    handle = await containers.start("sh", "-c", "echo said; echo found >/var/tmp/result")
    await containers.ended(handle)
    for _ in range(2):
        await containers.engine.forget(handle)
    kept = f"drybench-kept-{handle['task']}"
    assert (await containers.sight(handle)).seen is Seen.UNKNOWN
    assert await containers.log(handle) == "said\n"
    assert docker("cp", f"{kept}:/var/tmp/result", "-")
    sweeper = DockerEngine(
        containers.tasks, url=docker_url, bench_id=containers.bench_id, cores=2, memory=4 << 30, keep_stopped=0.001
    )
    await sweeper.poll([handle])
    async with asyncio.timeout(PATIENCE):
        while docker("ps", "-aq", "--filter", f"name={kept}"):
            await asyncio.sleep(0.05)
    await sweeper.close()
    assert not (containers.tasks / handle["task"]).exists()


async def test_one_that_left_nothing_is_gone_but_for_its_log(
    containers: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Docker being asked which files it changed: that takes it seconds."""
    asked: list[str] = []

    async def noted(docker: aiodocker.Docker, path: str, *rest: Any, **more: Any) -> Any:
        asked.append(path)
        return await ask(docker, path, *rest, **more)

    monkeypatch.setattr(docker_keeping, "ask", noted)
    handle = await containers.start("sh", "-c", "echo said; touch /tmp/passing; touch /drybench/task/own")
    await containers.ended(handle)
    await containers.engine.forget(handle)
    assert docker("ps", "-aq", "--filter", f"label=org.drybench.task={handle['task']}") == ""
    assert await containers.log(handle) == "said\n"
    assert [path.name for path in (containers.tasks / handle["task"]).iterdir()] == ["docker.log"]
    assert asked
    assert not [path for path in asked if path.endswith("/changes")]


async def test_a_log_is_bounded(containers: Bench) -> None:
    handle = await containers.start("python3", "-c", "print(('x' * 1023 + '\\n') * (40 << 10), end='')")
    await containers.ended(handle)
    assert len(await containers.log(handle)) <= 2 * 9 << 20
    await containers.engine.forget(handle)
    assert (containers.tasks / handle["task"] / "docker.log").stat().st_size <= 2 * 9 << 20


async def _prepared(containers: Bench, task: Task) -> None:
    async with asyncio.timeout(PATIENCE):
        while await containers.engine.prepare(task):
            await asyncio.sleep(0.05)


async def _ended(engine: DockerEngine, handle: Mapping[str, Any]) -> None:
    async for id in engine.changes():
        if id == handle["task"] and (await engine.poll([handle]))[0].seen is Seen.ENDED:
            return
