"""An image with Python and a kernel, and nothing of ours, serves for a run unchanged."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from drybench.data_folder import DataFolder
from drybench.images.carried import BESIDE, carried
from tests.docker import docker
from tests.integration.runner_bench import Attempt, attempt, notebook

UID = 1234

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    said: list[str] = []
    data = DataFolder(tmp_path_factory.mktemp("carried"))
    folder = carried(data, said.append)
    assert len(said) == 1
    assert carried(data, said.append) == folder
    assert len(said) == 1
    return folder


def test_a_notebook_runs_in_somebody_elses_image(tmp_path: Path, kernel_image: str, runner: Path) -> None:
    cells = ("import os, sys\nprint(os.environ.get('PYTHONPATH'), 'nbclient' in sys.modules)", "6 * 7", "1 / 0")
    run = _run(tmp_path, kernel_image, runner, *cells)
    result = run.result()
    assert (result["outcome"], result["reason"], result["error"]["name"]) == (
        "failed",
        "cell_error",
        "ZeroDivisionError",
    )
    assert run.text(0) == "None False\n"
    assert run.outputs(1)[0]["data"]["text/plain"] == ["42"]
    for file in ("result.json", "notebook.ipynb", "progress.jsonl"):
        assert (run.made / file).stat().st_uid == UID


def test_what_is_there_comes_first_and_nothing_is_compiled(tmp_path: Path, kernel_image: str, runner: Path) -> None:
    code = (
        "from pathlib import Path; from drybench_runner.carried import look_beside\n"
        f"look_beside(Path('/drybench/runner/{BESIDE}'))\n"
        "import json, jupyter_client, jupyter_core, traitlets, zmq, nbclient, tornado\n"
        "print(json.dumps({m.__name__: m.__file__ for m in (jupyter_client, jupyter_core, zmq, nbclient, tornado)}))"
    )
    carried_in = ("-v", f"{runner}:/drybench/runner:ro", "-e", "PYTHONPATH=/drybench/runner")
    said = docker("run", "--rm", "--network", "none", *carried_in, kernel_image, "python3", "-c", code)
    where: dict[str, str] = json.loads(said)
    for name in ("jupyter_client", "zmq", "tornado"):
        assert where[name].startswith("/usr/lib/python3/dist-packages/"), name
    for name in ("jupyter_core", "nbclient"):  # Debian's jupyter_core is too old for it, and it has no nbclient
        assert where[name].startswith(f"/drybench/runner/{BESIDE}/"), name
    assert not [file for file in runner.rglob("*") if ".so" in file.suffixes]


def test_every_account_can_read_it(runner: Path) -> None:
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o44 == 0o44 for file in runner.rglob("*"))
    assert sorted(entry.name for entry in runner.iterdir() if entry.suffix != ".dist-info" and entry.is_dir()) == [
        "bin",
        BESIDE,
        "drybench_runner",
    ]


def _run(place: Path, image: str, runner: Path, *cells: str) -> Attempt:
    run = attempt(place, Path("/usr"), _notebook(*cells))
    for file in (run.task, *run.folder.rglob("*")):
        os.chown(file, UID, UID)
    mounts = {runner: "/drybench/runner:ro", run.folder: "/drybench/runs/r1", run.task: "/drybench/task"}
    words = [word for source, target in mounts.items() for word in ("-v", f"{source}:{target}")]
    env = {"HOME": "/tmp", "PYTHONPATH": "/drybench/runner", "DRYBENCH_TASK_DIR": "/drybench/task"}
    words += [word for name, value in env.items() for word in ("-e", f"{name}={value}")]
    inside = ("python3", "-m", "drybench_runner", "run", "/drybench/runs/r1", "1")
    ran = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--user", f"{UID}:{UID}", *words, image, *inside],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return run


def _notebook(*cells: str) -> dict[str, Any]:
    return notebook(*cells, kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"})
