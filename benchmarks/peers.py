"""The peers, in a virtual environment of their own, as anybody would install them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import uv

NEEDED = Path(__file__).with_name("peers.in")


def peers() -> Path:
    """The folder of the peers' environment, made once for each list, its bytecode compiled."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "drybench-benchmarks" / hashlib.sha256(NEEDED.read_bytes()).hexdigest()[:12]
    if not (folder / "ready").exists():
        binary = uv.find_uv_bin()
        subprocess.run([binary, "venv", "-q", "--clear", folder], check=True)
        subprocess.run(
            [binary, "pip", "install", "-q", "--compile-bytecode", "--python", folder / "bin/python", "-r", NEEDED],
            check=True,
        )
        (folder / "ready").touch()
    return folder


def clean_environment(folder: Path) -> dict[str, str]:
    """A shell in which the peers' environment is activated, and nothing of ours is."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(folder)}
