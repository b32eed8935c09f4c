"""Giving a ready task its work; the other side is `drybench_runner.claims`.

The claimed task's name becomes a link to the ready one's folder before anything else is done. So
its id leads there from then on, whatever is killed in between, and it can be neither started beside
it nor given to a second one. Whose the work is says the ready task itself, in `taken.json`.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path

from drybench.engines.local_folder import DOOR, TaskFolder
from drybench.model import Task

WORD = b"taken\n"
ANSWERS_WITHIN = 5.0  # a busy machine is no reason to end what was about to take it


class Claimed(Enum):
    TAKEN = "taken"
    NOT_TAKEN = "not taken"  # and perhaps it never will be
    ANOTHERS = "another's"  # it has had its one claim


def point_to(tasks: Path, id: str, ready: TaskFolder) -> bool:
    """False where that id is of a task already, or of one that claimed another."""
    with suppress(FileExistsError):
        (tasks / id).symlink_to(ready.path.name)
    return TaskFolder.of(tasks, id) == TaskFolder(ready.path, tasks / id)


def give(ready: TaskFolder, task: Task, env: Mapping[str, str]) -> Claimed:
    """Once more does no harm."""
    before = whose(ready, task.id)
    if before is Claimed.NOT_TAKEN and _say(ready, {**_order(task), "env": {**task.env, **env}}):
        return Claimed.TAKEN
    return whose(ready, task.id)


def whose(ready: TaskFolder, id: str) -> Claimed:
    taken_by = ready.taken_by()
    if taken_by is None:
        return Claimed.NOT_TAKEN
    return Claimed.TAKEN if taken_by == id else Claimed.ANOTHERS


def _order(task: Task) -> dict[str, object]:
    return {"format": 1, "task": task.id, "command": task.command}


def _say(ready: TaskFolder, order: Mapping[str, object]) -> bool:
    """Whether it says that it has taken it."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(ANSWERS_WITHIN)
        here = os.open(ready.own, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            caller.connect(f"/proc/self/fd/{here}/{DOOR}")
        finally:
            os.close(here)
        caller.sendall(json.dumps(order).encode() + b"\n")
        return caller.recv(len(WORD)) == WORD
    return False
