"""papermill and nbclient at work, in processes of their own: what they make of a notebook is what ours should.

Their kernels speak by sockets of the file system: by ports, those that start at once meet on one at times, and then
do not start (papermill #511).

python peers.py JOBS.json     a list of {"peer", "notebook", "out", …}; beside each `out` lies `out`.end.json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from traitlets.config import Config

WITHIN = 300  # seconds for all of them


def execute(place: Path, python: Path, jobs: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], str | None]]:
    """Of each job the executed notebook, and the name of the error that it ended with."""
    spec = {
        "argv": [f"{python}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "language": "python",
    }
    (place / "jupyter/kernels/python3").mkdir(parents=True)
    (place / "jupyter/kernels/python3/kernel.json").write_text(json.dumps(spec | {"display_name": "Python 3"}))
    told = [job | {"out": str(place / f"{number}.ipynb")} for number, job in enumerate(jobs)]
    (place / "jobs.json").write_text(json.dumps(told))
    env = {**os.environ, "JUPYTER_PATH": str(place / "jupyter"), "PATH": f"{python}/bin:{os.environ['PATH']}"}
    words = [sys.executable, "-W", "ignore", __file__, str(place / "jobs.json")]
    done = subprocess.run(words, env=env, cwd=place, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stderr
    return [_read(Path(job["out"])) for job in told]


def _read(out: Path) -> tuple[dict[str, Any], str | None]:
    notebook = json.loads(out.read_bytes()) if out.exists() else {}
    return notebook, json.loads(Path(f"{out}.end.json").read_bytes())


def _carry_out(job: dict[str, Any]) -> None:
    try:
        {"papermill": _papermill, "nbclient": _nbclient}[job["peer"]](job)
    except Exception as error:
        end = getattr(error, "ename", None) or type(error).__name__
    else:
        end = None
    Path(f"{job['out']}.end.json").write_text(json.dumps(end))


def _papermill(job: dict[str, Any]) -> None:
    import nbformat
    import papermill

    given = f"{job['out']}.given.ipynb"
    Path(given).write_text(json.dumps(job["notebook"]))
    nbformat.validate(nbformat.read(given, 4))
    limits: dict[str, Any] = {"start_timeout": WITHIN, "progress_bar": False}
    with TemporaryDirectory(prefix="k-", dir="/tmp") as folder:
        papermill.execute_notebook(given, job["out"], job.get("parameters"), config=_by_files(folder), **limits)


def _nbclient(job: dict[str, Any]) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(json.dumps(job["notebook"]), 4)
    try:
        limits = {"timeout": WITHIN, "startup_timeout": WITHIN}
        allow = job.get("allow_errors", False)
        with TemporaryDirectory(prefix="k-", dir="/tmp") as folder:
            NotebookClient(notebook, allow_errors=allow, config=_by_files(folder), **limits).execute()
    finally:
        nbformat.write(notebook, job["out"])


def _by_files(folder: str) -> Config:
    """In a folder of each kernel's own: without a name they all take the same."""
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


if __name__ == "__main__":
    import papermill.execute  # noqa: F401 - with nbclient, and once, before there are two of this

    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_carry_out, json.loads(Path(sys.argv[1]).read_bytes())))
