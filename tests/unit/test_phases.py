"""The laws of `decide`, for every state and every sight."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.phases import Act, Outcome, Phase, Reason, Seen, Sight, State, Verdict, Wanted, decide

NOW = datetime(2026, 11, 1, tzinfo=UTC)

reasons = st.none() | st.sampled_from(Reason)
states = st.builds(
    State,
    phase=st.sampled_from([Phase.WAITING, Phase.STARTING, Phase.RUNNING]),
    wanted=st.sampled_from(Wanted),
    chosen=st.booleans(),
    has_handle=st.booleans(),
    needs_address=st.booleans(),
    answers=st.booleans(),
    keeps_record=st.booleans(),
    overdue=st.booleans(),
    reason=st.none() | st.just(Reason.START_FAILED),
)
sights = st.none() | st.builds(
    Sight,
    seen=st.sampled_from(Seen),
    detail=st.text(max_size=3),
    exit_code=st.none() | st.integers(0, 255),
    reason=reasons,
)
verdicts = st.none() | st.builds(
    Verdict, outcome=st.sampled_from([Outcome.DONE, Outcome.FAILED, Outcome.STOPPED]), reason=reasons
)


@given(states, sights, verdicts)
def test_the_phase_never_falls(task: State, sight: Sight | None, verdict: Verdict | None) -> None:
    assert decide(task, sight, NOW, verdict).state.phase >= task.phase


@given(states, sights, verdicts, st.sampled_from(Outcome))
def test_what_has_ended_never_changes(
    task: State, sight: Sight | None, verdict: Verdict | None, outcome: Outcome
) -> None:
    ended = replace(task, phase=Phase.ENDED, outcome=outcome)
    assert decide(ended, sight, NOW, verdict) == type(decide(ended, sight, NOW))(ended)


@given(states, sights, verdicts)
def test_it_is_started_only_when_wanted_and_while_nothing_runs(
    task: State, sight: Sight | None, verdict: Verdict | None
) -> None:
    decision = decide(task, sight, NOW, verdict)
    if decision.act is Act.START:
        assert task.wanted is Wanted.RUN
        assert sight is None or (sight.seen is Seen.UNKNOWN and not task.has_handle)
        assert task.phase is not Phase.WAITING or task.chosen
        assert decision.state.phase >= Phase.STARTING


@given(states, sights, verdicts)
def test_stopped_only_if_a_stop_was_wanted(task: State, sight: Sight | None, verdict: Verdict | None) -> None:
    if decide(task, sight, NOW, verdict).state.outcome is Outcome.STOPPED:
        assert task.wanted is Wanted.STOP


@given(states, sights, verdicts)
def test_an_outcome_comes_with_the_end_and_only_then(task: State, sight: Sight | None, verdict: Verdict | None) -> None:
    after = decide(task, sight, NOW, verdict).state
    assert (after.outcome is None) == (after.phase is not Phase.ENDED)


@given(states)
def test_unreachable_is_never_dead(task: State) -> None:
    decision = decide(task, Sight(Seen.UNREACHABLE), NOW)
    assert decision.act is Act.NOTHING
    assert replace(decision.state, silent_since=None) == task
    assert decision.state.silent_since == NOW


@given(states, st.integers(0, 255))
def test_with_an_engine_that_finishes_every_task_ends(task: State, exit_code: int) -> None:
    """Whatever the state, an engine that starts what it is asked to and finishes leads to the end."""
    task = replace(task, chosen=True)
    sight = Sight(Seen.RUNNING) if task.has_handle else None
    for _ in range(6):
        decision = decide(task, sight, NOW)
        task = decision.state
        if decision.act is Act.START:
            task, sight = replace(task, has_handle=True, answers=True), Sight(Seen.RUNNING)
        elif sight is None:
            sight = Sight(Seen.UNKNOWN)
        else:
            sight = Sight(Seen.ENDED, exit_code=exit_code)
    assert task.phase is Phase.ENDED


RUNNING = State(Phase.RUNNING, Wanted.RUN, has_handle=True)
STOPPING = replace(RUNNING, wanted=Wanted.STOP)
A_RUN = replace(RUNNING, keeps_record=True)
OVER = Sight(Seen.ENDED, exit_code=0)
DONE, FAILED = Verdict(Outcome.DONE), Verdict(Outcome.FAILED, Reason.CELL_ERROR)


@pytest.mark.parametrize(
    ("task", "sight", "verdict", "outcome", "reason"),
    [
        (RUNNING, OVER, None, Outcome.DONE, None),
        (RUNNING, Sight(Seen.ENDED, exit_code=3), None, Outcome.FAILED, Reason.EXITED),
        (RUNNING, Sight(Seen.ENDED, exit_code=137), None, Outcome.FAILED, Reason.KILLED),
        (RUNNING, Sight(Seen.UNKNOWN), None, Outcome.LOST, Reason.MACHINE_GONE),
        (RUNNING, Sight(Seen.ENDED), None, Outcome.LOST, Reason.WATCHER_DIED),
        (STOPPING, OVER, None, Outcome.STOPPED, Reason.CANCELLED),
        (STOPPING, Sight(Seen.UNKNOWN), None, Outcome.STOPPED, Reason.CANCELLED),
        (A_RUN, OVER, DONE, Outcome.DONE, None),
        (A_RUN, OVER, FAILED, Outcome.FAILED, Reason.CELL_ERROR),
        (A_RUN, OVER, None, Outcome.FAILED, Reason.RUNNER_DIED),
        (A_RUN, Sight(Seen.ENDED, exit_code=137), None, Outcome.FAILED, Reason.RUNNER_DIED),
        (A_RUN, Sight(Seen.ENDED, reason=Reason.WATCHER_DIED), DONE, Outcome.DONE, None),
        (A_RUN, Sight(Seen.ENDED, reason=Reason.WATCHER_DIED), None, Outcome.LOST, Reason.WATCHER_DIED),
        (A_RUN, Sight(Seen.ENDED, reason=Reason.OUT_OF_MEMORY), FAILED, Outcome.FAILED, Reason.OUT_OF_MEMORY),
        (A_RUN, OVER, Verdict(Outcome.STOPPED, Reason.CANCELLED), Outcome.FAILED, Reason.KILLED),
        (replace(STOPPING, keeps_record=True), OVER, DONE, Outcome.DONE, None),
    ],
)
def test_how_it_ended(
    task: State, sight: Sight, verdict: Verdict | None, outcome: Outcome, reason: Reason | None
) -> None:
    after = decide(task, sight, NOW, verdict).state
    assert (after.phase, after.outcome, after.reason) == (Phase.ENDED, outcome, reason)


def test_a_session_is_running_once_it_answers() -> None:
    session = State(Phase.STARTING, Wanted.RUN, has_handle=True, needs_address=True)
    assert decide(session, Sight(Seen.RUNNING), NOW).state.phase is Phase.STARTING
    assert decide(replace(session, answers=True), Sight(Seen.RUNNING), NOW).state.phase is Phase.RUNNING


def test_what_never_gets_ready_is_ended_with_its_reason() -> None:
    late = State(Phase.STARTING, Wanted.RUN, has_handle=True, needs_address=True, overdue=True)
    decision = decide(late, Sight(Seen.RUNNING), NOW)
    assert decision.act is Act.STOP
    over = decide(decision.state, Sight(Seen.ENDED, exit_code=143), NOW).state
    assert (over.outcome, over.reason) == (Outcome.FAILED, Reason.START_FAILED)


def test_a_cancelled_half_made_start_is_searched_for_before_it_counts_as_stopped() -> None:
    half = State(Phase.STARTING, Wanted.STOP)
    assert decide(half, None, NOW).state.phase is Phase.STARTING
    assert decide(half, Sight(Seen.RUNNING), NOW).act is Act.STOP
    assert decide(half, Sight(Seen.UNKNOWN), NOW).state.outcome is Outcome.STOPPED


def test_words_are_heard_again_after_silence() -> None:
    silent = replace(RUNNING, silent_since=NOW)
    assert decide(silent, Sight(Seen.RUNNING), NOW).state.silent_since is None
