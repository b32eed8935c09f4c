"""The machine in one line, from the ledger: no page waits for an engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from drybench.model import RUN, TaskRow
from drybench.phases import Phase
from drybench.settings_sections import LocalEngine


@dataclass(frozen=True)
class Machine:
    cores: float
    cores_held: float  # by runs; an open session blocks no core
    memory: int
    memory_held: int
    working: int
    waiting: int
    people: int

    @property
    def memory_free(self) -> int:
        return max(0, self.memory - self.memory_held)


def machine(open_tasks: Sequence[TaskRow], limits: LocalEngine) -> Machine:
    held = [task for task in open_tasks if task.phase is not Phase.WAITING]
    return Machine(
        cores=limits.cores or len(os.sched_getaffinity(0)),
        cores_held=sum(task.cores for task in held if task.kind == RUN),
        memory=limits.memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        memory_held=sum(task.memory for task in held),
        working=len(held),
        waiting=len(open_tasks) - len(held),
        people=len({task.person_id for task in open_tasks}),
    )
