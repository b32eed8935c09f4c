"""What a task in a container can do, seen from inside one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench.engines import docker_container
from drybench.errors import MountNotAllowed, NotAsRoot
from drybench.model import SESSION, Account, Mount
from drybench.phases import Reason
from tests.contract.containers import ADA, Bench, for_ada
from tests.docker import docker, inspected
from tests.parts import leave_out

EATS = "data = bytearray(1 << 30)"
FORKS = """
import os, time
for count in range(1000):
    try:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
    except BlockingIOError as problem:
        print("at most", count)
        break
"""


async def test_it_is_its_person_and_nobody_more(containers: Bench) -> None:
    account = Account(ADA.uid, ADA.gid, groups=(20_100,))
    said = await containers.says("sh", "-c", "id; cat /proc/self/status", account=account)
    assert said.startswith("uid=20001(ada) gid=20001(ada) groups=20001(ada),20100(group20100)\n")
    for none in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{none}:\t0000000000000000\n" in said
    assert "NoNewPrivs:\t1\n" in said
    assert "Seccomp:\t2\n" in said


async def test_no_program_makes_it_root(containers: Bench) -> None:
    said = await containers.says("sh", "-c", "su -c id; mount -t tmpfs none /mnt; chown 0 /drybench/task; id -u")
    assert "20001" in said.splitlines()
    assert "uid=0" not in said


@pytest.mark.parametrize("account", [Account(0, 0), Account(20_001, 0), Account(20_001, 20_001, (0,))])
async def test_root_is_refused(containers: Bench, account: Account) -> None:
    with pytest.raises(NotAsRoot):
        containers.engine.check(containers.task("id", account=account))


async def test_processes_are_bounded(containers: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_container, "PROCESSES", 20)
    assert "at most 1" in await containers.says("python3", "-c", FORKS)


async def test_memory_is_bounded_and_said_to_be_the_cause(containers: Bench) -> None:
    ended = await containers.ended(await containers.start("python3", "-c", EATS, memory=64 << 20))
    assert (ended.exit_code, ended.reason) == (137, Reason.OUT_OF_MEMORY)


async def test_tmp_counts_as_memory_and_is_gone_with_the_task(containers: Bench) -> None:
    said = await containers.says("sh", "-c", "grep ' /tmp ' /proc/mounts; cp /bin/true /tmp/run; /tmp/run && echo runs")
    assert said.startswith("tmpfs /tmp tmpfs rw,nosuid,nodev")
    assert said.endswith("runs\n")


async def test_what_is_read_only_cannot_be_written(containers: Bench, tmp_path: Path) -> None:
    given, made = tmp_path / "given", tmp_path / "made"
    for folder in (given, made):
        folder.mkdir()
        for_ada(folder)
    mounts = (Mount(given, Path("/data/given"), read_only=True), Mount(made, Path("/data/made")))
    script = "touch /data/given/a; touch /data/made/b; touch /etc/passwd"
    assert "'/data/given/a': Read-only file system" in await containers.says("sh", "-c", script, mounts=mounts)
    assert list(given.iterdir()) == []
    assert (made / "b").stat().st_uid == ADA.uid


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        leave_out("Only root can mount a disk.")
    disk = tmp_path / "data" / "a disk"
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_what_is_mounted_below_is_read_only_too(containers: Bench, disk: Path) -> None:
    (disk / "a.txt").write_text("there")
    mounts = (Mount(disk.parent, Path("/data"), read_only=True),)
    said = await containers.says("sh", "-c", "cat '/data/a disk/a.txt'; touch '/data/a disk/b'", mounts=mounts)
    assert "there" in said
    assert os.listdir(disk) == ["a.txt"]  # noqa: PTH208


@pytest.mark.parametrize("source", ["/var/run/docker.sock", "/run/docker.sock", "/run", "/", "/var/run"])
async def test_what_has_dockers_socket_in_it_is_refused(containers: Bench, source: str) -> None:
    with pytest.raises(MountNotAllowed):
        containers.engine.check(containers.task("id", mounts=(Mount(Path(source), Path("/outside")),)))


async def test_a_link_to_dockers_socket_is_refused(containers: Bench, tmp_path: Path) -> None:
    (tmp_path / "innocent").symlink_to("/var/run")
    with pytest.raises(MountNotAllowed):
        await containers.start("id", mounts=(Mount(tmp_path / "innocent", Path("/outside")),))


async def test_a_token_reaches_the_command_and_nobody_else(containers: Bench) -> None:
    script = "echo has $TOKEN; ls -A /drybench/task; tr '\\0' '\\n' </proc/1/environ; echo read; exec sleep 1000"
    task = containers.task("sh", "-c", script)
    handle = await containers.engine.start(task, {"TOKEN": "it's a secret", "NOT-A-NAME": "secret"})
    said = await containers.said(handle, "read")
    assert said.startswith("has it's a secret\nPATH=")
    assert said.count("secret") == 1
    assert "secret" not in json.dumps(inspected(f"drybench-{task.id}"))


async def test_nothing_of_docker_is_inside(containers: Bench) -> None:
    assert await containers.says("sh", "-c", "find / -xdev -name 'docker*.sock' 2>/dev/null; echo end") == "end\n"


async def test_labels_make_no_container_a_task(containers: Bench) -> None:
    """Whoever brings an image says what labels a container has that tries it, or builds on it."""
    task = containers.task("sleep", "1000")
    handle = await containers.engine.start(task, {})
    await containers.runs(handle)
    labels = ("--label", f"org.drybench.task={task.id}", "--label", f"org.drybench.bench={containers.bench_id}")
    docker("run", "-d", "--network", "none", "--name", f"test-{task.id}", *labels, containers.image, "true")
    await containers.engine.stop(handle, 0)
    assert (await containers.ended(handle)).exit_code in (137, 143)


async def test_a_sessions_cores_are_a_weight_only(containers: Bench) -> None:
    run, session = containers.task("sleep", "1000", cores=0.5), containers.task("sleep", "1000", cores=0.5)
    object.__setattr__(session, "kind", SESSION)
    for task in (run, session):
        await containers.engine.start(task, {})
    assert [inspected(f"drybench-{task.id}")["HostConfig"]["NanoCpus"] for task in (run, session)] == [500_000_000, 0]
    assert inspected(f"drybench-{session.id}")["HostConfig"]["CpuShares"] == 512


@pytest.mark.parametrize(
    ("person", "account"),
    [
        ("Zoë Müller", "zo__m_ller"),
        ("root", "root_"),
        ("a:0:0\nroot:x", "a_0_0_root_x"),
        ("../..", "_"),
        ("x" * 200, "x" * 32),
    ],
)
async def test_odd_names_become_names_of_accounts(containers: Bench, person: str, account: str) -> None:
    said = await containers.says("sh", "-c", "id -un; echo $USER; id -u; wc -l </etc/passwd", person=person)
    assert said.split() == [account, account, "20001", "3"]
