"""`drybench images …` as a keeper types it, and what lies behind: trying images, and removing what nothing uses."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiodocker import Docker

from drybench.engines.docker_connection import connect
from drybench.errors import ImageWithoutPython, ImageWithoutSession, ImageWithoutShell
from drybench.images.checking import check, what_it_lacks
from drybench.images.pruning import freed, remove, unused
from drybench.model import Task
from tests.docker import BASE, docker, docker_url, private_docker, python_image
from tests.image_bench import ImageBench, image_bench
from tests.waiting import PATIENCE, wait_for

__all__ = ["docker_url", "python_image"]

SMOKE = '[[smoke]]\ntitle = "{title}"\ncommand = ["sh", "-c", "{command}"]\ntimeout = {timeout}\n'


@pytest.fixture
def bench(tmp_path: Path, docker_url: str) -> Iterator[ImageBench]:
    with image_bench(tmp_path, docker_url) as bench:
        bench.write_both()
        yield bench


def drybench(bench: ImageBench, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "drybench_client", "images", *words, "--data", str(bench.data.path)]
    return subprocess.run(command, input=answer, capture_output=True, text=True, check=False, timeout=180)


async def test_smoke_tests_run_as_an_ordinary_account_without_a_network(bench: ImageBench) -> None:
    smoke = [
        ("well", "id -u; test $(id -u) = 1000 && touch /tmp/mine && ! touch /etc/mine", 60),
        ("no network", "test $(ls /sys/class/net) = lo", 60),
        ("fails", "echo what it says; exit 3", 60),
        ("slow", "echo begun; sleep 100", 1),
    ]
    text = "\n".join(SMOKE.format(title=title, command=command, timeout=most) for title, command, most in smoke)
    bench.write(bench.low, f"FROM {BASE}\nRUN echo {bench.mark} > /low\n", text)
    await bench.build(bench.low)
    async with connect(bench.url) as docker_itself:
        checked = await check(docker_itself, bench.catalogue.recipe(bench.low))
    assert [one.passed for one in checked.tried] == [True, True, False, False]
    assert checked.tried[2].said == "what it says"
    assert checked.tried[3].said == "begun\nstill at it after 1 s"
    assert checked.size > 10**7
    assert not checked.well
    wait_for(lambda: not docker("ps", "-aq", "--filter", "label=org.drybench.check"))  # others may try images too


async def test_what_an_image_lacks_is_said_in_plain_words(bench: ImageBench, python_image: str) -> None:
    docker("build", "-q", "-t", f"{bench.mark}-empty", "-", input=b"FROM scratch\nLABEL nothing=here\n")
    async with connect(bench.url) as docker_itself:
        (nothing,), _ = await what_it_lacks(docker_itself, f"{bench.mark}-empty", "empty")
        (no_python,), _ = await what_it_lacks(docker_itself, BASE, BASE)
        lacks, kernels = await what_it_lacks(docker_itself, python_image, "python")
    assert isinstance(nothing, ImageWithoutShell)
    assert isinstance(no_python, ImageWithoutPython)
    assert "apt-get install -y python3-ipykernel" in no_python.step
    assert [one.code for one in lacks] == ["image_without_kernel", "image_without_session"]
    assert "pip install ipykernel" in lacks[0].step
    assert isinstance(lacks[1], ImageWithoutSession)
    assert "no jupyterhub and no jupyterlab" in lacks[1].sentence
    assert kernels == []


async def test_what_nothing_uses_is_said_with_its_bytes_and_removed(bench: ImageBench) -> None:
    big = "head -c 20000000 /dev/urandom > /big"
    bench.write(bench.low, f"FROM {BASE}\nRUN {big} # {bench.mark}\n")
    await bench.build(bench.low)
    old = bench.catalogue.environment(bench.low)
    running = Task(id="t", person="ada", kind="run", command=(), image=old.digest)
    bench.write(bench.low, f"FROM {BASE}\nRUN echo small {bench.mark}\n")

    async with connect(bench.url) as docker_itself:

        async def mine(*tasks: Task) -> tuple[list[str], int]:
            found = await unused(docker_itself, bench.catalogue, tasks, bench.builds.all())
            names = [name for one in found.images for name in one.names if bench.mark in name]
            return names, found.freed

        assert (await mine())[0] == []  # it serves until today's is built
        await bench.build(bench.low)
        names, freed = await mine()
        assert names == [old.image]
        assert freed >= 20_000_000
        assert (await mine(running))[0] == []

        kept = docker("create", "--name", f"{bench.mark}-kept", old.image or "", "true")
        all_of_them = await unused(docker_itself, bench.catalogue, (), bench.builds.all())
        found = replace(all_of_them, images=tuple(one for one in all_of_them.images if old.image in one.names))
        assert await remove(docker_itself, found) == list(found.images)
        docker("rm", kept)
        assert not await remove(docker_itself, found)
        assert (await mine())[0] == []
    await bench.images.look()
    assert bench.images.digest(old.image or "") is None


def test_build_list_and_prune_on_the_command_line(bench: ImageBench) -> None:
    built = drybench(bench, "build", bench.high)
    assert built.returncode == 0, built.stderr
    assert bench.mark in built.stdout.splitlines()
    bench.write("broken", more="size = 1\n")
    listed = drybench(bench, "list")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line.strip()}
    assert "ready" in lines[bench.high]
    assert "broken" in lines["broken"]
    assert "environment.toml, line 3" in listed.stdout
    assert listed.returncode == 1

    bench.write(bench.high, f"FROM {BASE}\nRUN false\n", f'on = "{bench.low}"\n')
    failed = drybench(bench, "build", bench.high)
    assert failed.returncode == 2
    assert "step 2 of 5, RUN false, failed" in failed.stderr
    pruned = drybench(bench, "prune", answer="n\n")
    assert "become free" in pruned.stdout


def test_what_it_refuses_has_a_sentence(bench: ImageBench) -> None:
    unknown = drybench(bench, "build", "nobody")
    assert (unknown.returncode, "nobody" in unknown.stderr) == (2, True)
    pulled = drybench(bench, "pull", bench.low)
    assert (pulled.returncode, "names no registry" in pulled.stderr) == (2, True)
    checked = drybench(bench, "check", bench.low)
    assert (checked.returncode, "not built yet" in checked.stderr) == (2, True)
    (bench.data.path / "drybench.toml").write_text('[engines.docker]\nsocket = "unix:///nowhere.sock"\n')
    away = drybench(bench, "build", bench.low)
    assert (away.returncode, "Docker does not answer" in away.stderr) == (2, True)


def test_ctrl_c_cancels(bench: ImageBench) -> None:
    bench.write(bench.low, f"FROM {BASE}\nRUN echo {bench.mark} && sleep 300\n")
    command = [sys.executable, "-m", "drybench_client", "images", "build", bench.low, "--data", str(bench.data.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any(line.strip() == bench.mark for line in process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    build = bench.builds.newest(bench.low)
    assert build
    assert build.state == "cancelled"
    wait_for(lambda: bench.mark not in docker("ps", "--no-trunc", "--format", "{{.Command}}"))


@pytest.mark.parametrize("came", ["built here", "from elsewhere"])
async def test_shared_layers_are_counted_once_and_only_what_becomes_free(tmp_path: Path, came: str) -> None:
    with private_docker() as alone, image_bench(tmp_path, alone.url) as bench:
        old = await old_images(bench)
        if came == "from elsewhere":
            docker("save", "-o", str(tmp_path / "images.tar"), *old, socket=alone.socket)
            docker("rmi", *old, socket=alone.socket)
            docker("load", "-q", "-i", str(tmp_path / "images.tar"), socket=alone.socket)
        else:  # and something that a build has left of which nobody knows any more
            docker("build", "-q", "-", input=f"FROM {old[0]}\nLABEL left=1\n".encode(), socket=alone.socket)
        async with connect(bench.url) as docker_itself:
            low, high = (Task(id="t", person="ada", kind="run", command=(), image=image) for image in old)
            assert await would_free(docker_itself, bench, low) == (2_000_000, [old[1]])
            assert await would_free(docker_itself, bench, high) == (0, [])
            assert await would_free(docker_itself, bench) == (5_000_000, sorted(old))
            found = await unused(docker_itself, bench.catalogue, (), bench.builds.all())
            assert await freed(docker_itself, found) == 0
            assert not await remove(docker_itself, found)
            assert await freed(docker_itself, found) == 5_000_000
            assert await would_free(docker_itself, bench) == (0, [])


async def old_images(bench: ImageBench) -> list[str]:
    """Of two environments, one on the other, that both have newer ones."""
    parent = f'on = "{bench.low}"\n'
    names: list[str] = []
    for below, above in (("x" * 3_000_000, "y" * 2_000_000), ("newer", "newer")):
        bench.write(bench.low, "FROM scratch\nCOPY file /low\n", file=below)
        bench.write(bench.high, "ARG DRYBENCH_PARENT\nFROM ${DRYBENCH_PARENT}\nCOPY file /high\n", parent, file=above)
        await bench.build(bench.high)
        names += [bench.catalogue.environment(name).image or "" for name in (bench.low, bench.high)]
    return names[:2]


async def would_free(docker_itself: Docker, bench: ImageBench, *tasks: Task) -> tuple[int, list[str]]:
    found = await unused(docker_itself, bench.catalogue, tasks, bench.builds.all())
    return found.freed, sorted(name for one in found.images for name in one.names)
