"""Sessions that stand ready for whoever comes first, on a whole bench where all tasks have one number."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.engines import host_mounts, local_claiming
from drybench.engines.local_claiming import Claimed
from drybench.engines.local_folder import TaskFolder
from drybench.model import SESSION, Task
from tests.bench import Bench, new_bench
from tests.docker import docker, inspected
from tests.parts import leave_out
from tests.session_image import SessionImage
from tests.session_image import session_image as session_image
from tests.waiting import wait_for

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(300, func_only=True)]

PATIENCE = 120
ALL = 5432
MIB = 1 << 20
ENVIRONMENT = """
title = "Lab"
summary = "JupyterLab, in an image of the tests"
image = "{image}"
[[apps]]
name = "lab"
title = "JupyterLab"
"""
SETTINGS = """
[bench]
people_share_one_host_name = true
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
[accounts]
of = "shared"
shared_uid = {all}
[sizes.default]
memory = "400 MiB"
[sizes.large]
cores = 0.5
memory = "600 MiB"
[environments]
folders = ["{environments}"]
[ready]
most = 0
[ready.pool]
lab = 1
"""
FOLDERS = """
[[folders.mounts]]
source = "{folder}/everybodys"
target = "/extra"
[[folders.mounts]]
source = "{folder}/eves"
target = "/own"
for = "person:eve"
"""
MOUNT = """
[[folders.mounts]]
source = "{folder}"
target = "{folder}"
read_only = true
"""
EVERY_PROCESS = """
from contextlib import suppress
from pathlib import Path
for place in Path("/proc").glob("[0-9]*/environ"):
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        print(place.read_bytes() + place.with_name("cmdline").read_bytes())
"""
SECRET = "the-secret"
LIMIT, LIMIT_OF_OLD = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
DARK = {"raw": '{"theme": "JupyterLab Dark"}'}
LOOKED_AT = "/home /drybench/task /tmp /root /srv /mnt /extra"


@dataclass
class Somebody:
    name: str
    api: httpx.Client
    web: httpx.Client
    made: list[str] = field(default_factory=list[str])

    def clicks(self, name: str = "lab", **asked: str) -> dict[str, Any]:
        """On a card; the session when it runs."""
        session = self.api.post("/sessions", json={"environment": "lab", "name": name, **asked})
        self.made.append(session.raise_for_status().json()["id"])
        wait_for(lambda: self.running(self.made[-1]), PATIENCE)
        return self.get(self.made[-1])

    def stops(self) -> None:
        """All theirs, and takes them off the list."""
        for id in self.made:
            self.api.post(f"/sessions/{id}/stop").raise_for_status()
            wait_for(lambda id=id: self.get(id)["phase"] == "ended", PATIENCE)
            wait_for(lambda id=id: self.api.delete(f"/sessions/{id}").is_success, PATIENCE)
        self.made.clear()

    def get(self, id: str) -> dict[str, Any]:
        return self.api.get(f"/sessions/{id}").raise_for_status().json()

    def reaches(self, session: dict[str, Any]) -> bool:
        """Its server, signed in: which the Hub has to confirm."""
        return bool(wait_for(lambda: self.web.get(f"{session['url']}api/status").is_success, PATIENCE))

    def running(self, id: str) -> bool:
        session = self.get(id)
        assert session["phase"] != "ended", session
        return session["phase"] == "running"


@dataclass(frozen=True)
class Pool:
    bench: Bench
    olga: Somebody
    bob: Somebody
    eve: Somebody

    def containers(self) -> list[str]:
        mine = f"label=org.drybench.bench={self.bench.addresses.bench_id}"
        return docker("ps", "--format", "{{.Names}}", "--filter", mine).split()

    def standing(self) -> list[str]:
        """Tasks that wait at their door."""
        return [door.parent.parent.name for door in self.bench.data.tasks.glob("*/own/door")]

    def one_stands_ready(self) -> str:

        def found() -> list[str]:
            standing = self.standing()
            return standing if len(standing) == 1 and self.machine()["ready_sessions"] == 1 else []

        return wait_for(found, PATIENCE)[0]

    def machine(self) -> dict[str, Any]:
        return self.olga.api.get("/machine").raise_for_status().json()

    def folder(self, session: dict[str, Any]) -> Path:
        """Of the ready task that it took."""
        link = self.bench.data.tasks / session["task"]
        assert link.is_symlink()
        return link.resolve()

    def inside(self, session: dict[str, Any], *command: str) -> str:
        return docker("exec", f"drybench-{session['task']}", *command)


def settings(image: SessionImage, environments: Path) -> str:
    (environments / "lab").mkdir()
    (environments / "lab" / "environment.toml").write_text(ENVIRONMENT.format(image=image.name))
    mounts = "".join(MOUNT.format(folder=mount.source) for mount in image.mounts)
    more = environments / "more"
    (more / "everybodys" / "for-everybody").mkdir(parents=True)
    (more / "eves").mkdir()
    return SETTINGS.format(all=ALL, environments=environments) + mounts + FOLDERS.format(folder=more)


@pytest.fixture(scope="module")
def whole_pool(session_image: SessionImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    if os.geteuid() != 0:
        leave_out("Only root can mount.")
    lines = settings(session_image, tmp_path_factory.mktemp("environments"))
    with new_bench(lines, containers=True) as bench, ExitStack() as stack:
        people = (come_in(bench, name, stack) for name in ("olga", "bob", "eve"))  # names that stand in no id
        yield Pool(bench, *people)


@pytest.fixture
def pool(whole_pool: Pool) -> Iterator[Pool]:
    whole_pool.one_stands_ready()
    yield whole_pool
    for person in (whole_pool.olga, whole_pool.bob, whole_pool.eve):
        person.stops()


def come_in(bench: Bench, name: str, stack: ExitStack) -> Somebody:
    """By the Hub's form, with a token from its page."""
    browser = stack.enter_context(bench.browser())
    browser.headers["Accept"] = "text/html"
    form = browser.get("/hub/login")
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
    assert xsrf, form.text
    browser.post("/hub/login", data={"_xsrf": xsrf[1], "username": name, "password": "x"}).raise_for_status()
    browser.get("/").raise_for_status()
    found = re.search(r'xsrf_token: "([^"]+)"', browser.get("/hub/token").text)
    assert found
    made = browser.post(f"/hub/api/users/{name}/tokens?_xsrf={found[1]}", json={"note": "a test's"})
    token = made.raise_for_status().json()["token"]
    web = stack.enter_context(bench.browser())
    web.headers["Authorization"] = f"token {token}"
    return Somebody(name, stack.enter_context(bench.api(token)), web)


def test_who_clicks_gets_what_stands_ready(pool: Pool) -> None:
    ready = pool.one_stands_ready()
    session = pool.olga.clicks()
    assert pool.folder(session).name == ready
    assert pool.olga.reaches(session)


def test_another_comes_in_its_place_and_a_used_one_ends_with_its_session(pool: Pool) -> None:
    first, session = pool.one_stands_ready(), pool.olga.clicks()
    used = inspected(f"drybench-{session['task']}")["Id"]
    assert pool.one_stands_ready() != first
    pool.olga.stops()
    assert used not in docker("ps", "--quiet", "--no-trunc").split()
    wait_for(lambda: not (pool.bench.data.tasks / first / "own").exists(), PATIENCE)
    again = pool.olga.clicks()
    assert pool.folder(again).name != first


def test_its_door_is_gone_and_it_takes_no_second_claim(pool: Pool) -> None:
    session = pool.olga.clicks()
    folder = TaskFolder(pool.folder(session))
    assert not folder.has_door()
    assert folder.taken_by() == session["task"]
    other = Task("somebody-elses", "bob", SESSION, ("true",))
    assert local_claiming.give(folder, other, {}) is Claimed.ANOTHERS
    assert pool.olga.reaches(session)


def test_no_token_is_in_docker_or_in_proc(pool: Pool) -> None:
    session = pool.olga.clicks()
    assert pool.olga.reaches(session)
    shown = json.dumps(inspected(f"drybench-{session['task']}")) + pool.inside(session, "python3", "-c", EVERY_PROCESS)
    assert "DRYBENCH_TASK_DIR" in shown
    assert not [word for word in ("JUPYTERHUB_API_TOKEN", "DRYBENCH_TOKEN", "JPY_API_TOKEN") if word in shown]
    assert pool.olga.name not in json.dumps(inspected(f"drybench-{session['task']}")["Config"])


def test_its_limits_are_those_of_the_size_that_was_asked_for(pool: Pool) -> None:
    session = pool.olga.clicks(size="large")
    host = inspected(f"drybench-{session['task']}")["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (600 * MIB, 600 * MIB, 0)
    assert host["CpuShares"] == 512
    in_force = pool.inside(session, "sh", "-c", f"cat {LIMIT} {LIMIT_OF_OLD} 2>/dev/null || true")
    assert int(in_force) == 600 * MIB


def test_inside_it_is_the_session_of_its_person(pool: Pool) -> None:
    session = pool.olga.clicks()
    said = pool.inside(session, "sh", "-c", "echo hers >/home/olga/own; ls /home; getent passwd $(id -u); id -un")
    assert said.splitlines() == ["olga", f"olga:x:{ALL}:{ALL}:olga:/home/olga:/bin/sh", "olga"]
    own = pool.bench.data.homes / "olga" / "own"
    assert (own.read_text(), own.stat().st_uid) == ("hers\n", ALL)
    assert not list(host_mounts.below(TaskFolder(pool.folder(session)).path))


def test_nothing_of_one_person_reaches_another(pool: Pool) -> None:
    """Their home, their variables, what their server wrote at its start, and JupyterLab's settings."""
    for person in (pool.olga, pool.bob):
        home = pool.bench.data.homes / person.name
        session = person.clicks()
        assert person.reaches(session)
        pool.inside(session, "sh", "-c", f"echo {SECRET} of {person.name} >/home/{person.name}/secret")
        person.web.put(f"{session['url']}lab/api/settings/@jupyterlab/apputils-extension:themes", json=DARK)
        assert (home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings").exists()
        assert list((home / ".local/share/jupyter/runtime").iterdir())
        pool.one_stands_ready()
    olga, bob = (person.get(person.made[-1]) for person in (pool.olga, pool.bob))
    for mine, other in ((olga, "bob"), (bob, "olga")):
        found = pool.inside(mine, "sh", "-c", f"grep -rls '{SECRET} of {other}' {LOOKED_AT} || true; ls /home")
        assert found.split() == [mine["person"]]
        assert other not in pool.inside(mine, "python3", "-c", EVERY_PROCESS)
        assert other not in pool.inside(mine, "cat", "/etc/passwd", "/etc/group", "/proc/self/mountinfo")
    assert pool.olga.web.get(f"{bob['url']}api/status").status_code in (403, 404)
    assert SECRET not in pool.inside(olga, "sh", "-c", "env")


def test_what_everybody_sees_is_in_it_and_who_sees_more_starts_a_session_of_their_own(pool: Pool) -> None:
    session = pool.bob.clicks()
    assert pool.folder(session)
    assert pool.inside(session, "ls", "/extra").split() == ["for-everybody"]
    eve = pool.eve.clicks()
    assert not (pool.bench.data.tasks / eve["task"]).is_symlink()
    assert pool.inside(eve, "ls", "/own", "/extra").split() == ["/extra:", "for-everybody", "/own:"]


def test_a_portal_that_is_killed_after_the_click_ends_in_one_session(pool: Pool) -> None:
    """Again and again, a little later each time: in the middle of the claim, too."""
    for tenth in range(1, 6):
        pool.one_stands_ready()
        asked = pool.olga.api.post("/sessions", json={"environment": "lab", "name": f"lab-{tenth}"}).json()
        pool.olga.made.append(asked["id"])
        time.sleep(tenth / 10)  # the moment is what is tried
        portal = pool.bench.pids()["portal"]
        pool.bench.kill("portal")
        wait_for(lambda portal=portal: pool.bench.pids().get("portal") not in (None, portal), PATIENCE)
        wait_for(pool.bench.answers, PATIENCE)
        wait_for(lambda id=asked["id"]: pool.olga.running(id), PATIENCE)
        session = pool.olga.get(asked["id"])
        assert pool.olga.reaches(session)
        assert pool.containers().count(f"drybench-{session['task']}") == 1
        pool.one_stands_ready()
        wait_for(lambda: len(pool.containers()) == 2, PATIENCE)
        pool.olga.stops()


def test_a_bench_that_is_down_leaves_nothing_mounted(pool: Pool) -> None:
    """Nor what a portal made that was killed: the next one has found it."""
    before, portal = pool.one_stands_ready(), pool.bench.pids()["portal"]
    pool.bench.kill("portal")
    wait_for(lambda: pool.bench.pids().get("portal") not in (None, portal), PATIENCE)
    wait_for(pool.bench.answers, PATIENCE)
    assert pool.one_stands_ready() == before
    pool.bench.run("down")
    assert list(host_mounts.below(pool.bench.data.tasks)) == []
    pool.bench.start()
    pool.bench.wait_until_ready()


def test_what_the_keeper_names_must_be_there(pool: Pool) -> None:
    lines = pool.bench.data.settings.read_text().partition("[folders]\n")[0].replace("lab = 1", "lub = 1")
    with new_bench(lines, start=False) as other:
        refused = other.run("up", "--port", "0")
    assert refused.returncode != 0
    line = lines.splitlines().index("lub = 1") + 1
    assert f"line {line}: `ready.pool.lub` names no environment" in refused.stderr
