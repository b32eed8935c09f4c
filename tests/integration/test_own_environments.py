"""Environments of people's own, made as people make them: kernels in their sessions and for their runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.bench import Bench, new_bench
from tests.integration import runner_bench
from tests.integration.living_session import the_owner
from tests.integration.runner_bench import Attempt, attempt
from tests.python_environment import LOCK
from tests.waiting import wait_for

ASKS = "import disc, sys\nprint(disc.AREA, sys.prefix)"


def a_venv(prefix: Path) -> Path:
    """With ipykernel, and a package that is nowhere else."""
    python = str(prefix / "bin/python")
    for words in (
        ["venv", "--quiet", "--python", sys.executable, str(prefix)],
        ["pip", "install", "--quiet", "--python", python, "--constraint", str(LOCK), "ipykernel"],
    ):
        subprocess.run([find_uv_bin(), *words], check=True)
    (package,) = prefix.glob("lib/python3.*/site-packages")
    (package / "disc.py").write_text("AREA = 17\n")
    return prefix


def notebook(kernel: str, *cells: str) -> dict[str, object]:
    return runner_bench.notebook(*cells, kernelspec={"name": kernel, "display_name": kernel, "language": "python"})


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with new_bench() as bench:
        a_venv(bench.home / "venvs" / "wing")
        yield bench


@pytest.mark.timeout(300, func_only=True)
def test_a_venv_in_the_home_is_a_kernel_for_runs_and_in_sessions(bench: Bench, tmp_path: Path) -> None:
    prefix = bench.home / "venvs" / "wing"
    file = tmp_path / "disc.ipynb"
    file.write_text(json.dumps(notebook("env-wing", ASKS)))
    with the_owner(bench) as owner:
        found = owner.browser.get("/api/v1/environments").json()["items"]
        assert "env-wing" in next(one["kernels"] for one in found if one["name"] == "python")
        run = owner.hand.run(file, alone=True)
        assert run["outcome"] == "done", run
        assert f"17 {prefix}" in owner.hand.notebook(run).decode()
        session = owner.session("lab")
        wait_for(session.answers)
        assert session.kernels()["env-wing"] == "Python (wing)"
        session.start_kernel("env-wing")
        assert session.says(ASKS).strip() == f"17 {prefix}"
        file.write_text(json.dumps(notebook("env-other", "1")))
        refused = bench.run("run", file)
        assert "kernels and save it: env-wing, " in refused.stderr
    assert not (bench.home / ".local/share/jupyter/kernels").exists()


def of_own(place: Path, python: Path, home: Path, given: dict[str, object], **asked: object) -> Attempt:
    made = attempt(place, python, given, **asked)
    return Attempt(made.folder, made.task, python, {**made.env, "HOME": str(home)})


def test_a_conda_environment_is_entered_and_the_receipt_knows_its_packages(
    tmp_path: Path, python_environment: Path
) -> None:
    """No conda can be had here: what it leaves behind is laid around a venv."""
    prefix = a_venv(tmp_path / "home/miniforge3/envs/Wing Disc")
    (prefix / "conda-meta").mkdir()
    asks = "import os, shutil; print(os.environ['CONDA_PREFIX'], shutil.which('python'))"
    given = notebook("env-wing-disc", ASKS, asks)
    made = of_own(tmp_path / "run", python_environment, tmp_path / "home", given)
    assert made.carry_out()["outcome"] == "done", made.printed()
    assert made.text(0).strip() == f"17 {prefix}"
    assert made.text(1).strip() == f"{prefix} {prefix}/bin/python"
    receipt = json.loads((made.made / "receipt.json").read_text())
    assert "ipykernel" in receipt["packages"]


def test_requirements_are_not_laid_over_it(tmp_path: Path, python_environment: Path) -> None:
    packages = tmp_path / "home/venvs/wing/lib/python3.12/site-packages"
    packages.mkdir(parents=True)
    (packages / "ipykernel_launcher.py").touch()
    (tmp_path / "home/venvs/wing/bin").mkdir()
    (tmp_path / "home/venvs/wing/bin/python").symlink_to(sys.executable)
    asked = {"requirements": "requirements.txt", "overlays": str(tmp_path / "overlays")}
    made = of_own(tmp_path / "run", python_environment, tmp_path / "home", notebook("env-wing", "1"), **asked)
    (made.folder / "given" / "requirements.txt").write_text("six\n")
    result = made.carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "requirements_failed")
    assert "one of your own" in result["sentence"]
