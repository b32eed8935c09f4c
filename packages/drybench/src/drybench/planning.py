"""From what a person asked for to a task: a command, its size and its surroundings. Pure."""

from __future__ import annotations

from pathlib import Path

from drybench.model import RUN, SESSION, Environment, KeptKernel, Mount, Person, Size, Task

HELD, HELD_NOTEBOOK = "DRYBENCH_HELD", "DRYBENCH_HELD_NOTEBOOK"  # tell a session which kernel it is for


def plan_session(
    id: str, person: Person, environment: Environment, size: Size, home: Path, held: KeptKernel | None = None
) -> Task:
    """A session's command comes from JupyterHub, when it hands it over.

    In a session one asks for runs with the environment that one works in, unless one says another.
    """
    return Task(
        id=id,
        person=person.name,
        kind=SESSION,
        command=(),
        workdir=home,
        python=environment.python,
        cores=size.cores,
        memory=size.memory,
        gpu_count=size.gpus,
        env={"DRYBENCH_ENVIRONMENT": environment.name} | _kept(held),
        needs_address=True,
        mounts=(Mount(held.folder, held.folder),) if held else (),
    )


def plan_run(id: str, person: Person, environment: Environment, size: Size, run_folder: Path, attempt: int) -> Task:
    return Task(
        id=id,
        person=person.name,
        kind=RUN,
        command=("python", "-m", "drybench_runner", "run", str(run_folder), str(attempt)),
        workdir=run_folder / str(attempt) / "made" / "output",
        python=environment.python,
        cores=size.cores,
        memory=size.memory,
        gpu_count=size.gpus,
    )


def _kept(held: KeptKernel | None) -> dict[str, str]:
    return {HELD: str(held.folder), HELD_NOTEBOOK: held.notebook} if held else {}
