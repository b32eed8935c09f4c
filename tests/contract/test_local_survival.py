"""The local engine when something is killed: nothing runs twice, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from drybench.engines import local_watcher
from drybench.engines.local import LocalEngine
from drybench.engines.local_watcher import below
from drybench.engines.processes import Identity
from drybench.phases import Reason, Seen, Sight
from tests.contract.conftest import Local
from tests.contract.engine_contract import until
from tests.waiting import PATIENCE

PORTAL = """
import asyncio, os, signal, sys
from pathlib import Path
from drybench.engines import local_watcher
from drybench.engines.local import LocalEngine
from drybench.engines.local_watcher import below
from drybench.model import Task

async def main():
    engine = LocalEngine(Path(sys.argv[1]), cores=2, memory=4 << 30)
    task = Task("of-another", "ada", "run", ("sh", "-c", "echo began; exec sleep 1000"), memory=1 << 28)
    await engine.start(task, {})
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def foreign() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same account that is none of the engine's business."""
    environment = {"DRYBENCH_TASK": "another-task"}
    with subprocess.Popen(["/bin/sleep", "1000"], env=environment, start_new_session=True) as process:
        yield process
        process.kill()


async def test_a_task_survives_the_portal(local: Local) -> None:
    assert _run(sys.executable, "-c", PORTAL, str(local.tasks)) == -9
    handle = {"format": 1, "task": "of-another"}
    await until(local.engine, handle, Seen.RUNNING)
    assert await local.said(handle, "began\n") == "began\n"


async def test_a_watcher_is_nobodys_child(local: Local) -> None:
    handle = await local.start("sleep", "1000")
    assert local.watcher(handle).pid not in {process.pid for process in below(os.getpid())}


async def test_a_killed_watcher_is_replaced_and_the_command_runs_on(local: Local) -> None:
    handle = await local.start("sh", "-c", "echo began; exec sleep 1000")
    await local.said(handle, "began")
    first, command = local.watcher(handle), local.command(handle)
    await local.kill(first)
    assert (await local.sight(handle)).seen is Seen.RUNNING
    assert local.watcher(handle) != first
    assert command.is_alive
    await local.kill(command)
    assert await local.ended(handle) == Sight(Seen.ENDED, reason=Reason.WATCHER_DIED)
    assert await local.log(handle) == b"began\n"


async def test_a_start_after_the_watcher_was_killed_runs_nothing_twice(local: Local) -> None:
    task = local.task("sh", "-c", "echo began; exec sleep 1000")
    handle = await local.engine.start(task, {})
    await local.said(handle, "began")
    await local.kill(local.watcher(handle))
    again = await local.engine.start(task, {})
    assert again["pid"] != handle["pid"]
    await local.kill(local.command(handle))
    await local.ended(again)
    assert await local.log(handle) == b"began\n"


async def test_watcher_and_command_killed_together_end_as_such(local: Local) -> None:
    handle = await local.start("sleep", "1000")
    command = local.command(handle)
    await local.kill(local.watcher(handle))
    await local.kill(command)
    assert (await local.ended(handle)).reason is Reason.WATCHER_DIED


async def test_a_stop_reaches_a_command_whose_watcher_was_killed(local: Local) -> None:
    handle = await local.start("sleep", "1000")
    command = local.command(handle)
    await local.kill(local.watcher(handle))
    await local.engine.stop(handle, 5)
    assert (await local.ended(handle)).reason is Reason.WATCHER_DIED
    assert not command.is_alive


LEAVE_BEHIND = {
    "in a session of its own": "setsid sleep 1000 & echo $!; exit 0",
    "with no trace in its environment": "setsid env -i /bin/sleep 1000 & echo $!; exit 0",
    "as an orphan": "(setsid sh -c 'trap : TERM; echo $$; touch $DRYBENCH_TASK_DIR/up; while :; do sleep 1; done' &);"
    " until [ -e $DRYBENCH_TASK_DIR/up ]; do sleep 0.05; done; exit 0",
}


@pytest.mark.parametrize("script", LEAVE_BEHIND.values(), ids=LEAVE_BEHIND.keys())
async def test_what_a_command_leaves_behind_is_ended_with_it(local: Local, script: str) -> None:
    handle = await local.start("sh", "-c", script)
    left = await local.number(handle)
    assert (await local.ended(handle)).exit_code == 0
    assert Identity.of(left) is None


async def test_after_a_killed_watcher_the_rest_is_ended_too(local: Local) -> None:
    """As a runner whose kernel lives on, and has no lock: only its environment says whose it is."""
    kernel = "import os, subprocess; print(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid, flush=True)"
    handle = await local.start(sys.executable, "-c", f"{kernel}; import time; time.sleep(1000)")
    left, command = await local.number(handle), local.command(handle)
    await local.kill(local.watcher(handle))
    await local.kill(command)
    assert Identity.of(left) is not None
    await local.ended(handle)
    assert Identity.of(left) is None


async def test_only_what_is_provably_of_the_task_is_ended(local: Local, foreign: subprocess.Popen[bytes]) -> None:
    handle = await local.start("sh", "-c", "setsid sleep 1000 & exit 0")
    await local.ended(handle)
    assert foreign.poll() is None


async def test_a_pid_that_came_back_is_not_signalled(local: Local, foreign: subprocess.Popen[bytes]) -> None:
    handle = await local.start("sleep", "1000")
    command = local.command(handle)
    await local.kill(local.watcher(handle))
    await local.kill(command)
    now = Identity.of(foreign.pid)
    assert now is not None
    for name in ("watcher.json", "command.json"):  # as if both pids were the stranger's by now
        earlier = {"format": 1, **now.as_json(), "start_time": now.start_time - 1}
        (local.folder(handle) / name).write_text(json.dumps(earlier))
    await local.engine.stop({**handle, "pid": foreign.pid}, 0)
    assert (await local.ended(handle)).reason is Reason.WATCHER_DIED
    assert foreign.poll() is None


async def test_after_a_reboot_the_task_is_over_and_not_started_again(local: Local) -> None:
    task = local.task("sh", "-c", "echo began; exec sleep 1000")
    handle = await local.engine.start(task, {})
    await local.said(handle, "began")
    watcher, command = local.watcher(handle), local.command(handle)
    await local.kill(watcher)
    await local.kill(command)
    for name, who in (("watcher.json", watcher), ("command.json", command)):
        earlier = {"format": 1, **who.as_json(), "boot_id": "another-boot"}
        (local.folder(handle) / name).write_text(json.dumps(earlier))
    for _ in range(2):
        assert await local.sight(handle) == Sight(Seen.ENDED, reason=Reason.MACHINE_GONE)
        handle = await local.engine.start(task, {})
    assert await local.log(handle) == b"began\n"


async def test_an_order_broken_off_starts_nothing_and_can_be_given_again(local: Local) -> None:
    """The portal was killed while it gave the order."""
    task = local.task("sh", "-c", "echo began; exec sleep 1000")
    (local.tasks / task.id).mkdir()
    watcher = [sys.executable, "-I", "-S", local_watcher.__file__, str(local.tasks / task.id)]
    assert _run(*watcher, said=b'{"format": 1, "comm') != 0
    assert await local.sight({"format": 1, "task": task.id}) == Sight(Seen.UNKNOWN)
    handle = await local.engine.start(task, {})
    assert await local.said(handle, "began") == "began\n"


async def test_changes_tell_of_tasks_that_another_portal_started(local: Local) -> None:
    handle = await local.start("sleep", "1000")
    other = LocalEngine(local.tasks, cores=2, memory=4 << 30)
    await other.poll([handle])
    await local.engine.stop(handle, 0)
    assert await asyncio.wait_for(anext(other.changes()), PATIENCE) == handle["task"]
    assert (await other.poll([handle]))[0].seen is Seen.ENDED
    await other.close()


def _run(*command: str, said: bytes = b"") -> int:
    return subprocess.run(command, input=said, capture_output=True, timeout=PATIENCE, check=False).returncode
