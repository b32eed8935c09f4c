"""The peers, each in a virtual environment of its own, as anybody would install it.

papermill beside JupyterLab would start a second later: what JupyterLab brings makes nbformat slow.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import uv

KEPT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "drybench-benchmarks"


def peer(name: str) -> Path:
    """The folder of the environment of NAME.in, made once for each list, its bytecode compiled."""
    needed = Path(__file__).with_name(f"{name}.in")
    folder = KEPT / hashlib.sha256(needed.read_bytes()).hexdigest()[:12]
    if not (folder / "ready").exists():
        binary = uv.find_uv_bin()
        subprocess.run([binary, "venv", "-q", "--clear", folder], check=True)
        subprocess.run(
            [binary, "pip", "install", "-q", "--compile-bytecode", "--python", folder / "bin/python", "-r", needed],
            check=True,
        )
        (folder / "ready").touch()
    return folder


def clean_environment(folder: Path) -> dict[str, str]:
    """A shell in which the peer's environment is activated, and nothing of ours is."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(folder)}
