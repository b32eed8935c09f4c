"""From what a person asked for to a task: a command, its size and its surroundings. Pure."""

from __future__ import annotations

from pathlib import Path

from drybench.model import RUN, SESSION, Environment, Person, Size, Task


def plan_session(id: str, person: Person, environment: Environment, size: Size, home: Path) -> Task:
    """Its command comes from JupyterHub, when it hands it over. What asks for runs in it wants the same environment."""
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
        env={"DRYBENCH_ENVIRONMENT": environment.name},
        needs_address=True,
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
