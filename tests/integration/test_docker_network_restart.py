"""Docker is killed and started again, and the network pruned: door and rules are as before.

A Docker of the test's own, in a namespace with a firewall of its own, for the machine's belongs to everybody.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.engines import docker_firewall, docker_network
from drybench.engines.docker_connection import connect
from drybench.engines.docker_rules import Lines, Network, Reach
from drybench.proxying import write_proxy_files
from drybench.settings import Settings
from drybench.settings_sections import DockerEngine
from tests.bench import A_WHOLE_BENCH
from tests.integration.outside import code
from tests.waiting import PATIENCE, wait_for

pytestmark = [pytest.mark.needs("docker", "iptables"), pytest.mark.timeout(600)]
TRAEFIK = Path(sys.executable).with_name("traefik")
PORT = 4321
HERE = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, "restart", tasks_port=PORT)


@dataclass
class Elsewhere:
    """A Docker in a network namespace."""

    folder: Path
    inside: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> None:
        for left in ("docker.pid", "run/containerd/containerd.pid"):  # a killed one may be a zombie for ever
            (self.folder / left).unlink(missing_ok=True)
        places = {"data-root": "data", "exec-root": "run", "pidfile": "docker.pid"}
        options = [f"--{name}={self.folder / place}" for name, place in places.items()]
        with (self.folder / "log").open("ab") as log:
            command = [*self.inside, "dockerd", "--host", self.url, *options, "--bridge=none"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(
            lambda: subprocess.run(["docker", "-H", self.url, "info"], capture_output=True).returncode == 0,
            A_WHOLE_BENCH,
        )

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def network(self) -> Network:
        return asyncio.run(docker_network.made(self.url, HERE, DockerEngine()))

    def guard(self, network: Network) -> None:
        asyncio.run(docker_firewall.guard(network, Reach(PORT), self.restore))

    async def restore(self, program: str, lines: Lines) -> str:
        return await asyncio.to_thread(self.restored, program, "".join(f"{line}\n" for line in lines))

    def restored(self, program: str, text: str) -> str:
        command = [*self.inside, program, "--noflush"]
        ran = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        return ran.stderr or "failed" if ran.returncode else ""

    def rules(self, network: Network) -> list[str]:
        saved = subprocess.run([*self.inside, "iptables-save", "-t", "mangle"], capture_output=True, text=True)
        return [line for line in saved.stdout.splitlines() if network.bridge in line]

    def door(self, network: Network) -> str:
        return code(network.gateway, PORT, by=self.inside)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    name = f"dbr{os.getpid()}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="docker-", dir="/tmp", ignore_cleanup_errors=True)))
        subprocess.run(["ip", "netns", "add", name], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "delete", name])
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        docker = Elsewhere(folder, ("nsenter", f"--net=/run/netns/{name}"))
        docker.start()
        stack.callback(docker.end, signal.SIGTERM)
        yield docker


@pytest.fixture
def network(elsewhere: Elsewhere, tmp_path: Path) -> Iterator[Network]:
    """Guarded, with the real proxy's door on it."""
    network = elsewhere.network()
    elsewhere.guard(network)
    data = DataFolder(tmp_path)
    data.make()
    there = Addresses(
        **{**vars(HERE), "tasks_subnet": network.subnet, "tasks_door": f"http://{network.gateway}:{PORT}"}
    )
    write_proxy_files(data, there, Settings(), "password")
    proxy = subprocess.Popen([*elsewhere.inside, TRAEFIK, "--configfile", data.proxy / "traefik.toml"])
    try:
        wait_for(lambda: elsewhere.door(network) == "404")
        yield network
    finally:
        proxy.kill()
        proxy.wait(PATIENCE)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_docker_is_started_again(elsewhere: Elsewhere, network: Network, how: signal.Signals) -> None:
    rules = elsewhere.rules(network)
    assert len(rules) > 5
    elsewhere.end(how)
    assert elsewhere.rules(network) == rules
    elsewhere.start()
    assert elsewhere.network() == network
    assert elsewhere.rules(network) == rules
    wait_for(lambda: elsewhere.door(network) == "404")


def test_the_network_is_pruned(elsewhere: Elsewhere, network: Network) -> None:
    """It comes back where it was, so that the door need not be opened anew."""
    subprocess.run(["docker", "-H", elsewhere.url, "network", "rm", network.name], check=True, capture_output=True)
    assert elsewhere.door(network) == "000"
    again = asyncio.run(made_again(elsewhere, network))
    assert again == network
    wait_for(lambda: elsewhere.door(network) == "404")


async def made_again(elsewhere: Elsewhere, network: Network) -> Network:
    async with connect(elsewhere.url) as docker:
        return await docker_network.ensure(docker, HERE.bench_id, before=network.subnet)
