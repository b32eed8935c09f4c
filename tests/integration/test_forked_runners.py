"""Runners that are forked: they are told from others by nothing but their time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from drybench.engines import local
from drybench.engines.base import Handle
from drybench.engines.local import LocalEngine
from drybench.engines.local_watcher import below
from drybench.engines.processes import Identity
from drybench.model import READY, RUN, Task
from drybench.phases import Reason, Seen
from tests.contract.engine_contract import until
from tests.integration.runner_bench import Attempt, attempt, notebook
from tests.waiting import PATIENCE, eventually


class Bench:
    """An engine, and runs for it."""

    def __init__(self, place: Path, python: Path) -> None:
        self.place, self.python, self.tasks = place, python, place / "tasks"
        self.tasks.mkdir()
        self.engine = LocalEngine(self.tasks, cores=2, memory=4 << 30)
        self.number = 0

    def given(self, *cells: str) -> Attempt:
        self.number += 1
        return attempt(self.place / str(self.number), self.python, notebook(*cells))

    def task(self, run: Attempt, **more: Any) -> Task:
        command = ("python", *run.command[1:])
        shape: dict[str, Any] = {"kind": RUN, "workdir": run.output, "python": self.python, "memory": 1 << 30, **more}
        return Task(id=str(uuid4()), person="ada", command=command, **shape)

    async def begin(self, *cells: str) -> tuple[Attempt, Handle]:
        run = self.given(*cells)
        return run, await self.engine.start(self.task(run), {})

    async def carry_out(self, *cells: str) -> Attempt:
        run, handle = await self.begin(*cells)
        sight = await until(self.engine, handle, Seen.ENDED)
        assert (sight.exit_code, sight.reason) == (0, None), (self.folder(handle) / "log").read_text()
        return run

    def folder(self, handle: Handle) -> Path:
        return self.tasks / handle["task"]

    def command(self, handle: Handle) -> Identity:
        found = Identity.from_json(json.loads((self.folder(handle) / "command.json").read_text()))
        assert found is not None
        return found

    def is_forked(self, handle: Handle) -> bool:
        return _is_starter(self.command(handle).pid)

    @property
    def starters(self) -> list[int]:
        """Our own children, that nobody has to look for by name."""
        mine = [process.pid for process in below(os.getpid()) if _is_starter(process.pid)]
        return [pid for pid in mine if _parent(pid) == os.getpid()]  # a whole bench may be up beside, with its own


def _is_starter(pid: int) -> bool:
    """Or was forked by one. Not one that has ended meanwhile."""
    try:
        return "local_starter" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


@pytest.fixture
async def bench(tmp_path: Path, python_environment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """With a starter that has come up."""
    monkeypatch.setattr(local, "START_WITHIN", PATIENCE)  # a busy machine starts by itself what takes too long
    bench = Bench(tmp_path, python_environment)
    for _ in range(2):
        await bench.carry_out("1")
    async with asyncio.timeout(3 * PATIENCE):
        forked = False
        while not forked:
            _, handle = await bench.begin("1")
            forked = bench.is_forked(handle)
            await until(bench.engine, handle, Seen.ENDED)
    yield bench
    for folder in bench.tasks.iterdir():
        await bench.engine.forget({"format": 1, "task": folder.name})
    await bench.engine.close()
    assert bench.starters == []


SURROUNDINGS = """
import json, os, sys, threading, resource
print(json.dumps({
    "path": sys.path, "prefix": sys.prefix, "executable": sys.executable, "cwd": os.getcwd(), "flags": str(sys.flags),
    "env": {name: value for name, value in os.environ.items() if not name.startswith("JPY_")},
    "threads": sorted(thread.name for thread in threading.enumerate()), "names": sorted(globals()),
    "signals": [line for line in open("/proc/self/status") if line.startswith(("SigB", "SigI", "SigC"))],
    "limits": [resource.getrlimit(which) for which in range(10)], "umask": os.umask(0o022),
    "files": len(os.listdir("/proc/self/fd")), "oom": open("/proc/self/oom_score_adj").read(),
}, sort_keys=True, default=str))
"""


async def test_a_notebook_of_a_forked_runner_cannot_tell(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "unforked").mkdir()
    first = Bench(tmp_path / "unforked", bench.python)
    seen: list[Any] = []
    for each in (first, bench):
        run, handle = await each.begin(SURROUNDINGS)
        await until(each.engine, handle, Seen.ENDED)
        text = run.text(0).replace(str(each.folder(handle)), "TASK").replace(str(run.folder), "RUN")
        seen.append(json.loads(text.replace(handle["task"], "TASK")))
        await each.engine.forget(handle)
    await first.engine.close()
    assert seen[0] == seen[1]


async def test_each_has_randomness_of_its_own(bench: Bench) -> None:
    numbers = "random.random(), numpy.random.rand(), hash('seed'), uuid.uuid4(), os.urandom(4).hex()"
    cell = f"import os, random, uuid, numpy\nprint({numbers})"
    one, other = [(await bench.carry_out(cell)).text(0).split() for _ in range(2)]
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))


async def test_a_forked_runner_has_no_descriptor_variable_or_thread_of_its_starter(bench: Bench) -> None:
    run, handle = await bench.begin("import time; print('began'); time.sleep(1000)")
    await eventually(lambda: run.has_printed("began"))
    assert bench.is_forked(handle)
    pid, starter = bench.command(handle).pid, bench.starters[0]
    theirs = _open_files(starter) - {"/dev/null"}
    for process in (pid, handle["pid"]):
        assert not theirs & _open_files(process)
    lock, watching = str(bench.folder(handle) / "lock"), str(bench.folder(handle) / "watching")
    assert lock in _open_files(pid)
    assert watching not in _open_files(pid)
    assert os.getsid(pid) == pid
    assert os.getsid(handle["pid"]) not in (os.getsid(0), os.getsid(starter), pid)
    assert starter not in {_parent(pid), _parent(handle["pid"])}


async def test_its_memory_is_its_own_and_is_watched(bench: Bench) -> None:
    """What it grows beyond its size ends it, and nobody beside it."""
    other, beside = await bench.begin("import time; print('began'); time.sleep(1000)")
    run = bench.given("import time; print('began'); much = b'x' * (700 << 20); time.sleep(1000)")
    handle = await bench.engine.start(bench.task(run, memory=500 << 20), {})
    assert (await until(bench.engine, handle, Seen.ENDED)).reason is Reason.OUT_OF_MEMORY
    await eventually(lambda: other.has_printed("began"))
    assert (await bench.engine.poll([beside]))[0].seen is Seen.RUNNING
    assert len(bench.starters) == 1


async def test_it_is_stopped_like_any_other(bench: Bench) -> None:
    run, handle = await bench.begin("import time; print('began'); time.sleep(1000)")
    await eventually(lambda: run.has_printed("began"))
    await bench.engine.stop(handle, PATIENCE)
    assert (await until(bench.engine, handle, Seen.ENDED)).exit_code == 0
    assert run.result()["outcome"] == "stopped"


async def test_a_killed_starter_ends_nothing_and_is_replaced(bench: Bench) -> None:
    run, handle = await bench.begin("import time; print('began'); time.sleep(1000)")
    await eventually(lambda: run.has_printed("began"))
    os.kill(bench.starters[0], signal.SIGKILL)
    await bench.carry_out("1")
    assert (await bench.engine.poll([handle]))[0].seen is Seen.RUNNING
    await bench.carry_out("1")
    assert len(bench.starters) == 1


async def test_started_twice_it_is_one_process(bench: Bench) -> None:
    run = bench.given("open('ran', 'a').write('x')")
    task, other = bench.task(run), LocalEngine(bench.tasks, cores=2, memory=4 << 30)
    handles = await asyncio.gather(*(which.start(task, {}) for which in (bench.engine, other) * 3))
    await until(bench.engine, handles[0], Seen.ENDED)
    assert len({handle["pid"] for handle in handles}) == 1
    assert (run.output / "ran").read_text() == "x"
    await other.close()


async def test_a_watcher_that_was_forked_is_replaced_when_it_is_killed(bench: Bench) -> None:
    run, handle = await bench.begin("import time; print('began'); time.sleep(1000)")
    await eventually(lambda: run.has_printed("began"))
    os.kill(handle["pid"], signal.SIGKILL)
    command = bench.command(handle)
    await eventually(lambda: Identity.of(handle["pid"]) is None)
    assert (await bench.engine.poll([handle]))[0].seen is Seen.RUNNING
    command.signal(signal.SIGKILL)
    assert (await until(bench.engine, handle, Seen.ENDED)).reason is Reason.WATCHER_DIED


async def test_what_stands_ready_is_forked_too(bench: Bench) -> None:
    run = bench.given("print('hello')")
    ready = Task(str(uuid4()), "ada", READY, ("python", "-m", "drybench_runner", "ready"), python=bench.python)
    handle = await bench.engine.start(ready, {})
    await until(bench.engine, handle, Seen.RUNNING)
    assert bench.is_forked(handle)
    claimed = await bench.engine.claim(handle, bench.task(run), {})
    assert (await until(bench.engine, claimed, Seen.ENDED)).exit_code == 0
    assert run.text(0) == "hello\n"


def _parent(pid: int) -> int:
    """0 of one that has ended meanwhile."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _open_files(pid: int) -> set[str]:
    """What is closed in this moment is not held."""
    found: set[str] = set()
    for name in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(name.readlink()))
    return found
