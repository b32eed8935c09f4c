"""Our own packages that belong inside an environment, to be installed there as the bench itself has them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from drybench.errors import EnvironmentNotMade

OURS = ("drybench-runner", "drybench-client", "drybench-session")
OF_A_SOURCE = frozenset({".py", ".js", ".css", ".html", ".svg", ".json", ".toml"})
Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One of them: from its folder, or by its version."""

    name: str
    version: str
    source: Path | None

    def fingerprint(self) -> Iterator[bytes]:
        yield f"{self.name} {self.version}".encode()
        if self.source and self.source.is_dir():
            for file in sorted(self.source.rglob("*.*")):
                if file.suffix in OF_A_SOURCE:
                    yield str(file.relative_to(self.source)).encode()
                    yield file.read_bytes()


def part(name: str) -> Part:
    found = distribution(name)
    url: str = json.loads(found.read_text("direct_url.json") or "{}").get("url", "")
    source = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    return Part(name, found.version, source)


@cache
def fingerprint() -> str:
    """Of all of them, as they were when this process first asked."""
    told = hashlib.sha256()
    for piece in (piece for name in OURS for piece in part(name).fingerprint()):
        told.update(hashlib.sha256(piece).digest())
    return told.hexdigest()


def installable(uv: str, part: Part, wheels: Path, say: Say) -> str:
    """A folder is built by the bench's own locked hatchling where there is one, else by one that uv fetches."""
    if part.source is None or not part.source.is_dir():
        return str(part.source or f"{part.name}=={part.version}")
    locked = ["--no-build-isolation", "--python", sys.executable] if importlib.util.find_spec("hatchling") else []
    run([uv, "build", "--quiet", "--wheel", *locked, "--out-dir", str(wheels), str(part.source)], say)
    return str(next(wheels.glob(f"{part.name.replace('-', '_')}-*.whl")))


def find_uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


def run(command: Sequence[str], say: Say) -> None:
    """Its lines are shown as they come, all but the names of what was installed."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    last: deque[str] = deque(maxlen=8)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            last.append(line.strip())
            if line.strip() and not line.startswith((" +", " -")):
                say(f"   {line.strip()}")
    if process.returncode:
        raise EnvironmentNotMade(problem=" ".join(last))
