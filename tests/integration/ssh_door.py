"""A real sshd on loopback, with keys of its own: the machine that one logs in to."""

from __future__ import annotations

import getpass
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.free_ports import free_port
from tests.waiting import wait_for

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


@dataclass(frozen=True)
class SshDoor:
    folder: Path
    port: int

    def ssh(self, *words: str) -> list[str]:
        """The person's ssh with this door's key, and nothing of the person's own settings."""
        known = f"UserKnownHostsFile={self.folder}/known_hosts"
        strict = ["-F", "none", "-o", known, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        return ["ssh", *strict, "-i", str(self.folder / "key"), *words]

    def login(self) -> list[str]:
        """What comes before a command that is to run over there."""
        return self.ssh("-p", str(self.port), f"{getpass.getuser()}@127.0.0.1")

    @contextmanager
    def tunnel(self, words: str, here: str, port: int) -> Iterator[None]:
        """The words that `drybench up` printed, typed on another computer, which `here` stands for."""
        typed = shlex.split(words.replace("-L ", f"-L {here}:"))
        assert typed[0] == "ssh"
        with subprocess.Popen([*self.ssh("-N", "-o", "ExitOnForwardFailure=yes"), *typed[1:]]) as ssh:
            try:
                wait_for(lambda: answers(here, port))
                yield
            finally:
                ssh.terminate()


@contextmanager
def ssh_door(folder: Path) -> Iterator[SshDoor]:
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder))
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian's own start makes it, and sshd insists on it
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
    assert sshd
    with (folder / "sshd.log").open("wb") as log:
        with subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=log) as process:
            try:
                wait_for(lambda: answers("127.0.0.1", port))
                yield SshDoor(folder, port)
            finally:
                process.terminate()


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
