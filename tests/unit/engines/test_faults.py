"""Each fault does what its name says, and heals."""

from __future__ import annotations

import asyncio

import pytest

from drybench.engines.base import Handle
from drybench.engines.fake import FakeEngine
from drybench.errors import TaskNotStarted
from drybench.model import RUN, Task
from drybench.phases import Reason, Seen, Sight
from tests import faults

TASK = Task("t", "ada", RUN, ("python", "-m", "anything"))
HANDLE: Handle = {"format": 1, "task": "t"}


async def seen(engine: FakeEngine) -> Seen:
    return (await engine.poll([HANDLE]))[0].seen


async def test_a_command_it_does_not_know_goes_on_until_it_is_told() -> None:
    engine = FakeEngine()
    await engine.start(TASK, {"TOKEN": "x"})
    assert await seen(engine) is Seen.RUNNING
    engine.machine.end("t", None, Reason.OUT_OF_MEMORY)
    assert await engine.poll([HANDLE]) == [Sight(Seen.ENDED, reason=Reason.OUT_OF_MEMORY)]
    assert engine.machine.starts["t"] == 1


async def test_fails_to_start() -> None:
    engine = faults.FailsToStart()
    with pytest.raises(TaskNotStarted):
        await engine.start(TASK, {})
    assert await seen(engine) is Seen.UNKNOWN
    engine.broken = False
    await engine.start(TASK, {})
    assert await seen(engine) is Seen.RUNNING


async def test_hangs_in_start() -> None:
    engine = faults.HangsInStart()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(engine.start(TASK, {}), 0.01)
    assert await seen(engine) is Seen.UNKNOWN


async def test_loses_the_reply() -> None:
    engine = faults.LosesTheReply()
    with pytest.raises(ConnectionResetError):
        await engine.start(TASK, {})
    engine.broken = False
    await engine.start(TASK, {})
    assert engine.machine.starts["t"] == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.NeverStarts, Seen.STARTING),
        (faults.ForgetsTheHandle, Seen.UNKNOWN),
        (faults.Unreachable, Seen.UNREACHABLE),
    ],
)
async def test_is_seen_as_it_is_not(fault: type[faults.Faulty], expected: Seen) -> None:
    engine = fault()
    await engine.start(TASK, {})
    assert await seen(engine) is expected
    engine.broken = False
    assert await seen(engine) is Seen.RUNNING


async def test_dies_at_once() -> None:
    engine = faults.DiesAtOnce()
    await engine.start(TASK, {})
    assert await engine.poll([HANDLE]) == [Sight(Seen.ENDED, exit_code=1)]


async def test_fails_when_asked() -> None:
    engine = faults.FailsWhenAsked()
    await engine.start(TASK, {})
    with pytest.raises(OSError, match="no way"):
        await engine.poll([HANDLE])


async def test_ignores_stop() -> None:
    engine = faults.IgnoresStop()
    await engine.start(TASK, {})
    await engine.stop(HANDLE, 0)
    assert await seen(engine) is Seen.RUNNING
    engine.broken = False
    await engine.stop(HANDLE, 0)
    assert await seen(engine) is Seen.ENDED
