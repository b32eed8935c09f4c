"""The loop over a real ledger, with engines and a Hub that fail on order."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from drybench.errors import TaskNotWanted
from drybench.phases import Outcome, Phase, Reason
from tests import faults
from tests.waiting import eventually
from tests.world import World
from tests.world import world as world


async def test_a_run_goes_from_waiting_to_done(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.ends(run)
    await world.until(lambda: run.task.id in world.engine.machine.forgotten)
    assert (world.task(run).outcome, world.engine.machine.starts[run.task.id]) == (Outcome.DONE, 1)


async def test_what_has_no_room_waits_in_its_order(world: World) -> None:
    runs = [world.run(cores=1) for _ in range(3)]
    await world.until(lambda: world.task(runs[1]).phase is Phase.RUNNING)
    assert world.task(runs[2]).phase is Phase.WAITING
    world.ends(runs[0])
    await world.until(lambda: world.task(runs[2]).phase is Phase.RUNNING)


async def test_a_stop_while_it_waits_ends_it_without_a_start(world: World) -> None:
    run = world.run()
    world.ledger.want_stop(run.task.id, by="ada")
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).outcome is Outcome.STOPPED
    assert world.engine.machine.starts[run.task.id] == 0


async def test_a_stop_while_it_runs(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.ledger.want_stop(run.task.id, by="ada")
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert (world.task(run).outcome, world.task(run).reason) == (Outcome.STOPPED, Reason.CANCELLED)


async def test_a_new_portal_goes_on_where_the_old_one_was_killed(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.new_portal()
    world.ends(run)
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert (world.task(run).outcome, world.engine.machine.starts[run.task.id]) == (Outcome.DONE, 1)


async def test_killed_between_the_start_and_the_saved_handle_it_still_runs_once(world: World) -> None:
    run = world.run()
    engine = world.broken(faults.LosesTheReply)
    await world.until(lambda: engine.machine.starts[run.task.id] == 1)
    engine.broken = False
    world.new_portal()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    assert engine.machine.starts[run.task.id] == 1


async def test_cancelled_between_the_start_and_the_saved_handle_it_is_found_and_stopped(world: World) -> None:
    run = world.run()
    engine = world.broken(faults.LosesTheReply)
    await world.until(lambda: engine.machine.starts[run.task.id] == 1)
    world.ledger.want_stop(run.task.id, by="ada")
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).outcome is Outcome.STOPPED
    assert engine.machine.tasks == {} or engine.machine.tasks[run.task.id].exit_code is not None


async def test_a_start_that_fails_is_tried_again(world: World) -> None:
    run = world.run()
    engine = world.broken(faults.FailsToStart)
    await world.until(lambda: "out of order" in world.task(run).detail)
    engine.broken = False
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)


async def test_what_dies_at_once_has_its_reason(world: World) -> None:
    run = world.run()
    world.broken(faults.DiesAtOnce)
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert (world.task(run).outcome, world.task(run).reason) == (Outcome.FAILED, Reason.RUNNER_DIED)
    assert world.task(run).detail


async def test_an_engine_that_forgot_the_handle_has_lost_the_task(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    world.broken(faults.ForgetsTheHandle)
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).outcome is Outcome.LOST


@pytest.mark.parametrize("fault", [faults.Unreachable, faults.FailsWhenAsked])
async def test_unreachable_is_never_dead(world: World, fault: type[faults.Faulty]) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    engine = world.broken(fault)
    await world.until(lambda: world.task(run).silent_since)
    world.clock.pass_by(days=3)
    await world.loop.look()
    assert world.task(run).phase is Phase.RUNNING
    engine.broken = False
    await world.until(lambda: world.task(run).silent_since is None)


async def test_a_session_goes_by_way_of_the_hub(world: World) -> None:
    session = world.session()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    row = world.task(session)
    assert (world.hub.asked, row.answers) == ([row.id], True)
    assert world.engine.machine.tasks[row.id].env == {"TOKEN": "secret"}
    assert "secret" not in json.dumps(row.handle)


async def test_a_session_waits_for_a_hub_that_is_away(world: World) -> None:
    world.hub.away = True
    session = world.session()
    await world.until(lambda: "away" in world.task(session).detail)
    world.clock.pass_by(hours=1)
    world.hub.away = False
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    assert world.engine.machine.starts[session.task.id] == 1


async def test_a_hub_that_lost_the_question_is_asked_again_with_the_same_task(world: World) -> None:
    world.hub.comes = False
    session = world.session()
    await world.until(lambda: world.hub.asked)
    world.hub.comes = True
    world.new_portal()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    assert set(world.hub.asked) == {session.task.id}


async def test_the_hub_lets_go_before_the_session_may_start_again(world: World) -> None:
    session = world.session()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    world.hub.away = True
    world.ledger.want_stop(session.task.id, by="ada")
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    again = world.ledger.session(session.id)
    assert again
    second = world.ledger.add_attempt(again, replace(again.task.spec, id="a-second-task"))
    await world.loop.look()
    assert world.ledger.task(second.id) == second
    world.hub.away = False
    await world.until(lambda: (row := world.ledger.task(second.id)) and row.phase is Phase.RUNNING)
    assert world.hub.stopped == [session.name]


async def test_a_new_portal_has_the_last_session_cleared_away_before_it_starts_the_next(world: World) -> None:
    session = world.session("lab")
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    world.hub.away = True
    world.ledger.want_stop(session.task.id, by="ada")
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    again = world.ledger.session(session.id)
    assert again
    second = world.ledger.add_attempt(again, replace(again.task.spec, id="a-second-task"))
    world.hub.away, world.hub.heard = False, []
    world.new_portal()
    await world.until(lambda: (row := world.ledger.task(second.id)) and row.phase is Phase.RUNNING)
    *before, last = world.hub.heard
    assert (set(before), last) == ({"stop lab"}, "start lab")


async def test_a_hub_that_hangs_holds_up_nothing_else(world: World) -> None:
    session = world.session()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    world.hub.awake.clear()
    world.ledger.want_stop(session.task.id, by="ada")
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    assert world.hub.stopped == []
    world.hub.awake.set()
    await world.until(lambda: world.hub.stopped == [session.name])


async def test_a_session_that_never_answers_is_ended_with_its_reason(world: World) -> None:
    session = world.session()
    world.broken(faults.NeverStarts)
    await world.until(lambda: world.task(session).phase is Phase.STARTING)
    world.clock.pass_by(minutes=10)
    await world.until(lambda: world.task(session).phase is Phase.ENDED)
    assert (world.task(session).outcome, world.task(session).reason) == (Outcome.FAILED, Reason.START_FAILED)


async def test_a_task_is_handed_over_only_to_whom_it_belongs_and_while_it_is_wanted(world: World) -> None:
    world.hub.comes = False
    session = world.session()
    await world.until(lambda: world.hub.asked)
    handover, id = world.hub.handover, session.task.id
    assert handover
    for person, name in (("eve", session.name), ("ada", "another")):
        with pytest.raises(TaskNotWanted):
            await handover.hand_over(id, person, name, {}, ("serve",))
    world.ledger.want_stop(id, by="ada")
    with pytest.raises(TaskNotWanted):
        await handover.hand_over(id, "ada", session.name, {}, ("serve",))


@pytest.mark.parametrize(("own_network", "portal"), [(False, "http://127.0.0.1:8002"), (True, "http://10.5.0.1:4321")])
async def test_only_a_session_in_a_network_of_its_own_goes_by_the_door(
    world: World, own_network: bool, portal: str
) -> None:
    world.engine.can = replace(world.engine.can, own_network=own_network)
    session = world.session()
    world.ledger.write_task(session.task.id, {"phase": Phase.STARTING})
    assert world.hub.handover
    env = {"DRYBENCH_URL": "http://127.0.0.1:8002"}
    await world.hub.handover.hand_over(session.task.id, "ada", session.name, env, ("serve",))
    assert world.engine.machine.tasks[session.task.id].env["DRYBENCH_URL"] == portal


async def test_who_was_deleted_meanwhile_starts_nothing_more(world: World) -> None:
    held = [world.run(cores=1) for _ in range(2)]
    await world.until(lambda: world.task(held[1]).phase is Phase.RUNNING)
    bob = world.ledger.person_seen("bob")
    waiting = world.run(bob)
    world.ledger.person_gone("bob")
    for run in held:
        world.ends(run)
    await world.until(lambda: world.task(waiting).phase is Phase.ENDED)
    assert (world.task(waiting).reason, world.engine.machine.starts[waiting.task.id]) == (Reason.REJECTED, 0)


async def test_progress_comes_from_the_journal(world: World) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    journal = world.folders.path(run.id) / "1" / "made" / "progress.jsonl"
    lines = [{"format": 1, "event": "began", "cells": 7}, {"event": "cell", "index": 2, "n": 2, "of": 7}]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    await world.until(lambda: (seen := world.ledger.run(run.id)) and (seen.cell, seen.cells) == (2, 7))


@pytest.mark.parametrize("written", ["{", '{"format": 9}', '{"format": 1, "outcome": "splendid"}'])
async def test_a_result_of_nonsense_is_said_to_be_unreadable(world: World, written: str) -> None:
    run = world.run()
    await world.until(lambda: world.task(run).phase is Phase.RUNNING)
    (world.folders.path(run.id) / "1" / "made" / "result.json").write_text(written)
    world.engine.machine.end(run.task.id)
    await world.until(lambda: world.task(run).phase is Phase.ENDED)
    assert world.task(run).reason is Reason.RECORD_UNREADABLE


async def test_waking_is_heard(world: World) -> None:
    going = asyncio.create_task(world.loop.run())
    try:
        run = world.run()
        world.loop.wake()
        await eventually(lambda: world.task(run).phase is Phase.RUNNING)
    finally:
        going.cancel()


async def test_a_session_that_a_killed_portal_had_started_is_found_without_the_hub(world: World) -> None:
    """The Hub would come with a new token, and the server would never hear of it."""
    session = world.session()
    engine = world.broken(faults.LosesTheReply)
    await world.until(lambda: engine.machine.starts[session.task.id] == 1)
    engine.broken = False
    world.new_portal()
    await world.until(lambda: world.task(session).phase is Phase.RUNNING)
    assert world.hub.asked == [session.task.id]
