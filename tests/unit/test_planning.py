"""What a task in a container is given to see."""

from __future__ import annotations

from pathlib import Path

from drybench import planning
from drybench.model import App, Environment, KeptKernel, Mount, Person, Size, Surroundings, Task

RUN = Path("/data/runs/r1")
AROUND = Surroundings(
    Path("/home/ada"),
    mounts=(
        Mount(Path("/data/homes/ada"), Path("/home/ada")),
        Mount(Path("/data/runs"), Path("/drybench/data/runs"), read_only=True),
    ),
)
BASE = Environment("base", "Base", "", "docker", (App("lab", "JupyterLab"),), image="drybench/base:1")


def planned() -> Task:
    held = KeptKernel(RUN / "1" / "made" / "held", "drybench-runs/a/notebook.ipynb", Path("/data/tasks/t1/own"))
    size = Size("default", "Default", 1, 1 << 30)
    return planning.plan_session("t2", Person("1", "ada"), BASE, size, AROUND, held)


def test_nothing_is_mounted_that_a_task_could_have_put_a_link_in_place_of() -> None:
    """A run's program owns `made/`, so it may move all that is in it; `made/` itself has its place for good."""
    made = RUN / "1" / "made"
    assert not [mount for mount in planned().mounts if made in mount.source.parents]


def test_a_kept_kernel_is_found_and_its_notebook_can_be_mended() -> None:
    task = planned()
    assert task.env["DRYBENCH_HELD"] == "/drybench/held/held"
    targets = {mount.target: mount.read_only for mount in task.mounts if mount.source == RUN / "1" / "made"}
    assert targets == {Path("/drybench/held"): False, Path("/drybench/data/runs/r1/1/made"): False}
