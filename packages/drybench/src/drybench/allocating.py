"""Who is next, and on which GPU. Pure.

Sessions before runs; between people round robin, whoever was served last coming last; within one
person by priority, then age.
Memory is held for all. Cores are held for runs, while for a session they are a weight only,
so that an open JupyterLab on a laptop blocks no run. Nobody overtakes: what does not fit
yet is waited for, or a large task would never start.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from drybench import gpus
from drybench.model import SESSION, Gpu, TaskRow

Served = Mapping[tuple[str, str], int]  # kind and person → the higher, the later they were served
NOBODY_YET: Served = MappingProxyType({})


@dataclass(frozen=True)
class Space:
    """What there is, and what of it is left."""

    cores: float
    memory: int
    gpus: tuple[Gpu, ...] = ()
    engines: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])  # the GPUs of each

    def gpus_for(self, engine: str) -> Sequence[Gpu]:
        """The keeper may give some to one engine and some to another."""
        own = self.engines.get(engine)
        return self.gpus if own is None else [gpu for gpu in self.gpus if gpu.id in own]


@dataclass(frozen=True)
class Grant:
    task: TaskRow
    gpus: tuple[str, ...] = ()


def line(waiting: Sequence[TaskRow], held: Sequence[TaskRow], served: Served = NOBODY_YET) -> list[TaskRow]:
    """All who wait, in their order. Without `served` a long queue would come first again each time its run ends."""
    has = Counter((task.kind, task.person_id) for task in held)
    turns: dict[str, int] = {}
    for (kind, person), tasks in _queues(waiting).items():
        turns |= {task.id: has[kind, person] + place for place, task in enumerate(tasks)}
    return sorted(
        waiting,
        key=lambda task: (
            task.kind != SESSION,
            turns[task.id],
            served.get((task.kind, task.person_id), -1),
            task.created_at,
            task.id,
        ),
    )


def choose(
    waiting: Sequence[TaskRow], held: Sequence[TaskRow], space: Space, served: Served = NOBODY_YET
) -> list[Grant]:
    """Those that may start now, beside what is held already."""
    free = left(space, held)
    grants: list[Grant] = []
    for task in line(waiting, held, served):
        given = gpus.choose(gpus.asked(task.spec), free.gpus_for(task.engine))
        if given is None or not _fits(task, free):
            break
        grants.append(Grant(task, tuple(gpu.id for gpu in given)))
        others = tuple(gpu for gpu in free.gpus if gpu not in given)
        free = replace(free, cores=free.cores - _cores(task), memory=free.memory - task.memory, gpus=others)
    return grants


def left(space: Space, held: Sequence[TaskRow]) -> Space:
    """What is free beside those."""
    taken = {gpu for task in held for gpu in task.gpus}
    return replace(
        space,
        cores=space.cores - sum(map(_cores, held)),
        memory=space.memory - sum(task.memory for task in held),
        gpus=tuple(gpu for gpu in space.gpus if gpu.id not in taken),
    )


def _queues(waiting: Iterable[TaskRow]) -> dict[tuple[str, str], list[TaskRow]]:
    queues: dict[tuple[str, str], list[TaskRow]] = defaultdict(list)
    for task in sorted(waiting, key=lambda task: (-task.priority, task.created_at, task.id)):
        queues[task.kind, task.person_id].append(task)
    return queues


def _cores(task: TaskRow) -> float:
    return 0.0 if task.kind == SESSION else task.cores


def _fits(task: TaskRow, free: Space) -> bool:
    return _cores(task) <= free.cores and task.memory <= free.memory
