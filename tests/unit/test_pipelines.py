"""The pipelines that build, try and share the images: their steps run here, with stand-ins for what is heavy."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from drybench import settings
from drybench.data_folder import DataFolder
from drybench.environment_folders import SHIPPED
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
GITHUB, GITLAB = ROOT / ".github/workflows/images.yml", ROOT / "deploy/gitlab-images.yml"
PASSWORD, USER, REGISTRY = """pa"s$(s)'wd""", "robot", "registry.Lab.example/Drybench"
WHEEL = "https://wheels.example/torch-2.9%2Bcpu-cp311-cp311-linux_x86_64.whl"
NAMES = ["base", "desktop", "microscopy", "r", "napari", "cellpose"]

# Each says what it was asked, and what came in where a password does.
STAND_IN = r"""#!/bin/sh
said="$(basename "$0")"; for word in "$@"; do said="$said	$word"; done
case "$*" in *--password-stdin*) said="$said	<$(cat)" ;; esac
echo "$said" >> "$SAID"
case "$said" in
    curl*) for url in "$@"; do :; done; touch "${url##*/}" ;;
    "drybench	images	list") for name in $BUILT; do echo "$name  ready  drybench/$name:0123456789ab"; done
        echo "python  ready  /srv/python"; echo "old  not built  drybench/old:0123456789ab" ;;
    "podman	system	service"*) python3 -c 'from socket import *; socket(AF_UNIX).bind("'$SOCKET'")' ;;
esac
"""


@dataclass(frozen=True)
class Workspace:
    """A clone in which a pipeline runs, as far as its own words go."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, script: str, **more: str) -> None:
        environ = {**self.environ, **self.kept(), **more}
        ran = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, f"{script}\n{ran.stdout}{ran.stderr}"

    def kept(self) -> dict[str, str]:
        """What a step has left for the next ones."""
        lines = (self.folder / "github.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def said(self, *first: str) -> list[list[str]]:
        said = [line.split("\t") for line in (self.folder / "said").read_text().splitlines()]
        return [words for words in said if words[: len(first)] == list(first)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder, programs = tmp_path / "clone", tmp_path / "programs"
    for path in (folder / "bin/bootstrap", folder / ".venv/bin/drybench"):
        _executable(path)
    for program in ("curl", "dnf", "docker", "podman", "sudo"):
        _executable(programs / program)
    (folder / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/push-images", folder / "deploy")
    (folder / "github.env").touch()
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SAID": str(folder / "said"),
        "BUILT": "base desktop",
        "SOCKET": str(tmp_path / "podman.sock"),
        "GITHUB_ENV": str(folder / "github.env"),
        "DRYBENCH_DATA": str(folder / ".bench"),
    }
    return Workspace(folder, environ)


def test_githubs_steps_build_try_and_share(workspace: Workspace) -> None:
    known = {
        "github.workspace": str(workspace.folder),
        "vars.DRYBENCH_REGISTRY": REGISTRY,
        "vars.DRYBENCH_TORCH_WHEEL": WHEEL,
        "vars.DRYBENCH_REGISTRY_USER": USER,
        "secrets.DRYBENCH_REGISTRY_PASSWORD": PASSWORD,
        "github.token": "not this one",
    }
    job = _pipeline(GITHUB)["jobs"]["images"]
    for step in job["steps"]:
        given = {name: _filled(str(value), known) for name, value in {**job["env"], **step.get("env", {})}.items()}
        if "run" in step:
            workspace.run(step["run"], **given)
    _has_built_and_shared(workspace, "docker", registry="registry.lab.example/drybench")
    toml = tomllib.loads((workspace.folder / ".bench/drybench.toml").read_text())
    assert toml == {"images": {"wheels": f"{workspace.folder}/wheels", "registry": REGISTRY.lower()}}


def test_gitlabs_steps_build_try_and_share(workspace: Workspace, tmp_path: Path) -> None:
    job = _pipeline(GITLAB)["drybench-images"]
    lines = [*job["before_script"], *job["script"]]
    script = "\n".join(lines).replace("/tmp/podman.sock", workspace.environ["SOCKET"])
    given = {
        "CI_PROJECT_DIR": str(workspace.folder),
        "DOCKER_HOST": job["variables"]["DOCKER_HOST"],
        "DRYBENCH_TORCH_WHEEL": WHEEL,
        "DRYBENCH_REGISTRY": "registry.lab.example/drybench",
        "CI_REGISTRY_USER": USER,
        "CI_REGISTRY_PASSWORD": PASSWORD,
    }
    workspace.run(script, **given)
    _has_built_and_shared(workspace, "podman", registry="registry.lab.example/drybench")


@pytest.mark.parametrize("file", [GITHUB, GITLAB])
def test_no_secret_is_part_of_what_a_shell_reads(file: Path) -> None:
    """GitHub puts `${{ … }}` into the script as it is: then a password is code, and lies in a file on the runner."""
    for script in _scripts(_pipeline(file)):
        assert "${{" not in script
        assert "secrets." not in script
        assert "--password " not in script
        assert "--password=" not in script


def test_what_starts_them_is_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    github, gitlab = _pipeline(GITHUB)[True], _pipeline(GITLAB)["drybench-images"]  # YAML reads `on` as true
    listed = [*github["push"]["paths"], *github["pull_request"]["paths"]]
    listed += [path for rule in gitlab["rules"] for path in rule.get("changes", ())]
    assert [path for path in listed if not fnmatch.filter(tracked, path.replace("**/*", "*").replace("**", "*"))] == []


def test_all_shipped_images_are_built() -> None:
    assert {folder.parent.name for folder in SHIPPED.glob("*/Dockerfile")} == set(NAMES)


def _has_built_and_shared(workspace: Workspace, program: str, registry: str) -> None:
    assert workspace.said("bootstrap") == [["bootstrap", "server"]]
    assert workspace.said("drybench", "images", "build") == [["drybench", "images", "build", *NAMES]]
    assert workspace.said("drybench", "images", "check") == [["drybench", "images", "check", *NAMES]]
    assert [file.name for file in (workspace.folder / "wheels").iterdir()] == [Path(WHEEL.replace("%2B", "+")).name]
    assert stat.S_IMODE((workspace.folder / ".bench").stat().st_mode) == 0o700
    in_force = settings.load(DataFolder(workspace.folder / ".bench"))
    assert in_force.images.wheels == f"{workspace.folder}/wheels"
    login = workspace.said(program, "login")
    assert login == [[program, "login", "registry.lab.example", "--username", USER, "--password-stdin", f"<{PASSWORD}"]]
    pushed = [words[2] for words in workspace.said(program, "push")]
    assert pushed == [f"{registry}/{name}:{tag}" for name in ("base", "desktop") for tag in ("0123456789ab", "latest")]


def _pipeline(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def _scripts(said: Mapping[Any, Any]) -> Iterator[str]:
    jobs: list[Any] = [job for job in said.get("jobs", said).values() if isinstance(job, dict)]
    for job in jobs:
        yield from (step["run"] for step in job.get("steps", ()) if "run" in step)
        yield from (line for part in ("before_script", "script") for line in job.get(part, ()))


def _filled(text: str, known: Mapping[str, str]) -> str:
    """As GitHub does: the first of several that is there."""

    def value(found: re.Match[str]) -> str:
        return next((known[one] for one in found[1].split(" || ") if known.get(one)), "")

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


def _executable(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN)
    path.chmod(0o755)
