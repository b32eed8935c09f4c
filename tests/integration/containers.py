"""Containers as an engine makes them, and what is asked from inside."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drybench.engines.docker_rules import Network
from tests import docker as real
from tests.integration.outside import code

HARDENED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init")
SOMEBODY = "12345:12345"


@contextmanager
def container(
    image: str,
    *options: str,
    command: tuple[str, ...] = ("sleep", "600"),
    user: str = SOMEBODY,
    socket: Path = real.SOCKET,
) -> Iterator[str]:
    name = f"drybench-test-{secrets.token_hex(4)}"
    real.docker("run", "-d", "--name", name, *HARDENED, "--user", user, *options, image, *command, socket=socket)
    try:
        yield name
    finally:
        real.docker("rm", "-f", name, socket=socket)


class Task:
    """A container on the bench's network, and what is asked from inside."""

    def __init__(self, name: str, network: Network, socket: Path = real.SOCKET) -> None:
        self.name = name
        self.inside = ("docker", "-H", f"unix://{socket}", "exec", name)
        self.address = real.inspected(name, socket)["NetworkSettings"]["Networks"][network.name]["IPAddress"]

    def code(self, host: str, port: int, path: str = "/") -> str:
        return code(host, port, path, self.inside)

    def reaches(self, host: str, port: int) -> bool:
        return self.code(host, port) != "000"

    def python(self, program: str) -> str:
        ran = subprocess.run([*self.inside, "python3", "-c", program], capture_output=True, text=True, check=False)
        return ran.stdout.strip()
