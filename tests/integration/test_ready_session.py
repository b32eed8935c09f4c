"""A session's server that was started before anybody asked for it: whose it becomes, and what it keeps of before."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drybench.engines import local_claiming
from drybench.engines.local_claiming import Claimed
from drybench.engines.local_folder import TaskFolder
from drybench.model import SESSION, Task
from tests.docker import docker
from tests.integration.test_runner_session import hub as hub
from tests.waiting import PATIENCE, wait_for

TOKEN = "the-token-of-ada"
LOOKS_EVERYWHERE = """
import gc, os, sys
from pathlib import Path
from drybench_runner import nobodys_home
from drybench_runner.ready_session import import_ahead

os.environ["HOME"] = nobodys_home.NOBODYS
import_ahead()
places = nobodys_home.kept()
os.environ["HOME"] = sys.argv[1]
nobodys_home.move(places, Path(sys.argv[1]))

def names_it(value):
    return isinstance(value, (str, bytes, Path)) and nobodys_home.NOBODYS in str(value)

def looked_into(found):
    if isinstance(found, dict):
        return list(found.items())
    return list(enumerate(found)) if isinstance(found, (list, tuple, set, frozenset)) else []

from wsgiref.handlers import BaseHandler  # its copy of all variables is for programs of another kind
BaseHandler.os_environ.clear()
everything = gc.get_objects()
everything += [one for known in list(everything) for one in gc.get_referents(known) if not gc.is_tracked(one)]
for found in everything:
    for name, value in looked_into(found):
        if value is not nobodys_home.NOBODYS and names_it(value):
            print("still", name, value, type(found))
from jupyterlab.labapp import LabApp
from send2trash.plat_other import HOMETRASH
print("settings", LabApp().user_settings_dir, HOMETRASH)
print("moved", len(places))
"""


@dataclass(frozen=True)
class Waiting:
    folder: TaskFolder
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return json.loads((self.folder.own / "address.json").read_text())["port"]

    @property
    def log(self) -> str:
        return (self.folder.path / "log").read_text()

    def shown(self) -> bytes:
        """What of its memory everybody with its account can read by a name."""
        return b"".join(Path(f"/proc/{self.process.pid}/{what}").read_bytes() for what in ("environ", "cmdline"))


@pytest.fixture
def waiting(tmp_path: Path, python_environment: Path) -> Iterator[Waiting]:
    folder = TaskFolder(tmp_path / "ready")
    folder.make()
    env = {"HOME": "/home", "PATH": f"{python_environment}/bin:/usr/bin:/bin", "DRYBENCH_TASK_DIR": str(folder.own)}
    command = [f"{python_environment}/bin/python", "-m", "drybench_runner", "ready-session"]
    with (folder.path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=folder.own, stdout=log, stderr=log)
    try:
        wait_for(folder.has_door)
        yield Waiting(folder, process)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def of_ada(home: Path, hub: str, *command: str) -> tuple[Task, dict[str, str]]:
    env = {
        "HOME": str(home),
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/user/ada/lab/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/lab/",
        "JUPYTERHUB_API_URL": hub,
        "JUPYTERHUB_ACTIVITY_URL": f"{hub}/users/ada/activity",
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada-lab",
        "JUPYTERHUB_USER": "ada",
        "JUPYTERHUB_SERVER_NAME": "lab",
    }
    words = command or ("python", "-m", "drybench_runner", "session", "--", "jupyterhub-singleuser")
    return Task("task-of-ada", "ada", SESSION, words), env


def test_it_becomes_the_server_of_who_claims_it_and_of_nobody_else(waiting: Waiting, hub: str, tmp_path: Path) -> None:
    home = tmp_path / "home of ada"
    home.mkdir()
    task, env = of_ada(home, hub)
    assert local_claiming.give(waiting.folder, task, env) is Claimed.TAKEN
    assert not waiting.folder.has_door()
    wait_for((waiting.folder.own / "address.json").exists)
    with urllib.request.urlopen(f"http://127.0.0.1:{waiting.port}/user/ada/lab/api", timeout=PATIENCE) as answer:
        assert "version" in json.load(answer)
    other = Task("task-of-bob", "bob", SESSION, task.command)
    assert local_claiming.give(waiting.folder, other, env) is Claimed.ANOTHERS
    assert local_claiming.give(waiting.folder, task, env) is Claimed.TAKEN  # by whom it was taken
    assert TOKEN.encode() not in waiting.shown()
    assert f"Serving notebooks from local directory: {home}" in waiting.log
    assert (home / ".local/share/jupyter/runtime").is_dir()


def test_what_is_no_session_it_does_not_become(waiting: Waiting, hub: str, tmp_path: Path) -> None:
    task, env = of_ada(tmp_path, hub, "sh", "-c", "touch /tmp/never")
    local_claiming.give(waiting.folder, task, env)
    assert waiting.process.wait(PATIENCE) == 2


def test_one_that_is_not_wanted_any_more_ends_well(waiting: Waiting) -> None:
    waiting.process.terminate()
    assert waiting.process.wait(PATIENCE) == 0


def test_nothing_that_is_imported_keeps_the_home_that_it_saw(tmp_path: Path, python_environment: Path) -> None:
    command = [f"{python_environment}/bin/python", "-c", LOOKS_EVERYWHERE, tmp_path]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"})
    assert ran.returncode == 0, ran.stderr
    assert "still" not in ran.stdout
    assert f"settings {tmp_path}/.jupyter/lab/user-settings {tmp_path}/.local/share/Trash" in ran.stdout


@pytest.mark.needs("docker")
@pytest.mark.parametrize("name", ["base", "desktop"])
def test_nothing_in_the_shipped_images_keeps_it_either(shipped: None, name: str) -> None:
    image = docker("images", f"drybench/{name}", "--format", "{{.Repository}}:{{.Tag}}").split()[0]
    said = docker("run", "--rm", "--user", "5000:5000", image, "python", "-c", LOOKS_EVERYWHERE, "/tmp")
    assert "still" not in said
    assert "settings /tmp/.jupyter/lab/user-settings /tmp/.local/share/Trash" in said
