"""Containers as an engine makes them, and what is asked from inside."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from drybench.engines.docker_rules import Network
from tests import docker as real
from tests.integration.outside import code

HARDENED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init")
SOMEBODY = "12345:12345"


@contextmanager
def container(
    image: str, *options: str, command: tuple[str, ...] = ("sleep", "600"), user: str = SOMEBODY
) -> Iterator[str]:
    name = f"drybench-test-{secrets.token_hex(4)}"
    real.docker("run", "-d", "--name", name, *HARDENED, "--user", user, *options, image, *command)
    try:
        yield name
    finally:
        real.docker("rm", "-f", name)


class Task:
    """A container on the bench's network, and what is asked from inside."""

    def __init__(self, name: str, network: Network) -> None:
        self.name = name
        self.inside = ("docker", "exec", name)
        self.address = real.inspected(name)["NetworkSettings"]["Networks"][network.name]["IPAddress"]

    def code(self, host: str, port: int, path: str = "/") -> str:
        return code(host, port, path, self.inside)

    def reaches(self, host: str, port: int) -> bool:
        return self.code(host, port) != "000"

    def python(self, program: str) -> str:
        ran = subprocess.run([*self.inside, "python3", "-c", program], capture_output=True, text=True, check=False)
        return ran.stdout.strip()
