"""Somebody else's image, brought by its name: in the manner of Jupyter's docker-stacks, and with nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import Bench, new_bench
from tests.docker import inspected
from tests.integration.living_session import PATIENCE, Somebody, the_owner
from tests.integration.runner_bench import notebook
from tests.stacks import stacks_desktop_image, stacks_image
from tests.waiting import wait_for

__all__ = ["stacks_desktop_image", "stacks_image"]

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(240, func_only=True)]

SETTINGS = """
[sizes.default]
memory = "1 GiB"
[images]
allow_by_name = true
"""
WHO = """\
import os, pwd, jupyterlab
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(os.getuid(), os.path.expanduser("~"), pwd.getpwuid(os.getuid()).pw_dir)
print(jupyterlab.__file__, os.environ["CONDA_PREFIX"])
print(*(status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Uid")))
open("by-a-cell", "w").write("here")
"""


@pytest.fixture(scope="module")
def bench(stacks_image: str) -> Iterator[Bench]:
    with new_bench(SETTINGS, containers=True) as bench:
        yield bench


@pytest.fixture
def owner(bench: Bench) -> Iterator[Somebody]:
    with the_owner(bench) as owner:
        yield owner


@pytest.fixture(scope="module")
def stacks(bench: Bench, stacks_image: str) -> None:
    """Brought by its name, as an environment."""
    with the_owner(bench) as owner:
        owner.hand.bring("stacks", image=stacks_image)
        wait_for(lambda: owner.hand.environment("stacks")["usable"], PATIENCE)


@pytest.mark.usefixtures("stacks")
def test_it_serves_for_sessions_unchanged(bench: Bench, owner: Somebody) -> None:
    session = owner.session("lab", environment="stacks")
    wait_for(session.answers, PATIENCE)
    session.start_kernel()
    uid, home, known, lab, activated, *rights = session.says(WHO).split()
    container = inspected(f"drybench-{session.task}")
    assert container["Config"]["User"].split(":")[0] == uid != "0"
    assert home == known
    assert lab.startswith("/opt/conda/")
    assert activated == "/opt/conda"
    assert rights[:3] == ["0" * 16, "0" * 16, "1"]
    assert set(rights[3:]) == {uid}
    assert container["HostConfig"]["Memory"] == 1 << 30
    assert container["Config"]["Entrypoint"] == ["tini", "-g", "--", "start.sh"]
    said = bench.run("images", "check", "stacks")
    assert said.returncode == 0, said.stdout + said.stderr
    session.ask_to_stop()


@pytest.mark.usefixtures("stacks")
def test_it_serves_for_runs_unchanged(owner: Somebody, tmp_path: Path) -> None:
    file = tmp_path / "who.ipynb"
    file.write_text(json.dumps(notebook(WHO)))
    run = owner.hand.run(file, environment="stacks", alone=True)
    assert run["outcome"] == "done", run


def test_a_desktop_in_it_is_an_app(owner: Somebody, stacks_desktop_image: str) -> None:
    owner.hand.bring("screen", image=stacks_desktop_image)

    def apps() -> list[str]:
        return [app["name"] for app in owner.hand.environment("screen")["apps"]]

    wait_for(lambda: apps() == ["lab", "desktop"], PATIENCE)
    session = owner.hand.start_session(environment="screen", app="desktop")
    wait_for(lambda: owner.hand.get_session(session["id"])["phase"] == "running", PATIENCE)
    url = owner.hand.get_session(session["id"])["url"]
    assert url.endswith("/desktop/")
    wait_for(lambda: "noVNC" in owner.browser.get(url, headers={"Accept": "text/html"}).text, PATIENCE)
    owner.hand.stop_session(session["id"])
