"""What every engine does. Subclass it, say what to run, and give a fixture `make_engine`.

The commands are a shell's. An engine without one overrides them; nothing else is asked of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from drybench.engines.base import Engine, Handle
from drybench.errors import ReadyGone, Refused
from drybench.model import READY, RUN, Mount, Task
from drybench.phases import Seen, Sight
from tests.waiting import PATIENCE

MakeEngine = Callable[[], Engine]
Command = tuple[str, ...]
TAKES_ONE = """
import asyncio, os, pathlib, subprocess, sys
from drybench_runner.claims import Door
claim = asyncio.run(Door(pathlib.Path(os.environ["DRYBENCH_TASK_DIR"])).claim())
sys.exit(subprocess.run(claim.command, env={**os.environ, **claim.env}).returncode)
"""
SERVER = """
import http.server, json, os
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
with open(os.environ["DRYBENCH_TASK_DIR"] + "/address.new", "w") as file:
    json.dump({"format": 1, "port": server.server_port}, file)
os.rename(file.name, os.environ["DRYBENCH_TASK_DIR"] + "/address.json")
server.serve_forever()
"""


async def until(engine: Engine, handle: Handle, *wanted: Seen, seconds: float = PATIENCE) -> Sight:
    """The first look that sees it so."""
    deadline = time.monotonic() + seconds
    while (sight := (await engine.poll([handle]))[0]).seen not in wanted:
        assert time.monotonic() < deadline, f"{sight} is not one of {wanted} within {seconds} s"
        await asyncio.sleep(0.02)
    return sight


async def settled(engine: Engine, handle: Handle) -> Sight:
    """Once it is known: it may still be starting behind its handle, or have just come back into reach."""
    return await until(engine, handle, Seen.RUNNING, Seen.ENDED, Seen.UNKNOWN)


async def log_of(engine: Engine, handle: Handle, since: int = 0) -> bytes:
    return b"".join([block async for block in engine.logs(handle, since)])


async def log_with(engine: Engine, handle: Handle, text: bytes, seconds: float = PATIENCE) -> bytes:
    deadline = time.monotonic() + seconds
    while text not in (log := await log_of(engine, handle)):
        assert time.monotonic() < deadline, f"{text!r} is not in {log!r} within {seconds} s"
        await asyncio.sleep(0.02)
    return log


async def _seconds(starting: Awaitable[Handle]) -> float:
    began = time.monotonic()
    await starting
    return time.monotonic() - began


class EngineContract:
    exits_with: Callable[[int], Command] = staticmethod(lambda code: ("sh", "-c", f"exit {code}"))
    says: Callable[[str], Command] = staticmethod(lambda text: ("sh", "-c", f"echo {text}; exec sleep 1000"))
    says_variable: Callable[[str], Command] = staticmethod(lambda name: ("sh", "-c", f"echo ${name}; exec sleep 1000"))
    says_folder: Command = ("sh", "-c", "pwd; exec sleep 1000")
    is_killed: Command = ("sh", "-c", "kill -9 $$")
    serves: Command = ("python3", "-c", SERVER)
    is_ready: Command = (sys.executable, "-c", TAKES_ONE)

    @pytest.fixture
    def make_engine(self) -> MakeEngine:
        """New engine objects, all for one machine."""
        raise NotImplementedError

    def given(self, folder: Path) -> Mapping[str, Any]:
        """What each task of this engine needs beside a command; `folder` is where it works."""
        return {}

    def out_of_reach(self, engine: Engine) -> AbstractAsyncContextManager[None]:
        """A block in which the engine cannot be asked."""
        raise NotImplementedError

    @pytest.fixture
    async def engine(self, make_engine: MakeEngine) -> AsyncIterator[Engine]:
        engine = make_engine()
        yield engine
        await engine.close()

    @pytest.fixture
    async def task(self, engine: Engine, tmp_path: Path) -> AsyncIterator[Callable[..., Task]]:
        """Make a task; whatever becomes of it, it is gone after the test."""
        made: list[str] = []

        def make(command: Command, **more: Any) -> Task:
            made.append(str(uuid4()))
            given: dict[str, Any] = {
                "cores": 1,
                "memory": 512 << 20,
                "workdir": tmp_path,
                **self.given(tmp_path),
                **more,
            }
            return Task(id=made[-1], person="ada", command=command, **{"kind": RUN, **given})

        yield make
        for id in made:
            await engine.forget({"format": 1, "task": id})

    async def test_a_task_starts_and_is_seen_running(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.says("hello")), {})
        sight = await until(engine, handle, Seen.RUNNING)
        assert sight.exit_code is None

    async def test_a_start_is_back_within_two_seconds(self, engine: Engine, task: Callable[..., Task]) -> None:
        """One of them: the machine may be busy with something else meanwhile."""
        async with asyncio.timeout(PATIENCE):
            while await _seconds(engine.start(task(self.says("hello")), {})) > 2:
                pass

    @pytest.mark.parametrize("code", [0, 1, 137])
    async def test_the_exit_code_is_seen(self, engine: Engine, task: Callable[..., Task], code: int) -> None:
        handle = await engine.start(task(self.exits_with(code)), {})
        assert (await until(engine, handle, Seen.ENDED)).exit_code == code

    async def test_a_kill_is_seen_as_137(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.is_killed), {})
        assert (await until(engine, handle, Seen.ENDED)).exit_code == 137

    async def test_an_end_is_told_of(self, engine: Engine, task: Callable[..., Task]) -> None:
        given = task(self.exits_with(0))
        handle = await engine.start(given, {})

        async def listen() -> None:
            async for id in engine.changes():
                if id == given.id and (await engine.poll([handle]))[0].seen is Seen.ENDED:
                    return

        await asyncio.wait_for(listen(), PATIENCE)

    async def test_started_twice_it_is_one_process(self, engine: Engine, task: Callable[..., Task]) -> None:
        given = task(self.says("began"))
        handle = await engine.start(given, {})
        await log_with(engine, handle, b"began")
        again = await engine.start(given, {})
        assert (await settled(engine, again)).seen is Seen.RUNNING
        assert await log_of(engine, again) == b"began\n"

    async def test_two_starts_at_once_are_one_process(
        self, engine: Engine, make_engine: MakeEngine, task: Callable[..., Task]
    ) -> None:
        given, other = task(self.says("began")), make_engine()
        handles = await asyncio.gather(*(which.start(given, {}) for which in (engine, other) * 4))
        for handle in handles:
            await until(engine, handle, Seen.RUNNING)
        await log_with(engine, handles[0], b"began")
        await engine.stop(handles[0], 0)
        for handle in handles:
            await until(other, handle, Seen.ENDED)
        assert await log_of(engine, handles[0]) == b"began\n"
        await other.close()

    async def test_what_has_finished_meanwhile_is_found_and_not_run_again(
        self, engine: Engine, make_engine: MakeEngine, task: Callable[..., Task]
    ) -> None:
        given = task(self.exits_with(3))
        await until(engine, await engine.start(given, {}), Seen.ENDED)
        other = make_engine()
        handle = await other.start(given, {})
        assert await settled(other, handle) == Sight(Seen.ENDED, exit_code=3)
        await other.close()

    async def test_a_process_whose_handle_was_never_saved_is_found_again(
        self, engine: Engine, make_engine: MakeEngine, task: Callable[..., Task]
    ) -> None:
        given = task(self.says("began"))
        await engine.start(given, {})
        other = make_engine()
        by_id_alone = {"format": 1, "task": given.id}
        await until(other, by_id_alone, Seen.RUNNING)
        await log_with(other, await other.start(given, {}), b"began")
        assert await log_of(other, by_id_alone) == b"began\n"
        await other.close()

    async def test_the_handle_survives_json_and_a_new_engine_object(
        self, engine: Engine, make_engine: MakeEngine, task: Callable[..., Task]
    ) -> None:
        given = task(self.says("hello"))
        handle = json.loads(json.dumps(await engine.start(given, {})))
        assert (handle["format"], handle["task"]) == (1, given.id)
        other = make_engine()
        await until(other, handle, Seen.RUNNING)
        await other.stop(handle, 0)
        await until(other, handle, Seen.ENDED)
        await other.close()

    async def test_stopped_twice_it_ends_once(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.says("hello")), {})
        await log_with(engine, handle, b"hello")
        await engine.stop(handle, 5)
        await engine.stop(handle, 5)
        ended = await until(engine, handle, Seen.ENDED)
        await engine.stop(handle, 5)
        assert (await engine.poll([handle]))[0] == ended

    async def test_a_stop_before_the_start_has_ended(self, engine: Engine, task: Callable[..., Task]) -> None:
        given = task(self.says("hello"))
        start = asyncio.create_task(engine.start(given, {}))
        await asyncio.sleep(0)
        await engine.stop({"format": 1, "task": given.id}, 0)
        handle = await start
        await engine.stop(handle, 0)
        await until(engine, handle, Seen.ENDED)

    async def test_a_handle_that_is_not_known_is_gone(self, engine: Engine) -> None:
        nobody = {"format": 1, "task": str(uuid4())}
        await engine.stop(nobody, 1)
        await engine.forget(nobody)
        assert await engine.poll([nobody, {"format": 1, "task": "../.."}]) == [Sight(Seen.UNKNOWN)] * 2

    async def test_what_cannot_be_asked_is_not_gone(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.says("hello")), {})
        await until(engine, handle, Seen.RUNNING)
        async with self.out_of_reach(engine):
            assert (await engine.poll([handle]))[0].seen is Seen.UNREACHABLE
        assert (await settled(engine, handle)).seen is Seen.RUNNING

    async def test_many_are_answered_in_their_order(self, engine: Engine, task: Callable[..., Task]) -> None:
        running = await engine.start(task(self.says("hello")), {})
        await until(engine, running, Seen.RUNNING)
        ended = await engine.start(task(self.exits_with(1)), {})
        await until(engine, ended, Seen.ENDED)
        sights = await engine.poll([ended, {"format": 1, "task": "nobody"}, running])
        assert [sight.seen for sight in sights] == [Seen.ENDED, Seen.UNKNOWN, Seen.RUNNING]

    async def test_what_is_forgotten_is_gone(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.exits_with(0)), {})
        await until(engine, handle, Seen.ENDED)
        await engine.forget(handle)
        await engine.forget(handle)
        assert (await engine.poll([handle]))[0].seen is Seen.UNKNOWN

    async def test_logs_come_from_an_offset(self, engine: Engine, task: Callable[..., Task]) -> None:
        handle = await engine.start(task(self.says("0123456789")), {})
        await log_with(engine, handle, b"0123456789\n")
        assert await log_of(engine, handle, since=7) == b"789\n"
        assert await log_of(engine, handle, since=1000) == b""

    async def test_the_variables_of_task_and_start_arrive(self, engine: Engine, task: Callable[..., Task]) -> None:
        of_task = await engine.start(task(self.says_variable("PLANT"), env={"PLANT": "fern"}), {})
        of_start = await engine.start(task(self.says_variable("TOKEN")), {"TOKEN": "abc"})
        await log_with(engine, of_task, b"fern\n")
        await log_with(engine, of_start, b"abc\n")

    async def test_it_works_in_its_folder(self, engine: Engine, task: Callable[..., Task], tmp_path: Path) -> None:
        folder = tmp_path / "a folder"
        folder.mkdir()
        handle = await engine.start(task(self.says_folder, workdir=folder), {})
        await log_with(engine, handle, f"{folder}\n".encode())

    async def test_mounts_appear_or_are_refused(
        self, engine: Engine, task: Callable[..., Task], tmp_path: Path
    ) -> None:
        given = task(self.says("hello"), mounts=(Mount(tmp_path, Path("/elsewhere")),))
        if engine.can.mounts:
            engine.check(given)
        else:
            with pytest.raises(Refused):
                engine.check(given)

    async def test_gpus_arrive_or_are_refused(self, engine: Engine, task: Callable[..., Task]) -> None:
        there = (await engine.room()).gpus
        if there:
            given = task(self.says_variable("CUDA_VISIBLE_DEVICES"), gpu_count=1, gpus=(there[0].id,))
            await log_with(engine, await engine.start(given, {}), there[0].id.encode() + b"\n")
            none = await engine.start(task(self.says_variable("CUDA_VISIBLE_DEVICES")), {})
            assert await log_with(engine, none, b"\n") == b"\n"
        with pytest.raises(Refused):
            engine.check(task(self.says("hello"), gpu_count=len(there) + 1))

    async def test_what_is_larger_than_the_machine_is_refused(self, engine: Engine, task: Callable[..., Task]) -> None:
        with pytest.raises(Refused):
            engine.check(task(self.says("hello"), memory=1 << 60))
        with pytest.raises(Refused):
            engine.check(task(self.says("hello"), cores=100_000))

    async def test_the_address_answers(self, engine: Engine, task: Callable[..., Task]) -> None:
        given = task(self.serves, needs_address=True)
        handle = await engine.start(given, {})
        async for id in engine.changes():
            if id == given.id and (address := (await engine.poll([handle]))[0].address):
                break
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            assert (await client.get(address)).status_code == 200

    @pytest.fixture
    async def ready(self, engine: Engine, task: Callable[..., Task]) -> Callable[[], Awaitable[Handle]]:
        """Start a ready task; it waits for its work when this is back."""
        if not engine.can.ready:
            pytest.skip("this engine keeps nothing ready")

        async def start() -> Handle:
            handle = await engine.start(task(self.is_ready, kind=READY), {})
            await until(engine, handle, Seen.RUNNING)
            return handle

        return start

    async def test_a_claimed_one_is_the_task(
        self, engine: Engine, task: Callable[..., Task], ready: Callable[[], Awaitable[Handle]]
    ) -> None:
        given = task(self.says_variable("PLANT"), env={"PLANT": "fern"})
        handle = json.loads(json.dumps(await engine.claim(await ready(), given, {})))
        assert (handle["format"], handle["task"]) == (1, given.id)
        await log_with(engine, handle, b"fern\n")
        assert (await engine.poll([handle]))[0].seen is Seen.RUNNING
        await engine.stop(handle, 0)
        await until(engine, handle, Seen.ENDED)
        await engine.forget(handle)
        assert (await engine.poll([handle]))[0].seen is Seen.UNKNOWN

    @pytest.mark.parametrize("code", [0, 3])
    async def test_the_end_of_a_claimed_one_is_told_of(
        self, engine: Engine, task: Callable[..., Task], ready: Callable[[], Awaitable[Handle]], code: int
    ) -> None:
        given = task(self.exits_with(code))
        handle = await engine.claim(await ready(), given, {})

        async def listen() -> None:
            async for id in engine.changes():
                if id == given.id and (await engine.poll([handle]))[0].seen is Seen.ENDED:
                    return

        await asyncio.wait_for(listen(), PATIENCE)
        assert (await engine.poll([handle]))[0].exit_code == code

    async def test_claimed_twice_it_is_given_its_work_once(
        self,
        engine: Engine,
        make_engine: MakeEngine,
        task: Callable[..., Task],
        ready: Callable[[], Awaitable[Handle]],
    ) -> None:
        given, of, other = task(self.says("began")), await ready(), make_engine()
        handles = await asyncio.gather(*(which.claim(of, given, {}) for which in (engine, other) * 2))
        handles.append(await other.claim(of, given, {}))
        await log_with(engine, handles[0], b"began")
        for handle in handles:
            assert (await other.poll([handle]))[0].seen is Seen.RUNNING
            assert await log_of(other, handle) == b"began\n"
        await other.close()

    async def test_a_start_after_the_claim_finds_it(
        self,
        engine: Engine,
        make_engine: MakeEngine,
        task: Callable[..., Task],
        ready: Callable[[], Awaitable[Handle]],
    ) -> None:
        given = task(self.says("began"))
        await engine.claim(await ready(), given, {})
        other = make_engine()
        by_id_alone = {"format": 1, "task": given.id}
        await until(other, by_id_alone, Seen.RUNNING)
        await log_with(other, await other.start(given, {}), b"began")
        assert await log_of(other, by_id_alone) == b"began\n"
        await other.close()

    async def test_one_that_ended_before_is_gone_and_the_task_can_be_started(
        self, engine: Engine, task: Callable[..., Task], ready: Callable[[], Awaitable[Handle]]
    ) -> None:
        given, of = task(self.says("began")), await ready()
        await engine.stop(of, 0)
        await until(engine, of, Seen.ENDED)
        for _ in range(2):
            with pytest.raises(ReadyGone):
                await engine.claim(of, given, {})
        assert await engine.poll([of, {"format": 1, "task": given.id}]) == [Sight(Seen.UNKNOWN)] * 2
        await log_with(engine, await engine.start(given, {}), b"began\n")

    async def test_one_that_another_task_has_claimed_is_gone(
        self, engine: Engine, task: Callable[..., Task], ready: Callable[[], Awaitable[Handle]]
    ) -> None:
        first, second, of = task(self.says("first")), task(self.says("second")), await ready()
        handle = await engine.claim(of, first, {})
        with pytest.raises(ReadyGone):
            await engine.claim(of, second, {})
        await log_with(engine, await engine.start(second, {}), b"second\n")
        assert await log_with(engine, handle, b"first") == b"first\n"

    async def test_what_runs_already_claims_nothing(
        self, engine: Engine, task: Callable[..., Task], ready: Callable[[], Awaitable[Handle]]
    ) -> None:
        given, of = task(self.says("began")), await ready()
        handle = await engine.start(given, {})
        again = await engine.claim(of, given, {})
        assert await log_with(engine, again, b"began") == await log_with(engine, handle, b"began") == b"began\n"
        assert (await engine.poll([of]))[0].seen is Seen.RUNNING
