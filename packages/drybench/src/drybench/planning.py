"""From what a person asked for to a task: a command, its size and its surroundings. Pure.

In a container a task finds what is its own below `/drybench`, whatever image it is made from: there a run folder
has the same two halves as on the host, and only the second can be written to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drybench.model import LAB, RUN, SESSION, App, Environment, KeptKernel, Mount, Person, Size, Surroundings, Task

# They tell a session which kernel it is for, and where it has what that kernel's own task calls /drybench/task.
HELD, HELD_NOTEBOOK, HELD_TASK = "DRYBENCH_HELD", "DRYBENCH_HELD_NOTEBOOK", "DRYBENCH_HELD_TASK"
APPS, LINKS, OPENS = "DRYBENCH_APPS", "DRYBENCH_LINKS", "DRYBENCH_OPENS"
RUNS_INSIDE, OVERLAYS_INSIDE = Path("/drybench/runs"), Path("/drybench/overlays")
HELD_INSIDE, HELD_TASK_INSIDE = Path("/drybench/held"), Path("/drybench/held-task")
BACKGROUND_INSIDE = Path("/drybench/desktop/background")  # where our own images have one themselves


def plan_session(
    id: str,
    person: Person,
    environment: Environment,
    size: Size,
    around: Surroundings,
    held: KeptKernel | None = None,
    opens: str = LAB,
) -> Task:
    """A session's command comes from JupyterHub, when it hands it over.

    In a session one asks for runs with the environment that one works in, unless one says another. It is told which
    app is `opens`ed first, so that a desktop begins with it and not with whoever looks.
    """
    kept, variables = _kept_inside(held, around.mounts) if environment.image else _kept(held)
    return Task(
        id=id,
        person=person.name,
        kind=SESSION,
        command=(),
        workdir=around.home,
        env={"DRYBENCH_ENVIRONMENT": environment.name, OPENS: opens} | _apps(environment) | variables,
        needs_address=True,
        **_of(environment, size, around, (*kept, *backgrounds(environment))),
    )


def apps_of(task: Task) -> Sequence[App]:
    """Of a session: what it was started with, whatever its environment has by now."""
    told = json.loads(task.env.get(APPS, "[]"))
    return [App(one["name"], one["title"], tuple(one["command"] or ())) for one in told]


def backgrounds(environment: Environment) -> tuple[Mount, ...]:
    """Also of a session that stands ready: it is mounted for everybody or for nobody."""
    if environment.background is None:
        return ()
    return (Mount(environment.background, BACKGROUND_INSIDE, read_only=True),)


def plan_run(
    id: str,
    person: Person,
    environment: Environment,
    size: Size,
    around: Surroundings,
    run_folder: Path,
    attempt: int,
    overlays: Path | None = None,
) -> Task:
    """`overlays`: where this person's requirements are laid over environments, for a run that has some."""
    inside = RUNS_INSIDE / run_folder.name if environment.image else run_folder
    return Task(
        id=id,
        person=person.name,
        kind=RUN,
        command=("python", "-m", "drybench_runner", "run", str(inside), str(attempt)),
        workdir=inside / str(attempt) / "made" / "output",
        **_of(environment, size, around, _halves(run_folder, inside, attempt, overlays) if environment.image else ()),
    )


def _of(environment: Environment, size: Size, around: Surroundings, more: tuple[Mount, ...]) -> Mapping[str, Any]:
    return {
        "python": environment.python,
        "image": environment.digest or environment.image,
        "entrypoint": environment.entrypoint,
        "account": around.account,
        "home": around.home if environment.image else None,
        "cores": size.cores,
        "memory": size.memory,
        "gpu_count": len(size.gpus),
        "vram": size.gpus,
        "added_gpus": size.added_gpus,
        "mounts": (*(around.mounts if environment.image else ()), *more),
    }


def _apps(environment: Environment) -> dict[str, str]:
    apps = [{**asdict(app), "command": list(app.command) or None} for app in environment.apps]
    links = [asdict(link) for link in environment.links]
    return {APPS: json.dumps(apps)} | ({LINKS: json.dumps(links)} if links else {})


def _kept(held: KeptKernel | None) -> tuple[tuple[Mount, ...], dict[str, str]]:
    if held is None:
        return (), {}
    return (Mount(held.folder, held.folder),), {HELD: str(held.folder), HELD_NOTEBOOK: held.notebook}


def _kept_inside(held: KeptKernel | None, seen: tuple[Mount, ...]) -> tuple[tuple[Mount, ...], dict[str, str]]:
    """Its notebook can be written to also where the session sees its runs, which are read-only there.

    What is mounted is `made/`, which has its place for good: in it the run's own program could put a link in the place
    of `held/`, and the container engine, being root, would follow it out of here. In a container it leads nowhere.
    """
    if held is None:
        return (), {}
    made, name = held.folder.parent, held.folder.name
    among_runs = (
        Mount(made, mount.target / made.relative_to(mount.source))
        for mount in seen
        if mount.read_only and made.is_relative_to(mount.source)
    )
    task = (Mount(held.task, HELD_TASK_INSIDE, read_only=True),) if held.task else ()
    variables = {HELD: str(HELD_INSIDE / name), HELD_NOTEBOOK: held.notebook}
    return (Mount(made, HELD_INSIDE), *task, *among_runs), variables | (
        {HELD_TASK: str(HELD_TASK_INSIDE)} if task else {}
    )


def _halves(run_folder: Path, inside: Path, attempt: int, overlays: Path | None) -> tuple[Mount, ...]:
    of_attempt = Path(str(attempt))
    return (
        Mount(run_folder / "given", inside / "given", read_only=True),
        Mount(run_folder / of_attempt, inside / of_attempt, read_only=True),
        Mount(run_folder / of_attempt / "made", inside / of_attempt / "made"),
        *([Mount(overlays, OVERLAYS_INSIDE)] if overlays else []),
    )
