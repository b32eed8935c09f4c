"""A ready container is shown the folder of its work when it is given it: once, all of it, and only that."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drybench.engines import docker_slots, host_mounts
from drybench.engines.base import Handle
from drybench.engines.docker import DockerEngine
from drybench.engines.local_folder import TaskFolder
from drybench.errors import ReadyGone
from drybench.model import READY, SESSION, Mount, Task
from drybench.phases import Reason, Seen
from tests.contract.containers import RUNNER, Bench, clear, for_ada, new_bench
from tests.contract.engine_contract import TAKES_ONE
from tests.docker import inspected
from tests.parts import leave_out

INSIDE = Path("/drybench/runs")
LOOKS = """
cd /drybench/runs; cat */given/run.json
for file in */given/more */1/more ./more; do touch $file 2>/dev/null && echo "wrote $file"; done
echo wrote >$(echo */1/made)/log.txt; cat /home/ada/own; exec sleep 1000
"""
DIES = """
import asyncio, os, signal, sys
from pathlib import Path
from drybench.engines import docker_slots, host_mounts, local_claiming
from drybench.engines.docker import DockerEngine
from drybench.model import RUN, Account, Mount, Task

tasks, url, bench_id, ready, where, *words = sys.argv[1:]
module, name = {"show": (host_mounts, "show"), "seal": (host_mounts, "seal"), "give": (local_claiming, "give")}[where]
real, calls = getattr(module, name), []

def dies(*given):
    calls.append(given)
    if where != "show" or len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)

setattr(module, name, dies)

async def main():
    id, run, image, home, *command = words
    mounts = (Mount(Path(home), Path("/home/ada")), *(
        Mount(Path(run, part), Path("/drybench/runs", Path(run).name, part), part != "1/made")
        for part in ("given", "1", "1/made")
    ))
    ada = Account(20001, 20001)
    task = Task(id, "ada", RUN, tuple(command), image=image, account=ada, memory=512 << 20, mounts=mounts)
    engine = DockerEngine(Path(tasks), url=url, bench_id=bench_id, cores=2, memory=4 << 30)
    await engine.claim({"format": 1, "task": ready}, task, {})

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def only_root() -> None:
    if os.geteuid() != 0:
        leave_out("Only root can mount.")


@pytest.fixture
def as_a_portal() -> Iterator[None]:
    """What it makes is closed to others, unless it says otherwise."""
    before = os.umask(0o077)
    yield
    os.umask(before)


class Ready:
    """A bench with a home and runs, and short words for what the tests do with it."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.runs = folder / "runs"
        self.home = folder / "home of ada"
        for made in (self.runs, self.home):
            made.mkdir(exist_ok=True)
        for_ada(self.home)
        (self.home / "own").write_text("her own\n")
        for_ada(self.home / "own")

    def run(self, name: str) -> Path:
        run = self.runs / name
        (run / "given").mkdir(parents=True)
        (run / "given" / "run.json").write_text(f"{name}\n")
        (run / "1" / "made").mkdir(parents=True)
        for part in ("given", "given/run.json", "1", "1/made"):
            for_ada(run / part)
        return run

    def task(self, run: Path, *command: str, **more: Any) -> Task:
        mounts = (Mount(self.home, Path("/home/ada")), *halves(run))
        return self.bench.task(*command, **{"mounts": mounts, **more})

    async def stands(self) -> Handle:
        task = self.bench.task("python3", "-c", TAKES_ONE, mounts=(Mount(self.home, Path("/home/ada")),))
        handle = await self.bench.engine.start(replace(task, kind=READY), {})
        await self.bench.runs(handle)
        return handle

    def mounted(self) -> list[Path]:
        return list(host_mounts.below(self.bench.tasks))


def halves(run: Path) -> tuple[Mount, ...]:
    inside = INSIDE / run.name
    return (
        Mount(run / "given", inside / "given", read_only=True),
        Mount(run / "1", inside / "1", read_only=True),
        Mount(run / "1" / "made", inside / "1" / "made"),
    )


@pytest.fixture
async def ready(docker_url: str, python_image: str, tmp_path: Path, as_a_portal: None) -> AsyncIterator[Ready]:
    bench = new_bench(docker_url, python_image, tmp_path)
    yield Ready(bench, tmp_path)
    await clear(bench)
    assert not list(host_mounts.below(tmp_path))


async def test_the_folder_of_a_run_appears_in_what_was_started_before_it_was_made(ready: Ready) -> None:
    assert ready.bench.engine.can.ready
    handle = await ready.stands()
    assert ready.mounted() == [ready.bench.tasks / handle["task"] / "slot"]
    run = ready.run("first")
    claimed = await ready.bench.engine.claim(handle, ready.task(run, "sh", "-c", LOOKS), {})
    await ready.bench.said(claimed, "her own")
    assert await ready.bench.log(claimed) == "first\nher own\n"
    assert (run / "1/made/log.txt").read_text() == "wrote\n"
    assert ready.mounted() == []


async def test_it_has_the_name_and_the_limits_of_its_task(ready: Ready) -> None:
    handle = await ready.stands()
    task = ready.task(ready.run("first"), "sleep", "1000", memory=256 << 20)
    await ready.bench.engine.claim(handle, task, {})
    host = inspected(f"drybench-{task.id}")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (256 << 20, 256 << 20, 1_000_000_000)


async def test_when_it_is_forgotten_nothing_is_mounted_and_nothing_of_the_run_is_lost(ready: Ready) -> None:
    """Also of one that was never used, and of one whose work was shown and never begun."""
    unused, shown, used = [await ready.stands() for _ in range(3)]
    run, other = ready.run("first"), ready.run("second")
    claimed = await ready.bench.engine.claim(used, ready.task(run, "sh", "-c", LOOKS), {})
    await ready.bench.said(claimed, "her own")
    slot = ready.bench.tasks / shown["task"] / "slot"
    (slot / "made").mkdir()
    host_mounts.show(Mount(other / "given", slot / "made"))
    for handle in (unused, shown, claimed):
        await ready.bench.engine.forget(handle)
    assert ready.mounted() == []
    assert {path.name for path in ready.bench.tasks.iterdir()} <= {claimed["task"]}  # its log
    assert (run / "1/made/log.txt").exists()
    assert (other / "given/run.json").exists()


async def test_a_used_one_is_never_used_again(ready: Ready) -> None:
    handle, first, second = await ready.stands(), ready.run("first"), ready.run("second")
    claimed = await ready.bench.engine.claim(handle, ready.task(first, "sh", "-c", LOOKS), {})
    await ready.bench.said(claimed, "her own")
    task = ready.task(second, "sh", "-c", "cat /drybench/runs/*/given/run.json")
    with pytest.raises(ReadyGone):
        await ready.bench.engine.claim(handle, task, {})
    assert (await ready.bench.sight(claimed)).seen is Seen.RUNNING
    assert sees(claimed) == "first"
    started = await ready.bench.engine.start(task, {})
    await ready.bench.ended(started)
    assert await ready.bench.log(started) == "second\n"


async def test_two_runs_at_once_never_get_into_one(ready: Ready) -> None:
    handle, runs = await ready.stands(), [ready.run("first"), ready.run("second")]
    tasks = [ready.task(run, "sh", "-c", "ls /drybench/runs; exec sleep 1000") for run in runs]
    answers = await asyncio.gather(
        *(ready.bench.engine.claim(handle, task, {}) for task in tasks), return_exceptions=True
    )
    claimed = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(claimed) <= 1
    assert all(isinstance(answer, ReadyGone) for answer in answers if isinstance(answer, BaseException))
    for one in claimed:
        name = runs[[task.id for task in tasks].index(one["task"])].name
        assert await ready.bench.said(one, "\n") == f"{name}\n"
    assert ready.mounted() == []


async def test_one_that_was_shown_other_work_takes_none(ready: Ready) -> None:
    handle, other = await ready.stands(), ready.run("other")
    slot = ready.bench.tasks / handle["task"] / "slot"
    (slot / "other" / "given").mkdir(parents=True)
    host_mounts.show(Mount(other / "given", slot / "other" / "given", read_only=True))
    with pytest.raises(ReadyGone):
        await ready.bench.engine.claim(handle, ready.task(ready.run("first"), "true"), {})
    assert (await ready.bench.sight(handle)).seen is Seen.UNKNOWN
    assert (other / "given/run.json").exists()


async def test_what_cannot_be_shown_is_started_by_itself(ready: Ready) -> None:
    handle = await ready.stands()
    task = ready.task(ready.run("first"), "cat", "/elsewhere/own", mounts=(Mount(ready.home, Path("/elsewhere")),))
    with pytest.raises(ReadyGone):
        await ready.bench.engine.claim(handle, task, {})
    assert ready.mounted() == []
    assert await ready.bench.says("cat", "/elsewhere/own", mounts=task.mounts) == "her own\n"


@pytest.mark.parametrize("where", ["show", "seal", "give"])
async def test_the_portal_is_killed_in_the_middle_and_the_next_one_goes_on(ready: Ready, where: str) -> None:
    handle, run = await ready.stands(), ready.run("first")
    task = ready.task(run, "sh", "-c", LOOKS)
    bench, engine = ready.bench, ready.bench.engine
    words = [str(bench.tasks), f"unix://{bench.socket}", bench.bench_id, str(handle["task"]), where]
    words += [task.id, str(run), bench.image, str(ready.home), *task.command]
    ran = await asyncio.to_thread(lambda: subprocess.run([sys.executable, "-c", DIES, *words], check=False))
    assert ran.returncode == -signal.SIGKILL
    assert bool(ready.mounted()) == (where != "give")
    claimed = await engine.claim(handle, task, {})
    await bench.said(claimed, "her own")
    assert await bench.log(claimed) == "first\nher own\n"
    assert ready.mounted() == []


async def test_the_portal_is_killed_in_the_middle_and_the_run_is_not_wanted_any_more(ready: Ready) -> None:
    handle, run = await ready.stands(), ready.run("first")
    task = ready.task(run, "sh", "-c", LOOKS)
    words = [str(ready.bench.tasks), f"unix://{ready.bench.socket}", ready.bench.bench_id, str(handle["task"]), "seal"]
    words += [task.id, str(run), ready.bench.image, str(ready.home), *task.command]
    await asyncio.to_thread(lambda: subprocess.run([sys.executable, "-c", DIES, *words], check=False))
    await ready.bench.engine.forget({"format": 1, "task": task.id})
    assert ready.mounted() == []
    assert (run / "given/run.json").exists()


async def test_a_claim_that_was_not_taken_is_not_yet_the_task(ready: Ready) -> None:
    """Though its name leads there already: who was killed before has to ask for it once more."""
    handle, run = await ready.stands(), ready.run("first")
    task = ready.task(run, "sh", "-c", LOOKS)
    (ready.bench.tasks / task.id).symlink_to(str(handle["task"]))
    asked = {"format": 1, "task": task.id, "claimed": handle["task"]}
    assert (await ready.bench.sight(asked)).seen is Seen.UNKNOWN
    await ready.bench.said(await ready.bench.engine.claim(handle, task, {}), "her own")
    assert (await ready.bench.sight(asked)).seen is Seen.RUNNING


async def of_nobody(ready: Ready) -> Handle:
    """It becomes somebody's session; its slot is where homes appear."""
    task = ready.bench.task("python3", "-c", TAKES_ONE, home=Path("/home"), person="")
    handle = await ready.bench.engine.start(replace(task, kind=READY, becomes=SESSION), {})
    await ready.bench.runs(handle)
    return handle


def session(ready: Ready, *command: str, **more: Any) -> Task:
    home = Path("/home/ada")
    task = ready.bench.task(*command, home=home, mounts=(Mount(ready.home, home),), **more)
    return replace(task, kind=SESSION)


async def test_what_is_nobodys_becomes_somebodys(ready: Ready) -> None:
    looks = "cat $HOME/own; ls /home; grep 20001 /etc/passwd; echo $USER $DRYBENCH_TASK; exec sleep 1000"
    handle, task = await of_nobody(ready), session(ready, "sh", "-c", looks, memory=256 << 20)
    claimed = await ready.bench.engine.claim(handle, task, {"TOKEN": "her-token"})
    said = await ready.bench.said(claimed, task.id)
    assert said.splitlines() == ["her own", "ada", "ada:x:20001:20001:ada:/home/ada:/bin/sh", f"ada {task.id}"]
    shown = inspected(f"drybench-{task.id}")
    assert (shown["HostConfig"]["Memory"], "her-token" in str(shown)) == (256 << 20, False)
    assert ready.mounted() == []


async def test_a_home_has_in_it_what_is_mounted_in_it(ready: Ready, tmp_path: Path) -> None:
    (ready.home / "disk").mkdir()
    for_ada(ready.home / "disk")
    (tmp_path / "disk").mkdir()
    for_ada(tmp_path / "disk")
    (tmp_path / "disk" / "file").touch()
    host_mounts.make_slot(ready.home / "disk")
    host_mounts.show(Mount(tmp_path / "disk", ready.home / "disk"))
    try:
        task = session(ready, "sh", "-c", "ls /home/ada/disk; exec sleep 1000")
        claimed = await ready.bench.engine.claim(await of_nobody(ready), task, {})
        assert await ready.bench.said(claimed, "\n") == "file\n"
    finally:
        host_mounts.clear(ready.home / "disk")


async def test_a_kernel_that_takes_too_much_is_not_the_end_of_a_session_that_claimed(ready: Ready) -> None:
    eats = "python3 -c 'x = bytearray(1 << 30)'; exit 3"
    claimed = await ready.bench.engine.claim(await of_nobody(ready), session(ready, "sh", "-c", eats), {})
    ended = await ready.bench.ended(claimed)
    assert (ended.exit_code, ended.reason) == (3, None)


async def test_out_of_memory_is_seen_of_a_run_that_claimed(ready: Ready) -> None:
    handle = await ready.stands()
    eats = "python3 -c 'x = bytearray(1 << 30)'; exit 1"
    claimed = await ready.bench.engine.claim(handle, ready.task(ready.run("first"), "sh", "-c", eats), {})
    assert (await ready.bench.ended(claimed)).reason is Reason.OUT_OF_MEMORY


def test_a_docker_that_does_not_see_what_is_mounted_here_keeps_nothing_ready(tmp_path: Path) -> None:
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        assert not host_mounts.same_as(other.pid)
        other.kill()
    assert host_mounts.same_as(os.getpid())
    assert not host_mounts.same_as(0)
    assert not docker_slots.work(tmp_path, "tcp://127.0.0.1:2375")
    assert not docker_slots.work(tmp_path / "missing", "unix:///nobody")


async def test_a_portal_that_ends_leaves_nothing_mounted(ready: Ready) -> None:
    """What stood ready ends with it, since it could take no run any more; what took one goes on."""
    first = Ready(replace(ready.bench, engine=engine_of(ready.bench)), ready.home.parent)
    used, handle = await first.stands(), await first.stands()
    task = ready.task(ready.run("used"), "sleep", "1000")
    claimed = await first.bench.engine.claim(used, task, {})
    await first.bench.engine.close()
    assert ready.mounted() == []
    await ready.bench.ended(handle)
    assert (await ready.bench.sight(claimed)).seen is Seen.RUNNING
    with pytest.raises(ReadyGone):
        await ready.bench.engine.claim(handle, ready.task(ready.run("first"), "true"), {})


async def test_without_a_slot_a_run_starts_cold(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_slots, "work", does_not_work)
    engine = engine_of(ready.bench)
    assert not engine.can.ready
    task = replace(ready.bench.task("python3", "-c", TAKES_ONE), kind=READY)
    handle = await engine.start(task, {})
    await ready.bench.runs(handle)
    assert ready.mounted() == []
    with pytest.raises(ReadyGone):
        await engine.claim(handle, ready.task(ready.run("first"), "true"), {})
    await engine.close()


def test_a_folder_is_never_removed_with_what_is_mounted_in_it(tmp_path: Path) -> None:
    folder, kept = TaskFolder(tmp_path / "a task\twith odd letters"), tmp_path / "kept"
    folder.make()
    kept.mkdir()
    (kept / "file").touch()
    slot = docker_slots.of(folder)
    host_mounts.make_slot(slot)
    (slot / "below").mkdir()
    host_mounts.show(Mount(kept, slot / "below"))
    assert list(host_mounts.below(folder.path)) == [slot, slot / "below"]
    docker_slots.remove(folder)
    assert not folder.path.exists()
    assert (kept / "file").exists()


def engine_of(bench: Bench) -> DockerEngine:
    """Another one."""
    url = f"unix://{bench.socket}"
    return DockerEngine(bench.tasks, url=url, bench_id=bench.bench_id, cores=2, memory=4 << 30, runner=RUNNER)


def does_not_work(tasks: Path, url: str) -> bool:
    return False


def sees(handle: Handle) -> str:
    """What is shown to it now."""
    process = inspected(f"drybench-{handle['task']}")["State"]["Pid"]
    there = Path(f"/proc/{process}/root{INSIDE}")
    return " ".join(sorted(run.name for run in there.iterdir() if any((run / "given").iterdir())))
