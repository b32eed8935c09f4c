"""What stands ready: tasks started ahead of the person's work, learned from what they just ran. Pure.

A ready task takes one run: of the same person, environment and size, and nothing else of it is fixed. In a
container it is also the same account, with the same home and folders in it from the start; the run's own
folder comes with the run. It counts as nothing where somebody waits. What is ready and in the way is
stopped first, and while somebody waits, none is started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from drybench.allocating import Grant, Space, left
from drybench.model import READY, RUN, Account, Mount, TaskKind, TaskRow
from drybench.phases import Phase, Wanted
from drybench.planning import RUNS_INSIDE

COMMAND = ("python", "-m", "drybench_runner", "ready")
REQUIREMENTS = "requirements.txt"


Serves = Callable[[TaskRow, TaskRow], bool]  # a ready task, and what asks for one


@dataclass(frozen=True)
class Kind:
    """One ready task of a kind is as good as another."""

    person_id: str
    person: str
    engine: str
    cores: float
    memory: int
    command: tuple[str, ...]
    python: Path | None = None
    image: str | None = None
    entrypoint: bool = False
    account: Account | None = None
    home: Path | None = None
    mounts: tuple[Mount, ...] = ()
    becomes: TaskKind = RUN


@dataclass(frozen=True)
class Shelf:
    """What the bench has now: the sizes as (cores, memory), and what each environment's kernels import ahead."""

    sizes: frozenset[tuple[float, int]]
    modules: Mapping[Path | str, tuple[str, ...]]  # by the folder of a Python, or by an image

    def kind(self, run: TaskRow) -> Kind | None:
        """What would have to stand ready for this run; None for one that none can stand ready for."""
        task, made_from = run.spec, run.spec.image or run.spec.python
        mounts_of_its_own = task.mounts and not task.image
        of_its_own = task.gpu_count or mounts_of_its_own or task.env or REQUIREMENTS in task.hashes
        if run.kind != RUN or of_its_own or made_from is None or made_from not in self.modules:
            return None
        if (task.cores, task.memory) not in self.sizes:
            return None
        return _kind(run, (*COMMAND, *self.modules[made_from]))

    def serves(self, ready: TaskRow, asked: TaskRow) -> bool:
        return kind_of(ready) == self.kind(asked)


@dataclass(frozen=True)
class Limits:
    most: int
    minutes: float


@dataclass(frozen=True)
class Way:
    """What becomes of those that have room, when what stands ready gives way to them."""

    go: Sequence[tuple[Grant, TaskRow | None]]  # each with what it claims
    stop: Sequence[TaskRow]  # in the way of the next one


@dataclass(frozen=True)
class Plan:
    start: Sequence[Kind]
    stop: Sequence[TaskRow]


def kind_of(ready: TaskRow) -> Kind:
    return _kind(ready, tuple(ready.spec.command))


def make_way(
    grants: Sequence[Grant],
    held: Sequence[TaskRow],
    ready: Sequence[TaskRow],
    space: Space,
    shelf: Shelf,
    serves: Serves = lambda ready, asked: False,
) -> Way:
    """Claims first, so that nothing is stopped that somebody can use. Nobody overtakes who waits for an end.

    `serves`: what else a ready task can take beside the runs of its kind.
    """
    claims = _claims(grants, ready, lambda one, asked: shelf.serves(one, asked) or serves(one, asked))
    others = [task for task in ready if task.id not in {claimed.id for claimed in claims.values()}]
    free = left(space, held).memory - sum(task.memory for task in others)
    go: list[tuple[Grant, TaskRow | None]] = []
    for grant in grants:
        if grant.task.memory > free:
            return Way(go, _in_the_way(others, grant.task.memory - free))
        free -= grant.task.memory
        go.append((grant, claims.get(grant.task.id)))
    return Way(go, [])


def keep(
    used: Sequence[TaskRow],
    open_tasks: Sequence[TaskRow],
    space: Space,
    shelf: Shelf,
    limits: Limits,
    now: datetime,
) -> Plan:
    """What shall stand ready from now on, learned from the runs `used` of late; for one engine."""
    ready = [task for task in open_tasks if task.kind == READY]
    others = [task for task in open_tasks if task.kind != READY]
    return plan(Counter(_wanted(used, others, space, shelf, limits, now)), ready, open_tasks, space)


def plan(wanted: Mapping[Kind, int], among: Sequence[TaskRow], open_tasks: Sequence[TaskRow], space: Space) -> Plan:
    """So that as many as are wanted stand `among` those. While somebody waits, none is started."""
    missing, stop = Counter(wanted), list[TaskRow]()
    for task in (task for task in among if task.wanted is Wanted.RUN):
        kind = kind_of(task)
        if missing[kind] > 0:
            missing[kind] -= 1
        else:
            stop.append(task)
    ready = [task for task in open_tasks if task.kind == READY]
    others = [task for task in open_tasks if task.kind != READY]
    return Plan([] if _somebody_waits(others) else _that_fit(missing, others, ready, space), stop)


def _kind(row: TaskRow, command: tuple[str, ...]) -> Kind:
    task = row.spec
    return Kind(
        person_id=row.person_id,
        person=row.person,
        engine=row.engine,
        cores=task.cores,
        memory=task.memory,
        command=command,
        python=task.python,
        image=task.image,
        entrypoint=task.entrypoint,
        account=task.account,
        home=task.home,
        mounts=tuple(mount for mount in task.mounts if not mount.target.is_relative_to(RUNS_INSIDE)),
        becomes=task.becomes,
    )


def _claims(grants: Sequence[Grant], ready: Sequence[TaskRow], serves: Serves) -> dict[str, TaskRow]:
    free = [task for task in ready if task.stands_ready]
    claims: dict[str, TaskRow] = {}
    for grant in grants:
        found = next((task for task in free if serves(task, grant.task)), None)
        if found is not None:
            free.remove(found)
            claims[grant.task.id] = found
    return claims


def _in_the_way(ready: Sequence[TaskRow], needed: int) -> list[TaskRow]:
    """Those that are stopping already free their memory too."""
    stop: list[TaskRow] = []
    for task in sorted(ready, key=lambda task: (task.wanted is not Wanted.STOP, task.id)):
        if needed <= 0:
            break
        needed -= task.memory
        if task.wanted is Wanted.RUN:
            stop.append(task)
    return stop


def _wanted(
    used: Sequence[TaskRow],
    others: Sequence[TaskRow],
    space: Space,
    shelf: Shelf,
    limits: Limits,
    now: datetime,
) -> list[Kind]:
    """One of each kind, the one used last first; then as many more as ran at once. What fits into the memory."""
    since = now - timedelta(minutes=limits.minutes)
    late = sorted((task for task in used if _last_used(task, now) > since), key=lambda task: task.id, reverse=True)
    kinds = [(kind, task) for task in late if (kind := shelf.kind(task)) is not None]
    at_once = {kind: _most_at_once([task for other, task in kinds if other == kind], now) for kind, _ in kinds}
    rounds = [[kind for kind in at_once if at_once[kind] > number] for number in range(limits.most)]
    free, wanted = left(space, [task for task in others if task.phase is not Phase.WAITING]).memory, list[Kind]()
    for kind in (kind for each in rounds for kind in each):
        if len(wanted) < limits.most and kind.memory <= free:
            wanted.append(kind)
            free -= kind.memory
    return wanted


def _last_used(task: TaskRow, now: datetime) -> datetime:
    return task.ended_at or now


def _most_at_once(tasks: Sequence[TaskRow], now: datetime) -> int:
    """Those that have only waited do not count: what is ready gives way to them."""
    begun = [(task.started_at, _last_used(task, now)) for task in tasks if task.started_at]
    return max([1, *(sum(start <= at < end for start, end in begun) for at, _ in begun)])


def _somebody_waits(tasks: Sequence[TaskRow]) -> bool:
    return any(task.phase is Phase.WAITING and task.wanted is Wanted.RUN for task in tasks)


def _that_fit(
    missing: Mapping[Kind, int], others: Sequence[TaskRow], ready: Sequence[TaskRow], space: Space
) -> list[Kind]:
    """To start one takes a core for a moment, which nobody who runs shall miss; and none is started twice."""
    free = left(space, others)
    cores = free.cores - sum(task.cores for task in ready if task.phase < Phase.RUNNING)
    memory = free.memory - sum(task.memory for task in ready)
    start: list[Kind] = []
    for kind in (kind for kind, count in missing.items() for _ in range(count)):
        if kind.cores <= cores and kind.memory <= memory:
            start.append(kind)
            cores, memory = cores - kind.cores, memory - kind.memory
    return start
