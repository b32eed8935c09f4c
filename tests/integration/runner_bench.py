"""A run folder made by hand, and the runner started on it as an engine does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from drybench_runner import record
from tests.waiting import PATIENCE


def code(source: str, *tags: str) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: str | dict[str, Any], **metadata: Any) -> dict[str, Any]:
    told = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": told}


@dataclass
class Attempt:
    """`folder` is runs/RUN; `task` is the task's private folder."""

    folder: Path
    task: Path
    python: Path
    env: Mapping[str, str]

    @property
    def made(self) -> Path:
        return self.folder / "1" / "made"

    @property
    def output(self) -> Path:
        return self.made / "output"

    @property
    def command(self) -> list[str]:
        return [str(self.python / "bin/python"), "-m", "drybench_runner", "run", str(self.folder), "1"]

    def start(self) -> subprocess.Popen[bytes]:
        with (self.task / "log").open("ab") as log:
            return subprocess.Popen(self.command, env=self.env, stdout=log, stderr=log, cwd=self.task)

    def carry_out(self) -> dict[str, Any]:
        process = self.start()
        assert process.wait(3 * PATIENCE) == 0, self.printed()
        return self.result()

    def printed(self) -> str:
        return (self.task / "log").read_text()

    def result(self) -> dict[str, Any]:
        return record.read_result((self.made / "result.json").read_bytes())

    def events(self) -> list[record.Event]:
        try:
            return record.read_events((self.made / "progress.jsonl").read_bytes())[0]
        except FileNotFoundError:
            return []

    def has_printed(self, text: str) -> bool:
        return any(text in str(event.get("output")) for event in self.events())

    def notebook(self) -> dict[str, Any]:
        return json.loads((self.made / "notebook.ipynb").read_bytes())

    def rebuilt(self) -> dict[str, Any]:
        given = json.loads((self.folder / "given" / "notebook.ipynb").read_bytes())
        return json.loads(record.write_notebook(record.rebuild(given, self.events())))

    def outputs(self, index: int) -> list[dict[str, Any]]:
        return self.notebook()["cells"][index]["outputs"]

    def text(self, index: int, name: str = "stdout") -> str:
        return "".join("".join(each["text"]) for each in self.outputs(index) if each.get("name") == name)

    def socket_folders(self) -> Sequence[Path]:
        return list(self.task.glob("k-*"))


def attempt(place: Path, python: Path, given: dict[str, Any], made: Path | None = None, **asked: Any) -> Attempt:
    """`made`: a folder of the caller's, where 1/made/ becomes a link to it."""
    folder, task = place / "runs" / "r1", place / "task"
    task.mkdir(parents=True)
    (folder / "given").mkdir(parents=True)
    (folder / "1").mkdir()
    if made is None:
        (folder / "1" / "made").mkdir()
    else:
        (folder / "1" / "made").symlink_to(made)
    (folder / "1" / "made" / "output").mkdir()
    run = {"format": 1, "id": "r1", "kind": "notebook", "name": "test", "notebook": "notebook.ipynb", **asked}
    (folder / "given" / "run.json").write_text(json.dumps(run))
    (folder / "given" / "notebook.ipynb").write_text(json.dumps(given))
    path = f"{python}/bin:{os.environ['PATH']}"
    kept = {"HOME": os.environ["HOME"], "LANG": "C.UTF-8"}
    return Attempt(
        folder, task, python, {**kept, "PATH": path, "DRYBENCH_TASK_DIR": str(task), "DRYBENCH_TASK": f"t-{uuid4()}"}
    )
