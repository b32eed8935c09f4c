"""What stands ready for whoever comes: sessions of nobody, as many of each environment as the keeper says. Pure.

One takes one session, of any person and size, in the same environment, with the same account, and with nothing in it
but a home and what everybody sees. It gives way as what stands ready for runs does: see `warming`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from drybench import planning
from drybench.allocating import Space
from drybench.model import READY, SESSION, Environment, Person, Size, Surroundings, TaskRow
from drybench.warming import Kind, Plan, plan

COMMAND = ("python", "-m", "drybench_runner", "ready-session")
NOBODY = Person(id="nobody", name="")  # whose they are until somebody comes


def kind(environment: Environment, size: Size, around: Surroundings) -> Kind:
    """`around`: what everybody sees, with the folder as its home in which homes appear."""
    return Kind(
        person_id=NOBODY.id,
        person=NOBODY.name,
        engine=environment.engine,
        cores=size.cores,
        memory=size.memory,
        command=COMMAND,
        image=environment.digest or environment.image,
        account=around.account,
        home=around.home,
        mounts=(*around.mounts, *planning.backgrounds(environment)),
        becomes=SESSION,
    )


def is_of_it(task: TaskRow) -> bool:
    return task.kind == READY and task.spec.becomes == SESSION


def serves(ready: TaskRow, session: TaskRow) -> bool:
    """Whoever has something of their own beside a home, as a GPU or a folder, starts a session of their own."""
    has, wants = ready.spec, session.spec
    if not is_of_it(ready) or session.kind != SESSION or wants.home is None or wants.gpu_count or wants.entrypoint:
        return False
    others = tuple(mount for mount in wants.mounts if mount.target != wants.home)
    there = (ready.engine, has.image, has.account, has.home, has.mounts)
    return there == (session.engine, wants.image, wants.account, wants.home.parent, others)


def keep(wanted: Mapping[Kind, int], open_tasks: Sequence[TaskRow], space: Space) -> Plan:
    """What shall stand ready from now on, on one machine."""
    return plan(wanted, [task for task in open_tasks if is_of_it(task)], open_tasks, space)


def without(open_tasks: Sequence[TaskRow], space: Space) -> tuple[Sequence[TaskRow], Space]:
    """What is left beside it for what is kept ready for runs."""
    held = sum(task.memory for task in open_tasks if is_of_it(task))
    return [task for task in open_tasks if not is_of_it(task)], replace(space, memory=space.memory - held)
