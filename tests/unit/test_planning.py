"""What a task in a container is given to see."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from drybench import planning
from drybench.model import App, Environment, KeptKernel, Link, Mount, Person, Size, Surroundings, Task

RUN = Path("/data/runs/r1")
AROUND = Surroundings(
    Path("/home/ada"),
    mounts=(
        Mount(Path("/data/homes/ada"), Path("/home/ada")),
        Mount(Path("/data/runs"), Path("/drybench/data/runs"), read_only=True),
    ),
)
SIZE = Size("default", "Default", 1, 1 << 30)
BASE = Environment("base", "Base", "", "docker", (App("lab", "JupyterLab"),), image="drybench/base:1")


def planned() -> Task:
    held = KeptKernel(RUN / "1" / "made" / "held", "drybench-runs/a/notebook.ipynb", Path("/data/tasks/t1/own"))
    return planning.plan_session("t2", Person("1", "ada"), BASE, SIZE, AROUND, held)


def test_nothing_is_mounted_that_a_task_could_have_put_a_link_in_place_of() -> None:
    """A run's program owns `made/`, so it may move all that is in it; `made/` itself has its place for good."""
    made = RUN / "1" / "made"
    assert not [mount for mount in planned().mounts if made in mount.source.parents]


def test_a_kept_kernel_is_found_and_its_notebook_can_be_mended() -> None:
    task = planned()
    assert task.env["DRYBENCH_HELD"] == "/drybench/held/held"
    targets = {mount.target: mount.read_only for mount in task.mounts if mount.source == RUN / "1" / "made"}
    assert targets == {Path("/drybench/held"): False, Path("/drybench/data/runs/r1/1/made"): False}


def test_a_session_knows_its_apps_and_what_the_keeper_puts_on_its_desktop() -> None:
    apps = (App("desktop", "Desktop"), App("napari", "napari", ("napari", "--reset")))
    links = (Link("The lab's pages", "https://lab.example"),)
    there = replace(BASE, apps=apps, background=Path("/srv/lab.png"), links=links)
    task = planning.plan_session("t3", Person("1", "ada"), there, SIZE, AROUND, opens="napari")
    assert task.env["DRYBENCH_OPENS"] == "napari"
    assert json.loads(task.env["DRYBENCH_APPS"]) == [
        {"name": "desktop", "title": "Desktop", "command": None},
        {"name": "napari", "title": "napari", "command": ["napari", "--reset"]},
    ]
    assert tuple(planning.apps_of(task)) == apps
    assert json.loads(task.env["DRYBENCH_LINKS"]) == [{"title": "The lab's pages", "url": "https://lab.example"}]
    background = Mount(Path("/srv/lab.png"), Path("/drybench/desktop/background"), read_only=True)
    assert background in task.mounts
    run = planning.plan_run("t4", Person("1", "ada"), there, SIZE, AROUND, RUN, 1)
    assert background not in run.mounts
    assert "DRYBENCH_APPS" not in run.env


def test_one_of_before_has_no_apps_that_anybody_knows() -> None:
    assert not planning.apps_of(replace(planned(), env={}))
