"""The machine in one line, from the ledger: no page waits for an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drybench import own_machine, pool
from drybench.model import READY, RUN, TaskRow
from drybench.phases import Phase
from drybench.settings_sections import LocalEngine


@dataclass(frozen=True)
class Machine:
    cores: float
    cores_held: float  # by runs; an open session blocks no core
    memory: int
    memory_held: int
    gpus: int
    gpus_held: int
    working: int
    ready: int  # started ahead; their memory is free for whoever asks
    ready_sessions: int  # of these, for whoever comes first
    waiting: int
    people: int

    @property
    def memory_free(self) -> int:
        return max(0, self.memory - self.memory_held)


def machine(open_tasks: Sequence[TaskRow], limits: LocalEngine, gpus: int = 0) -> Machine:
    begun = [task for task in open_tasks if task.phase is not Phase.WAITING]
    held = [task for task in begun if task.kind != READY]
    return Machine(
        cores=own_machine.cores(limits.cores),
        cores_held=sum(task.cores for task in held if task.kind == RUN),
        memory=own_machine.memory(limits.memory),
        memory_held=sum(task.memory for task in held),
        gpus=gpus,
        gpus_held=sum(len(task.gpus) for task in held),
        working=len(held),
        ready=sum(task.stands_ready for task in begun),
        ready_sessions=sum(task.stands_ready and pool.is_of_it(task) for task in begun),
        waiting=len(open_tasks) - len(begun),
        people=len({task.person_id for task in open_tasks if task.kind != READY}),
    )
