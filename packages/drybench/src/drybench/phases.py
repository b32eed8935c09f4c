"""What can become of a task, and the one function that decides it.

Pure: no clock, no I/O. The ledger stores these words, pages show them.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class Reason(StrEnum):
    """Why a task did not end as done. The sentences are in `runs/causes.py`."""

    CELL_ERROR = "cell_error"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    KERNEL_DIED = "kernel_died"
    NO_SUCH_KERNEL = "no_such_kernel"
    INPUT_MISSING = "input_missing"
    RUNNER_DIED = "runner_died"
    EXITED = "exited"
    KILLED = "killed"
    REJECTED = "rejected"
    START_FAILED = "start_failed"
    RECORD_UNREADABLE = "record_unreadable"
    WATCHER_DIED = "watcher_died"
    MACHINE_GONE = "machine_gone"
    CANCELLED = "cancelled"


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
    has_handle: bool = False
    chosen: bool = False  # the allocator has room for it
    answers: bool = True  # a task with an address: it has been seen to answer
    needs_address: bool = False
    outcome: Outcome | None = None
    reason: Reason | None = None
    detail: str = ""
    silent_since: datetime | None = None


@dataclass(frozen=True)
class Decision:
    state: State
    act: Act = Act.NOTHING


def decide(task: State, sight: Sight | None, now: datetime, verdict: Verdict | None = None) -> Decision:
    """What to write and what to do, from what is known and what was just seen.

    `sight` is None when there is nothing to look at yet (no handle).
    """
    raise NotImplementedError
