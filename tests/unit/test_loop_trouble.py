"""The loop where tasks lie, disks are full, settings change and the Hub will not: nothing may stop it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from drybench.agreeing import Agreeing
from drybench.engines.base import Handle
from drybench.engines.fake import FakeEngine
from drybench.errors import HubBusy, Refused, UnknownToTheHub
from drybench.hub_client import HubServer
from drybench.model import Session
from drybench.phases import Outcome, Phase, Reason
from tests import faults
from tests.talking import talks_without_end
from tests.waiting import PATIENCE, eventually
from tests.world import GIB, World
from tests.world import world as world


async def running(world: World) -> Session:
    session = world.session()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    return session


async def test_a_reason_that_nobody_knows_is_unreadable(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.ends(run, "failed", "the moon was full")
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).reason is Reason.RECORD_UNREADABLE


async def test_numbers_too_large_for_any_table_are_passed_over(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    journal = world.folders.path(run.id) / "1" / "made" / "progress.jsonl"
    lines = [{"event": "began", "cells": 10**30}, {"event": "cell", "n": 3, "of": 7}]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    await world.until(lambda: (seen := world.ledger.run(run.id)) and (seen.cell, seen.cells) == (3, 7))


class LosesItsLogs(FakeEngine):
    async def logs(self, handle: Handle, since: int = 0) -> AsyncIterator[bytes]:
        raise PermissionError("the task took its log away")
        yield b""


async def test_a_task_ends_though_its_last_words_are_lost(world: World) -> None:
    session = await running(world)
    world.engine = LosesItsLogs(world.engine.machine)
    world.new_portal()
    world.engine.machine.end(session.task.id, 1)
    await world.until(lambda: session.task.id in world.engine.machine.forgotten)
    assert world.task(session).reason is Reason.EXITED


async def test_a_run_is_cleared_away_though_its_last_words_are_lost(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.engine = LosesItsLogs(world.engine.machine)
    world.new_portal()
    world.engine.machine.end(run.task.id, 1)
    await world.until(lambda: run.task.id in world.engine.machine.forgotten)


async def test_the_last_of_many_last_words_is_kept(world: World) -> None:
    session = await running(world)
    words = [f"line {number} \x1b[31mred\x1b[0m" for number in range(1000)]
    world.engine.machine.tasks[session.task.id].log += "\n".join([*words, "the reason"]).encode()
    world.engine.machine.end(session.task.id, 1)
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    assert world.task(session).detail.endswith("the reason")
    assert "\x1b" not in world.task(session).detail


async def test_what_was_said_of_a_start_is_over_when_it_has_started(world: World) -> None:
    run = world.run()
    engine = world.broken(faults.FailsToStart)
    await world.until(lambda: "out of order" in world.task(run).detail)
    engine.broken = False
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    assert world.task(run).detail == ""


@pytest.mark.parametrize("forever", [b"\r\n" + b"x" * 100, b"x-more: y\r\n"])
async def test_a_session_that_talks_without_end_holds_up_nothing(world: World, forever: bytes) -> None:
    async with talks_without_end(forever) as address:
        async with asyncio.timeout(PATIENCE):
            await world.starting.answers(address)


async def test_a_size_larger_than_the_machine_is_now_stands_in_nobodys_way(world: World) -> None:
    large, small = world.run(memory=16 * GIB), world.run()
    await world.until(lambda: world.task(small).phase is Phase.RUNNING)
    assert world.task(large).reason is Reason.REJECTED
    assert world.task(large).detail


async def test_a_task_of_an_engine_that_is_away_from_the_settings_goes_on(world: World) -> None:
    run, ended = world.run(cores=1), world.run(cores=1)
    await world.until(lambda: world.task(ended).phase is Phase.RUNNING)
    world.new_portal(without_engine=True)
    await world.loop.look()
    assert world.task(run).silent_since
    assert not world.starting.under_way(run.task.id)
    world.new_portal()
    await world.until(lambda: world.task(run).silent_since is None)
    assert world.task(run).phase is Phase.RUNNING


async def test_what_ended_on_an_engine_that_is_away_is_cleared_when_it_is_back(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.ends(run)
    await world.loop.look()
    world.new_portal(without_engine=True)
    await world.loop.look()
    assert world.endings.all_cleared
    world.new_portal()
    await world.until(lambda: run.task.id in world.engine.machine.forgotten)


async def test_a_hub_that_is_busy_for_ever_ends_the_session(world: World) -> None:
    world.hub.refuses = HubBusy()
    session = world.session()
    await world.until(lambda: "busy" in world.task(session).detail)
    world.clock.pass_by(minutes=10)
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    assert world.task(session).reason is Reason.START_FAILED


async def test_what_the_hub_refuses_because_it_was_stopped_is_stopped(world: World) -> None:
    world.hub.refuses = Refused(sentence="not wanted any more", next_step="")
    world.hub.before_it_answers = lambda id: world.ledger.want_stop(id, by="ada")
    session = world.session()
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    assert world.task(session).outcome is Outcome.STOPPED


class FullDisk:
    """Takes nothing into the ledger, as long as it is full."""

    def __init__(self, world: World, *columns: str) -> None:
        self.full, self.tries, self._columns = True, 0, columns
        self._write = world.ledger.write_task
        world.ledger.write_task = self.write_task  # type: ignore[method-assign]

    def write_task(self, id: str, changes: Mapping[str, Any]) -> Any:
        if self.full and changes.keys() & set(self._columns):
            self.tries += 1
            raise OSError("No space left on device")
        return self._write(id, changes)


async def test_on_a_full_disk_a_start_is_not_tried_without_pause(world: World) -> None:
    run = world.run()
    world.broken(faults.FailsToStart)
    disk = FullDisk(world, "detail")
    going = asyncio.create_task(world.loop.run())
    try:
        await eventually(lambda: world.task(run).phase is Phase.STARTING)
        await asyncio.sleep(1)
        assert disk.tries < 5
    finally:
        going.cancel()


async def test_after_a_pass_that_was_broken_off_it_looks_again_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.loop, "_patience", lambda tasks: 10 * PATIENCE)  # type: ignore[misc]
    disk = FullDisk(world, "gpus")
    going = asyncio.create_task(world.loop.run())
    try:
        run = world.run()
        world.loop.wake()
        await eventually(lambda: disk.tries)
        disk.full = False
        await eventually(lambda: world.task(run).phase is Phase.RUNNING)
    finally:
        going.cancel()


async def test_started_after_it_ended_nothing_of_it_is_left(world: World) -> None:
    run = world.run()
    engine = world.broken(faults.FailsToStart)
    await world.until(lambda: world.task(run).detail)
    world.ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": Outcome.STOPPED})
    await world.until(lambda: world.endings.all_cleared)
    engine.broken = False
    with pytest.raises(Exception, match="ended"):
        await world.starting.with_command(run.task, {}, ())
    assert run.task.id not in engine.machine.tasks


def server_of(session: Session) -> HubServer:
    return HubServer(session.person, session.name, session.task.id, ready=True, pending=None)


async def test_a_hub_that_will_not_take_one_session_back_takes_the_others(world: World) -> None:
    first, second = world.session("first"), world.session("second")
    await world.until(lambda: world.task(second).phase is Phase.RUNNING)
    world.hub.refuses = UnknownToTheHub(name="ada")
    world.hub.asked.clear()
    agreeing = Agreeing(world.ledger, world.hub)
    for _ in range(2):
        await agreeing.look()
    assert set(world.hub.asked) == {first.task.id, second.task.id}


async def test_a_server_is_not_let_go_of_that_has_a_new_task_by_now(world: World) -> None:
    session = await running(world)
    world.hub.there = [server_of(session)]
    world.ledger.want_stop(session.task.id, by="ada")
    await world.until(lambda: world.task(session).phase is Phase.ENDED and world.endings.all_cleared)
    world.hub.stopped.clear()
    again = world.ledger.session(session.id)
    assert again
    second = world.ledger.add_attempt(again, replace(again.task.spec, id="a-second-task"))
    await world.until(lambda: (row := world.ledger.task(second.id)) and row.phase is Phase.RUNNING)
    await Agreeing(world.ledger, world.hub).look()
    assert world.hub.stopped == []
