"""From what a person asked for to a task: a command, its size and its surroundings. Pure.

In a container a task finds what is its own below `/drybench`, whatever image it is made from: there a run folder
has the same two halves as on the host, and only the second can be written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drybench.model import RUN, SESSION, Environment, KeptKernel, Mount, Person, Size, Surroundings, Task

HELD, HELD_NOTEBOOK = "DRYBENCH_HELD", "DRYBENCH_HELD_NOTEBOOK"  # tell a session which kernel it is for
RUNS_INSIDE, OVERLAYS_INSIDE = Path("/drybench/runs"), Path("/drybench/overlays")
HELD_INSIDE = Path("/drybench/held")


def plan_session(
    id: str,
    person: Person,
    environment: Environment,
    size: Size,
    around: Surroundings,
    held: KeptKernel | None = None,
) -> Task:
    """A session's command comes from JupyterHub, when it hands it over.

    In a session one asks for runs with the environment that one works in, unless one says another.
    """
    kept, variables = _kept(held, HELD_INSIDE if environment.image else None)
    return Task(
        id=id,
        person=person.name,
        kind=SESSION,
        command=(),
        workdir=around.home,
        env={"DRYBENCH_ENVIRONMENT": environment.name} | variables,
        needs_address=True,
        **_of(environment, size, around, kept),
    )


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


def _kept(held: KeptKernel | None, inside: Path | None) -> tuple[tuple[Mount, ...], dict[str, str]]:
    if held is None:
        return (), {}
    there = inside or held.folder
    return (Mount(held.folder, there),), {HELD: str(there), HELD_NOTEBOOK: held.notebook}


def _halves(run_folder: Path, inside: Path, attempt: int, overlays: Path | None) -> tuple[Mount, ...]:
    of_attempt = Path(str(attempt))
    return (
        Mount(run_folder / "given", inside / "given", read_only=True),
        Mount(run_folder / of_attempt, inside / of_attempt, read_only=True),
        Mount(run_folder / of_attempt / "made", inside / of_attempt / "made"),
        *([Mount(overlays, OVERLAYS_INSIDE)] if overlays else []),
    )
