"""From requirements to receipt, crate, repeat and comparison: a real bench and its owner's command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drybench_client import Bench, NotFound, Refused
from tests.bench import Bench as RealBench
from tests.integration.test_client_real_bench import a_notebook, text_of
from tests.wheels import wheel

SHOW = "import lab_one; print(lab_one.__version__)"
KEEP = "open('kept.csv', 'w').write(str(alpha))"


@pytest.fixture
def owner(bench: RealBench) -> Iterator[Bench]:
    with bench.owner() as owner:
        yield owner


@pytest.fixture
def uv_settings(bench: RealBench, tmp_path: Path) -> Iterator[None]:
    """The owner's own settings of uv count in runs, too: here they name a folder of wheels, and no network."""
    for version in ("1.0", "2.0"):
        wheel(tmp_path / "wheels", "lab_one", version)
    folder = bench.home / ".config" / "uv"
    folder.mkdir(parents=True)
    lines = [f'find-links = ["{tmp_path}/wheels"]', "offline = true", f'cache-dir = "{tmp_path}/cache"']
    (folder / "uv.toml").write_text("\n".join(lines))
    yield
    shutil.rmtree(folder)


def ran(owner: Bench, notebook: Path, **asked: Any) -> Any:
    return owner.wait(owner.submit(notebook, **asked), timeout=90)


def committed(folder: Path) -> str:
    """The commit of a repository that has this folder in it."""
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@bench.example"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "First"]):
        subprocess.run([*git, *words], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.usefixtures("uv_settings")
def test_a_run_that_can_be_had_again(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    notebook = a_notebook(folder, SHOW, KEEP)
    commit = committed(folder)
    one = ran(owner, notebook, requirements="lab_one==1.0  # first\n")
    assert one["outcome"] == "done", one["sentence"]
    assert text_of(owner.notebook(one)) == "1.0\n"

    told = owner.receipt(one)
    assert told["packages_added"] == {"lab-one": "1.0"}
    assert {"numpy", "drybench-runner"} <= set(told["packages"])
    assert told["environment_digest"]
    assert told["git"] == {"commit": commit, "dirty": False, "remote": None}
    assert told["outputs"] == [{"path": "kept.csv", "size": 3}]
    assert told["notes"] == []
    assert "lab-one==1.0" in bench.run("receipt", one["id"]).stdout

    saved = bench.run("crate", one["id"], "-o", tmp_path / "wing.zip")
    assert saved.returncode == 0, saved.stderr
    with zipfile.ZipFile(tmp_path / "wing.zip") as crate:
        assert crate.read("output/kept.csv") == b"0.5"
        assert crate.read("requirements.txt") == b"lab_one==1.0  # first\n"
        assert json.loads(crate.read("ro-crate-metadata.json"))["@graph"]

    again = owner.wait(owner.again(one, environment="same"), timeout=90)
    assert again["outcome"] == "done"
    assert owner.receipt(again)["again_of"] == one["id"]
    found = owner.differences(one, again)
    assert all(subject["name"] == "outcome" for subject in found["subjects"])
    assert found["cells"] == []

    other = ran(owner, notebook, parameters={"alpha": 0.7}, requirements="lab_one>=2\n")
    said = bench.run("diff", one["id"], other["id"])
    assert said.returncode == 1
    for word in ("alpha", "lab-one", "lab_one>=2", "kept.csv"):
        assert word in said.stdout, said.stdout


@pytest.mark.usefixtures("uv_settings")
def test_requirements_that_cannot_be_had(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    notebook = a_notebook(tmp_path, SHOW)
    ended = ran(owner, notebook, requirements="# words\nno-such-package-anywhere==1\n")
    assert (ended["outcome"], ended["reason"]) == ("failed", "requirements_failed")
    assert "line 2 (no-such-package-anywhere==1)" in ended["sentence"]
    assert "no-such-package-anywhere" in b"".join(owner.log(ended)).decode()


@pytest.mark.parametrize("line", ["--index-url https://x.example", "-e .", "x @ https://x.example/x.whl", "/srv/x.whl"])
def test_lines_that_are_refused_at_once(owner: Bench, tmp_path: Path, line: str) -> None:
    with pytest.raises(Refused, match="line 1"):
        owner.submit(a_notebook(tmp_path, "1"), requirements=line)


def test_a_crate_where_it_cannot_be_written(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    run = ran(owner, a_notebook(tmp_path, "1"))
    with pytest.raises(Refused, match="cannot be written"):
        owner.crate(run, tmp_path / "no" / "a.zip")
    with pytest.raises(NotFound):
        owner.crate("0" * 32, tmp_path / "a.zip")
    assert list(tmp_path.glob("*.zip")) == []
    assert [file.name for file in tmp_path.iterdir()] == ["analysis.ipynb"]
