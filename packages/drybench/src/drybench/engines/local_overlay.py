"""A thin Python environment for one task, over one that many tasks share.

It is a venv written by hand, since `python -m venv` takes seconds: what the task installs goes
into it, what the shared environment has is found through it. See PEP 405 for pyvenv.cfg.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

# A script of the shared environment, run by this task's Python: so `pip` installs here. It finds
# its own place, as the line after #! is limited to some hundred characters.
SCRIPT = """#!/bin/sh
exec "${0%/*}/python" '{scripts}'/"${0##*/}" "$@"
"""


def make_overlay(overlay: Path, python: Path) -> None:
    """Whole or not at all; a second time nothing."""
    if overlay.exists():
        return
    shared = _site_packages(python)
    new = Path(tempfile.mkdtemp(prefix="env.", dir=overlay.parent))
    site_packages = new / shared.relative_to(python)
    site_packages.mkdir(parents=True)
    (new / "bin").mkdir()
    if (python / "lib64").exists():
        (new / "lib64").symlink_to("lib")
    (new / "pyvenv.cfg").write_text(_configuration(python))
    # addsitedir, not the bare path: the shared environment's own .pth files count too
    (site_packages / "drybench.pth").write_text(f"import site; site.addsitedir({str(shared)!r})\n")
    _fill_bin(new / "bin", python)
    try:
        new.rename(overlay)
    except OSError:  # somebody else was as quick
        shutil.rmtree(new)


def overlay_variables(overlay: Path, python: Path) -> Mapping[str, str]:
    """What makes programs use the overlay, and Jupyter find what the shared environment brings."""
    return {
        "VIRTUAL_ENV": str(overlay),
        "DRYBENCH_PYTHON": str(python),
        "JUPYTER_PATH": str(python / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(python / "etc" / "jupyter"),
        "JUPYTERLAB_DIR": str(python / "share" / "jupyter" / "lab"),
    }


def _site_packages(python: Path) -> Path:
    found = sorted(python.glob("lib/python3*/site-packages"))
    if not found:
        raise FileNotFoundError(f"{python} is no Python environment")
    return found[-1]


def _configuration(python: Path) -> str:
    """The shared environment's own, since `home` there names the Python under both."""
    try:
        return (python / "pyvenv.cfg").read_text()
    except FileNotFoundError:
        return f"home = {python / 'bin'}\ninclude-system-site-packages = false\n"


def _fill_bin(bin: Path, python: Path) -> None:
    version = _site_packages(python).parent.name
    for name in ("python", "python3", version):
        (bin / name).symlink_to((python / "bin" / "python").resolve())
    script = bin / ".script"
    script.write_text(SCRIPT.replace("{scripts}", str(python / "bin").replace("'", "'\\''")))
    script.chmod(0o700)
    for name in _scripts(python):
        if not (bin / name).is_symlink():
            (bin / name).symlink_to(".script")


def _scripts(python: Path) -> Iterator[str]:
    """Those that name this environment's Python in their first lines."""
    ours = os.fsencode(python / "bin" / "python")
    for script in (python / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            with script.open("rb") as file:
                head = file.read(1024)
            if head.startswith(b"#!") and ours in head:
                yield script.name
