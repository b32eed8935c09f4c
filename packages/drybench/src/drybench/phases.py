"""What can become of a task, and the one function that decides it.

Pure: no clock, no I/O. The ledger stores these words, pages show them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, IntEnum, StrEnum


class Phase(IntEnum):
    """Only ever forward."""

    WAITING = 1
    STARTING = 2
    RUNNING = 3
    ENDED = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Wanted(StrEnum):
    RUN = "run"
    STOP = "stop"


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


class Standing(StrEnum):
    """How far a task is, in the words by which people look for it."""

    WAITING = "waiting"
    RUNNING = "running"  # from its start until it has ended
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


class Reason(StrEnum):
    """Why a task did not end as done. The sentences are in `runs/causes.py`."""

    CELL_ERROR = "cell_error"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    DISK_FULL = "disk_full"
    KERNEL_DIED = "kernel_died"
    NO_SUCH_KERNEL = "no_such_kernel"
    INPUT_MISSING = "input_missing"
    REQUIREMENTS_FAILED = "requirements_failed"
    RUNNER_DIED = "runner_died"
    EXITED = "exited"
    KILLED = "killed"
    REJECTED = "rejected"
    START_FAILED = "start_failed"
    RECORD_UNREADABLE = "record_unreadable"
    WATCHER_DIED = "watcher_died"
    MACHINE_GONE = "machine_gone"
    CANCELLED = "cancelled"


BY_A_SIGNAL = (128 + 9, 128 + 15)  # exit codes of what somebody else ended


class Seen(Enum):
    """What an engine says of one task."""

    UNREACHABLE = "unreachable"  # the engine cannot be asked: never taken for death
    UNKNOWN = "unknown"  # the engine answers and knows no such task
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class Sight:
    """One look at one task. `exit_code` is None where nobody can know it any more."""

    seen: Seen
    detail: str = ""
    address: str | None = None  # http://127.0.0.1:PORT of a task that offers one
    exit_code: int | None = None
    reason: Reason | None = None  # what the engine itself knows: out_of_memory, machine_gone …
    memory: int | None = None  # bytes
    cpu: float | None = None  # cores in use


@dataclass(frozen=True)
class Verdict:
    """How a finished task did by its own record (a run's result.json)."""

    outcome: Outcome
    reason: Reason | None = None


class Act(Enum):
    NOTHING = "nothing"
    START = "start"  # start or find, always with the same task id
    STOP = "stop"
    FORGET = "forget"


@dataclass(frozen=True)
class State:
    """What the ledger holds of a task, as far as deciding goes."""

    phase: Phase
    wanted: Wanted
    chosen: bool = False  # the allocator has room for it
    has_handle: bool = False
    needs_address: bool = False
    answers: bool = False  # its address has been seen to answer
    keeps_record: bool = False  # a run: it says by its result.json how it went
    overdue: bool = False  # it should have been ready by now
    outcome: Outcome | None = None
    reason: Reason | None = None  # before the end: why we are ending it
    detail: str = ""
    silent_since: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """What to write, and what to do after it is written."""

    state: State
    act: Act = Act.NOTHING


def decide(task: State, sight: Sight | None, now: datetime, verdict: Verdict | None = None) -> Decision:
    """What to write and what to do, from what is known and what was just seen.

    `sight` is None when there is nothing to look at: no handle, and nobody needs to search.
    """
    if task.phase is Phase.ENDED:
        return Decision(task)
    if sight is None:
        return _unstarted(task)
    if sight.seen is Seen.UNREACHABLE:
        return Decision(replace(task, silent_since=task.silent_since or now))
    task = replace(task, silent_since=None)
    if sight.seen is Seen.UNKNOWN and not task.has_handle:
        return _unstarted(task, searched=True)
    if sight.seen in (Seen.UNKNOWN, Seen.ENDED):
        return Decision(_ended(task, sight, verdict))
    return _alive(task, sight)


def _unstarted(task: State, searched: bool = False) -> Decision:
    """Nothing runs, or nobody knows of it: only a search may say that a half-made start came to nothing."""
    if task.wanted is Wanted.STOP and (searched or task.phase is Phase.WAITING):
        return Decision(replace(task, phase=Phase.ENDED, outcome=Outcome.STOPPED, reason=Reason.CANCELLED))
    if task.wanted is Wanted.STOP:
        return Decision(task)
    if task.phase is Phase.WAITING and not task.chosen:
        return Decision(task)
    if task.overdue:
        return Decision(replace(task, phase=Phase.ENDED, outcome=Outcome.FAILED, reason=Reason.START_FAILED))
    return Decision(replace(task, phase=max(task.phase, Phase.STARTING)), Act.START)


def _alive(task: State, sight: Sight) -> Decision:
    ready = sight.seen is Seen.RUNNING and (task.answers or not task.needs_address)
    phase = max(task.phase, Phase.RUNNING if ready else Phase.STARTING)
    overdue = task.overdue and phase is Phase.STARTING
    alive = replace(
        task,
        phase=phase,
        detail=sight.detail or task.detail,
        reason=Reason.START_FAILED if overdue else task.reason,
    )
    return Decision(alive, Act.STOP if overdue or task.wanted is Wanted.STOP else Act.NOTHING)


def _ended(task: State, sight: Sight, verdict: Verdict | None) -> State:
    outcome, reason = _outcome(task, sight, verdict)
    return replace(task, phase=Phase.ENDED, outcome=outcome, reason=reason, detail="")


def _outcome(task: State, sight: Sight, verdict: Verdict | None) -> tuple[Outcome, Reason | None]:
    """The task's own record counts first, except where the engine knows that it killed it."""
    stop = task.wanted is Wanted.STOP
    if verdict is not None and verdict.outcome is Outcome.STOPPED and not stop:
        return Outcome.FAILED, Reason.KILLED
    if sight.reason is Reason.OUT_OF_MEMORY and (verdict is None or verdict.outcome is not Outcome.DONE):
        return Outcome.FAILED, Reason.OUT_OF_MEMORY
    if verdict is not None:
        return verdict.outcome, verdict.reason
    if stop:
        return Outcome.STOPPED, Reason.CANCELLED
    if task.reason is not None:
        return Outcome.FAILED, task.reason
    return _by_the_engine(task, sight)


def _by_the_engine(task: State, sight: Sight) -> tuple[Outcome, Reason | None]:
    if sight.seen is Seen.UNKNOWN:
        return Outcome.LOST, sight.reason or Reason.MACHINE_GONE
    if sight.reason in (Reason.WATCHER_DIED, Reason.MACHINE_GONE):
        return Outcome.LOST, sight.reason
    if sight.reason is not None:
        return Outcome.FAILED, sight.reason
    if sight.exit_code is None:
        return Outcome.LOST, Reason.WATCHER_DIED
    if task.keeps_record:
        return Outcome.FAILED, Reason.RUNNER_DIED
    if sight.exit_code == 0:
        return Outcome.DONE, None
    return Outcome.FAILED, Reason.KILLED if sight.exit_code in BY_A_SIGNAL else Reason.EXITED
