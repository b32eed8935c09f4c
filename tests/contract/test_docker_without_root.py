"""A portal that is not root and may use Docker: its people's accounts are not its own."""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.containers import RUNNER
from tests.docker import PYTHON, SOCKET, docker, remove_containers
from tests.parts import leave_out

PORTAL_UID = 20_500
HOSTILE = "drybench-test/hostile"  # what it would remove its people's files with removes nothing
HOSTILE_DOCKERFILE = f"FROM {PYTHON}\nRUN printf '#!/bin/sh\\n' | tee /usr/bin/rm >/usr/bin/chmod\n"
PORTAL = """
import asyncio, os, sys
from dataclasses import replace
from pathlib import Path
from drybench.engines.docker import DockerEngine
from drybench.model import READY, RUN, Account, Task
from drybench.phases import Seen
from tests.contract.engine_contract import SERVER, TAKES_ONE, log_with, until

SERVES = SERVER.replace("127.0.0.1", "0.0.0.0")

async def main(tasks, url, image, runner):
    os.umask(0o077)
    bench_id = "test-without-root"
    engine = DockerEngine(Path(tasks), url=url, bench_id=bench_id, cores=2, memory=4 << 30, runner=Path(runner))
    async def follow(task, env):
        return await until(engine, await engine.start(task, env), Seen.ENDED)
    writes = "mkdir -p /drybench/task/.a/b; touch /drybench/task/.a/b/c; chmod 0 /drybench/task/.a; id -u; echo $TOKEN"
    first = Task("first", "ada", RUN, ("sh", "-c", writes), image=image, account=Account(20001, 20001))
    await follow(first, {"TOKEN": "arrived"})
    await log_with(engine, {"format": 1, "task": "first"}, b"20001\\narrived\\n")
    serves = replace(first, id="serves", command=("python3", "-c", SERVES), needs_address=True)
    handle = await engine.start(serves, {})
    async for id in engine.changes():
        if id == "serves" and (await engine.poll([handle]))[0].address:
            break
    ready = await engine.start(replace(first, id="stands-ready", kind=READY, command=("python3", "-c", TAKES_ONE)), {})
    await until(engine, ready, Seen.RUNNING)
    claimed = await engine.claim(ready, replace(first, id="claims", command=("echo", "claimed")), {})
    await log_with(engine, claimed, b"claimed")
    for task in ("first", "serves", "claims"):
        await engine.forget({"format": 1, "task": task})
    await engine.close()
    print(sorted(str(path.relative_to(tasks)) for path in Path(tasks).rglob("*")))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where another account comes in; pytest's own folders are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="without-root-", dir="/tmp"))
    os.chown(made, PORTAL_UID, PORTAL_UID)
    yield made
    remove_containers("org.drybench.bench=test-without-root")  # first: they write there
    shutil.rmtree(made)


@pytest.fixture
def hostile_image(python_image: str) -> Iterator[str]:
    docker("build", "-q", "-t", HOSTILE, "-", input=HOSTILE_DOCKERFILE.encode())
    yield HOSTILE
    docker("rmi", "-f", HOSTILE)


async def test_it_serves_people_of_other_accounts(docker_url: str, python_image: str, folder: Path) -> None:
    await it_serves(docker_url, python_image, folder)


async def test_what_they_wrote_goes_also_when_their_image_would_not_remove_it(
    docker_url: str, hostile_image: str, folder: Path
) -> None:
    await it_serves(docker_url, hostile_image, folder)


async def it_serves(docker_url: str, image: str, folder: Path) -> None:
    if os.geteuid() != 0:
        leave_out("Only root can take another account.")
    group = SOCKET.stat().st_gid
    assert grp.getgrgid(group).gr_name == "docker"
    as_another = ("setpriv", f"--reuid={PORTAL_UID}", f"--regid={PORTAL_UID}", f"--groups={group}")
    command = [*as_another, sys.executable, "-c", PORTAL, str(folder), docker_url, image, str(RUNNER)]
    root = Path(__file__).parents[2]
    ran = await asyncio.to_thread(lambda: subprocess.run(command, capture_output=True, cwd=root, check=False))
    assert ran.returncode == 0, ran.stderr.decode()
    assert ran.stdout.decode() == "['claims', 'claims/docker.log', 'first', 'first/docker.log']\n"
