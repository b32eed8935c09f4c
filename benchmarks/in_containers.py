"""A bench that works in containers, the image that both sides use, and Docker's own command."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.a_bench import DRYBENCH, a_folder, up
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.engines import docker_connection, docker_network
from drybench.engines.docker_container import BENCH_LABEL

BASE = "base"  # the environment that is measured
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
TWO_AT_A_TIME = """
[engines.docker]
cores = 2
"""


@contextmanager
def a_bench_in_containers(settings: str = TWO_AT_A_TIME, environment: str = BASE) -> Generator[Path]:
    """Up while the block runs, with the image of this environment; its data directory."""
    with a_folder() as folder:
        data, home = folder / "data", folder / "home"
        data.mkdir(mode=0o700)
        home.mkdir()
        build(data, environment)
        environ = {"DRYBENCH_ENGINES__DOCKER__USE": "always", "DRYBENCH_FOLDERS__HOME": str(home)}
        try:
            with up(data, settings, **environ):
                yield data
        finally:
            _clear(DataFolder(data))


def build(data: Path, *names: str, fresh: bool = False) -> None:
    """What Docker has already takes two seconds. The way to packages of this machine is that of its images."""
    command = [DRYBENCH, "images", "build", *names, *(["--fresh"] if fresh else []), "--data", data]
    environ = {**os.environ, "DRYBENCH_IMAGES__EXTRA_CA": os.environ.get("SSL_CERT_FILE", "")}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)


def images(data: Path) -> Mapping[str, str]:
    """Those that are here, by the names of their environments, the parents first."""
    command = [DRYBENCH, "images", "list", "--data", data]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = [line.split() for line in said.splitlines() if "drybench/" in line]
    return {one[0]: one[-1] for one in words if docker("images", "--quiet", one[-1])}


@contextmanager
def with_peer(image: str, peer: str) -> Generator[str]:
    """Made from that one by PEER.Dockerfile, and removed with all containers of it."""
    made = f"drybench-figures:{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(__file__).with_name(f"{peer}.Dockerfile"), f"{folder}/Dockerfile")
        shutil.copy(os.environ.get("SSL_CERT_FILE", TRUSTED), f"{folder}/certificates")
        docker("build", "--quiet", "--tag", made, "--build-arg", f"IMAGE={image}", folder)
    try:
        yield made
    finally:
        remove_containers(f"ancestor={made}")
        docker("rmi", "--force", made)


def docker(*words: str | Path) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


def remove_containers(*filters: str) -> None:
    chosen = [word for one in filters for word in ("--filter", one)]
    if found := docker("ps", "--all", "--quiet", *chosen).split():
        subprocess.run(["docker", "rm", "--force", *found], check=False, capture_output=True)


def _clear(data: DataFolder) -> None:
    """Whatever is left, and the network."""
    if data.bench.exists():
        bench_id = Addresses.load(data.bench).bench_id
        remove_containers(f"label={BENCH_LABEL}={bench_id}")
        asyncio.run(_remove_network(bench_id))


async def _remove_network(bench_id: str) -> None:
    async with docker_connection.connect(str(docker_connection.found())) as docker:
        await docker_network.remove(docker, bench_id)
