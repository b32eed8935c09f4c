"""A real engine of containers for the tests: Docker where it answers, else one that is started here, and Podman.

What is started serves all workers of a test run and ends with the last of them: each holds a shared lock
on one file for as long as it lives, so nobody counts, and nobody who was killed is waited for.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest

from drybench.engines.processes import Identity
from tests.parts import leave_out, needs
from tests.waiting import PATIENCE, wait_for

SOCKET = Path("/var/run/docker.sock")
CACHE = Path("~/.cache/drybench-tests").expanduser()
BASE = "debian:bookworm-slim"  # nothing can be pulled everywhere: it is made here, and stands for Docker Hub's
PYTHON = "drybench-test/python"  # small, for tests of an engine
PYTHON_DOCKERFILE = f"""
FROM {BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3-minimal libpython3-stdlib iproute2 curl \\
 && rm -rf /var/lib/apt/lists/*
LABEL org.drybench.test=python
"""
KERNEL = "drybench-test/kernel"  # Debian's own kernel: its packages are older than what the runner speaks through
KERNEL_DOCKERFILE = f"""
FROM {BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3-ipykernel && rm -rf /var/lib/apt/lists/*
LABEL org.drybench.test=kernel
"""
GPU_HOOK = "#!/bin/sh\nexit 0\n"  # all that Docker looks for, to take requests for GPUs
PODMAN_SETTINGS = """
[containers]
default_ulimits = []
[engine]
init_path = "/usr/bin/tini-static"
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


@contextmanager
def docker_for_all() -> Iterator[str]:
    """Of a Docker that has `BASE`."""
    with ExitStack() as stack:
        with _one_at_a_time():
            stack.enter_context(_shared_docker())
            need_base(SOCKET)
        yield f"unix://{SOCKET}"


@pytest.fixture(scope="session")
def docker_url() -> Iterator[str]:
    with docker_for_all() as url:
        yield url


@pytest.fixture(scope="session")
def python_image(docker_url: str) -> str:
    """`PYTHON`, there in Docker."""
    with _one_at_a_time():
        if not has_image(SOCKET, PYTHON):
            docker("build", "-q", "-t", PYTHON, "-", input=PYTHON_DOCKERFILE.encode())
    return PYTHON


@pytest.fixture(scope="session")
def kernel_image(docker_url: str) -> str:
    """`KERNEL`, there in Docker: with nothing of ours."""
    with _one_at_a_time():
        if not has_image(SOCKET, KERNEL):
            docker("build", "-q", "-t", KERNEL, "-", input=KERNEL_DOCKERFILE.encode())
    return KERNEL


@pytest.fixture(scope="session")
def podman_url() -> Iterator[str]:
    """Of Podman's own service, with its own images and containers."""
    needs("podman")
    if os.geteuid() != 0:
        leave_out("Podman's service is started by root only in these tests.")
    with TemporaryDirectory(prefix="podman-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        with _podman(Path(folder)) as socket:
            yield f"unix://{socket}"


@pytest.fixture(scope="session")
def python_image_in_podman(podman_url: str, python_image: str) -> str:
    """The same one, brought over. Podman has a name of its own for what has no registry."""
    socket = podman_url.removeprefix("unix://")
    with subprocess.Popen(["docker", "save", python_image], stdout=subprocess.PIPE) as saving:
        loading = ["docker", "-H", f"unix://{socket}", "load", "-q"]
        subprocess.run(loading, stdin=saving.stdout, check=True, stdout=subprocess.DEVNULL)
    return f"localhost/{PYTHON}"


def docker(*words: str, socket: Path = SOCKET, **more: Any) -> str:
    """What Docker's own command says."""
    plain_builder = {**os.environ, "DOCKER_BUILDKIT": "0"}
    ran = subprocess.run(
        ["docker", "-H", f"unix://{socket}", *words], capture_output=True, env=plain_builder, check=False, **more
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode().strip()


def inspected(name: str, socket: Path = SOCKET) -> dict[str, Any]:
    return json.loads(docker("inspect", name, socket=socket))[0]


def has_image(socket: Path, name: str) -> bool:
    return bool(docker("images", "-q", name, socket=socket))


def remove_containers(label: str, socket: Path = SOCKET) -> None:
    """Also those that somebody else is removing at this moment."""

    def are_gone() -> bool:
        found = docker("ps", "-aq", "--filter", f"label={label}", socket=socket).split()
        remove = ["docker", "-H", f"unix://{socket}", "rm", "-f", "-v", *found]
        return not found or (subprocess.run(remove, capture_output=True, check=False) and False)

    wait_for(are_gone)


def need_base(socket: Path) -> None:
    if has_image(socket, BASE):
        return
    made = CACHE / "bookworm.tar"
    if not made.exists():
        needs("mmdebstrap")
        CACHE.mkdir(parents=True, exist_ok=True)
        new = made.with_suffix(".new.tar")
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(new)], check=True)
        new.rename(made)
    docker("import", str(made), BASE, socket=socket)


@dataclass
class PrivateDocker:
    """A Docker of a test's own, to be killed and started again.

    It has no network, and runs in a namespace without one: told to have no bridge, it removes `docker0`,
    which is the bridge of the machine's own Docker.
    """

    folder: Path
    options: tuple[str, ...] = ()
    path: str = field(default_factory=lambda: os.environ["PATH"])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        for left in ("docker.pid", "run/containerd/containerd.pid"):  # of zombies, where nobody buries the dead
            (self.folder / left).unlink(missing_ok=True)
        command = [
            *(
                "unshare",
                "--net",
                "dockerd",
                "--host",
                self.url,
                "--data-root",
                f"{self.folder}/data",
                "--exec-root",
                f"{self.folder}/run",
            ),
            *("--pidfile", f"{self.folder}/docker.pid", "--bridge=none", "--iptables=false", "--ip-forward=false"),
            *self.options,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": self.path})
        wait_for(lambda: _answers(self.socket), 3 * PATIENCE)

    def be_up(self) -> None:
        """Whatever a test that failed in its middle left of it."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """As a crash: containers run on, but nobody answers."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def clear(self) -> None:
        """Whatever the test did to it, nothing of it is left."""
        self.be_up()
        for id in docker("ps", "-aq", socket=self.socket).split():
            docker("rm", "-f", id, socket=self.socket)
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


@contextmanager
def private_docker(*options: str, gpus: bool = False) -> Iterator[PrivateDocker]:
    """`gpus`: it takes requests for GPUs, though there is none."""
    needs("docker")
    if os.geteuid() != 0:
        leave_out("Only root can start a Docker of its own.")
    with TemporaryDirectory(prefix="docker-", dir="/tmp", ignore_cleanup_errors=True) as name:
        own = PrivateDocker(Path(name), options)
        if gpus:
            hook = own.folder / "bin" / "nvidia-container-runtime-hook"
            hook.parent.mkdir()
            hook.write_text(GPU_HOOK)
            hook.chmod(0o755)
            own.path = f"{hook.parent}:{own.path}"
        own.start()
        try:
            yield own
        finally:
            own.clear()
            _let_go(own.folder / "data")


class Door:
    """A socket of the test's own before Docker's: closed, it is as if Docker were away, for this test alone."""

    def __init__(self, url: str, socket: Path) -> None:
        self._there = url.removeprefix("unix://")
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._served: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._socket)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket.unlink(missing_ok=True)
            for writer in list(self._writers):
                writer.transport.abort()  # not waiting for who reads no more
            await asyncio.gather(*self._served)

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        await self.close()
        yield
        await self.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From one connection to another, until one of them is closed."""
        self._served.add(cast("asyncio.Task[None]", asyncio.current_task()))
        there, here = await asyncio.open_unix_connection(self._there)
        self._writers |= {writer, here}
        if self._server is None:  # closed meanwhile
            writer.close()
            here.close()
        await asyncio.gather(_pass_on(reader, here), _pass_on(there, writer))
        self._writers -= {writer, here}


@asynccontextmanager
async def door(url: str) -> AsyncIterator[Door]:
    with TemporaryDirectory(prefix="door-", dir="/tmp") as folder:
        made = Door(url, Path(folder) / "docker.sock")
        await made.open()
        try:
            yield made
        finally:
            await made.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    writer.close()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "docker.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _shared_docker() -> Iterator[None]:
    """Entered by one at a time; who leaves last ends what was started here, and nothing that was there before."""
    with (CACHE / "docker.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        if not _answers(SOCKET):
            _start_docker()
        yield
        with _one_at_a_time(), suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end(CACHE / "docker.json")


def _start_docker() -> None:
    needs("docker")
    if os.geteuid() != 0:
        leave_out("Docker does not answer, and only root can start it: `dockerd`.")
    begin = f"exec setsid dockerd >'{CACHE}/docker.log' 2>&1 & echo $!"  # nobody's child: its starter may end first
    pid = subprocess.run(["sh", "-c", begin], capture_output=True, check=True).stdout
    _remember(int(pid), CACHE / "docker.json")
    wait_for(lambda: _answers(SOCKET), 3 * PATIENCE)


@contextmanager
def _podman(folder: Path) -> Iterator[Path]:
    socket, settings = folder / "podman.sock", folder / "containers.conf"
    settings.write_text(PODMAN_SETTINGS)
    environ = {**os.environ, "CONTAINERS_CONF": str(settings), "TMPDIR": str(folder)}
    podman = ["podman", "--root", f"{folder}/data", "--runroot", f"{folder}/run"]
    serve = [*podman, "system", "service", "--time=0", f"unix://{socket}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(serve, env=environ, stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(socket), 3 * PATIENCE)
        yield socket
    finally:
        subprocess.run([*podman, "rm", "--all", "--force", "--time=0"], env=environ, capture_output=True, check=False)
        process.terminate()
        process.wait(60)
        _let_go(folder / "data" / "overlay")


def _let_go(folder: Path) -> None:
    """Engines mount their folders over themselves, and what is mounted cannot be removed."""
    subprocess.run(["umount", "-R", "-l", str(folder)], capture_output=True, check=False)


def _answers(socket: Path) -> bool:
    """Its own command may be missing where the engine is not."""
    if not socket.exists() or not shutil.which("docker"):
        return False
    return (
        subprocess.run(["docker", "-H", f"unix://{socket}", "info"], capture_output=True, check=False).returncode == 0
    )


def _remember(pid: int, file: Path) -> None:
    identity = Identity.of(pid)
    assert identity is not None
    file.write_text(json.dumps(identity.as_json()))


def _end(file: Path) -> None:
    with suppress(FileNotFoundError):
        identity = Identity.from_json(json.loads(file.read_text()))
        file.unlink()
        if identity is not None and identity.is_alive:
            identity.signal(signal.SIGTERM)
            wait_for(lambda: not identity.is_alive)
