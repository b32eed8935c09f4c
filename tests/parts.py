"""Parts of the system that some tests need, and how to get each.

`python -m tests.parts` brings those that are missing where it may (as root on a Debian), else
says which they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Part:
    name: str
    packages: tuple[str, ...]  # Debian's
    found: Callable[[], bool]

    @property
    def sentence(self) -> str:
        return f"{self.name} is missing: `apt-get install {' '.join(self.packages)}` as root brings it."


def _program(*names: str) -> Callable[[], bool]:
    places = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return lambda: any(shutil.which(name, path=places) for name in names)


def _postgresql() -> bool:
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _gtk() -> bool:
    return Path("/usr/lib/python3/dist-packages/gi").is_dir() and any(
        Path("/usr/lib").glob("*/girepository-1.0/Gtk-3*")
    )


PARTS = {
    part.name: part
    for part in (
        Part("chromium", ("chromium", "fonts-dejavu-core"), _program("chromium")),
        Part("postgresql", ("postgresql",), _postgresql),
        Part("sshd", ("openssh-server",), _program("sshd")),
        Part("ssh", ("openssh-client",), _program("ssh")),
        Part("openssl", ("openssl",), _program("openssl")),
        Part("R", ("r-base-core",), _program("Rscript")),
        Part("R for Jupyter", ("r-cran-irkernel",), Path("/usr/share/jupyter/kernels/ir/kernel.json").exists),
        Part("docker-registry", ("docker-registry",), _program("docker-registry")),
        Part("mmdebstrap", ("mmdebstrap",), _program("mmdebstrap")),
        Part("docker", ("docker.io", "tini"), _program("docker-init")),
        Part("podman", ("podman", "containernetworking-plugins", "runc", "tini"), _program("podman")),
        Part("iptables", ("iptables",), _program("iptables")),
        Part("TigerVNC", ("tigervnc-standalone-server", "xkb-data"), _program("Xtigervnc")),
        Part(
            "xfce", ("xfce4-session", "xfwm4", "xfce4-panel", "xfdesktop4", "xfce4-settings"), _program("xfce4-session")
        ),
        Part("xfwm4", ("xfwm4",), _program("xfwm4")),
        Part("xterm", ("xterm",), _program("xterm")),
        Part("xclip", ("xclip",), _program("xclip")),
        Part("GTK for Python", ("python3-gi", "gir1.2-gtk-3.0"), _gtk),
        Part("X's tools", ("x11-utils",), _program("xev")),
        Part("xsetroot", ("x11-xserver-utils",), _program("xsetroot")),
        Part("xdotool", ("xdotool",), _program("xdotool")),
        Part("glxinfo", ("mesa-utils", "libgl1-mesa-dri"), _program("glxinfo")),
    )
}


def has(name: str) -> bool:
    return PARTS[name].found()


def needs(*names: str) -> None:
    """Skip with the sentence how to get what is missing; with CI=true fail instead."""
    missing = [PARTS[name] for name in names if not PARTS[name].found()]
    if missing:
        leave_out(" ".join(part.sentence for part in missing))


def leave_out(sentence: str) -> None:
    """This machine cannot run the test. With CI=true nothing may be skipped for that."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def bring_missing() -> None:
    missing = [part for part in PARTS.values() if not part.found()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install({package for part in missing for package in part.packages})
        missing = [part for part in missing if not part.found()]
    for part in missing:
        print(f"── {part.sentence} Its tests are skipped.", flush=True)


def _install(packages: set[str]) -> None:
    print(f"── Installing {' '.join(sorted(packages))}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], env=quiet, check=False)
    install = ["apt-get", "-qq", "-y", "--no-install-recommends", "install", *sorted(packages)]
    subprocess.run(install, env=quiet, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    bring_missing()
