"""A Debian that has python3, git and make, and nothing of ours: what a newcomer sits before."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.parts import leave_out, needs

CLONE = Path(__file__).resolve().parent.parent
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ADA = 1000  # who works there; she is not root
PASSED_ON = ("SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HTTPS_PROXY", "https_proxy")


@dataclass(frozen=True)
class BareMachine:
    root: Path

    @classmethod
    def make(cls, root: Path) -> BareMachine:
        needs("mmdebstrap")
        if os.geteuid() != 0:
            leave_out("Only root can make a bare machine to try things on.")
        packages = "--include=python3,git,make,ca-certificates"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", packages, "bookworm", root], check=True)
        for file in (Path("/etc/resolv.conf"), Path("/etc/hosts"), CERTIFICATES):
            shutil.copy(file, root / file.relative_to("/"))
        with (root / "etc" / "passwd").open("a") as accounts:
            accounts.write(f"ada:x:{ADA}:{ADA}:Ada:/home/ada:/bin/bash\n")
        return cls(root)

    def clone(self) -> None:
        home = self.root / "home" / "ada"
        home.mkdir()
        clone(home / "drybench")
        subprocess.run(["chown", "-R", f"{ADA}:{ADA}", home], check=True)

    def write(self, name: str, text: str) -> None:
        """Into Ada's clone."""
        (self.root / "home" / "ada" / "drybench" / name).write_text(text)

    def says(self, script: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """What Ada's shell says in her clone; whatever it leaves running ends with it."""
        inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={self.root}", "--mount-proc"]
        ada = [f"--setgid={ADA}", f"--setuid={ADA}", "env", "-i", "HOME=/home/ada", "PATH=/usr/bin:/bin", *passed_on()]
        shell = ["bash", "-c", f"cd ~/drybench && {script}"]
        return subprocess.run([*inside, *ada, *shell], text=True, capture_output=True, timeout=seconds)


def clone(into: Path) -> None:
    """This clone as it lies here: what is not committed yet, too."""
    listed = ["git", "-C", CLONE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (CLONE / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CLONE / name, into / name)


def passed_on() -> list[str]:
    return [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
