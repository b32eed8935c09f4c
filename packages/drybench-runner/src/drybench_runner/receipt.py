"""receipt.json: on what a run worked, and with what. Gathered in a thread while the kernel works.

It costs a run nothing: what is not known when the notebook ends is left out, and a note says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit, urlunsplit

FORMAT = 1
LARGEST = 1 << 30  # bytes of an input that is still hashed
MOST_INPUTS = 1000
MOST_PACKAGES = 5000
_BLOCK = 1 << 20
_PATIENCE = 20.0  # seconds for a program that is asked
_LAST_WAIT = 0.002  # seconds that the end of a run waits for a thread that is nearly done
_NOT_KNOWN = "the run ended before this was known"


class Gathering:
    """Begins when made; `write` takes what is there by then."""

    def __init__(self, inputs: Sequence[str], folder: str | None) -> None:
        self._inputs = [Path(path) for path in inputs[:MOST_INPUTS]]
        self._folder = Path(folder) if folder else None
        self._known: dict[str, Any] = {}
        self._looked_at = {path: _input(path, _NOT_KNOWN) for path in self._inputs}
        self._over = Event()
        self._threads = [Thread(target=work, daemon=True) for work in (self._gather, self._look_at_inputs)]
        for thread in self._threads:
            thread.start()

    def write(self, file: Path, started_at: str, ended_at: str, overlay: Path | None) -> None:
        """Whole or not at all. A full disk has no room for it, and that ends no run."""
        for thread in self._threads:
            thread.join(_LAST_WAIT)
        self._over.set()
        told = {
            "format": FORMAT,
            "python": ".".join(map(str, sys.version_info[:3])),
            "implementation": sys.implementation.name,
            "platform": _platform(),
            "machine": self._known.get("machine"),
            "gpus": self._known.get("gpus"),
            "git": self._known.get("git"),
            "packages": _packages(overlay),
            "inputs": list(self._looked_at.values()),
            "started_at": started_at,
            "ended_at": ended_at,
        }
        new = file.with_name(f".{file.name}.new")
        with suppress(OSError):
            new.write_text(json.dumps(told, indent=1))
            new.replace(file)

    def _gather(self) -> None:
        _be_kind()
        self._known["machine"] = _machine()
        self._known["git"] = _git(self._folder) if self._folder else None
        self._known["gpus"] = _gpus()

    def _look_at_inputs(self) -> None:
        """As they are when the run begins, the sizes of all before the first is read."""
        _be_kind()
        for path in self._inputs:
            self._looked_at[path] = _stated(path)
        for path in self._inputs:
            seen = self._looked_at[path]
            if seen["note"] == _NOT_KNOWN and not self._over.is_set():
                self._looked_at[path] = self._hashed(path, seen)

    def _hashed(self, path: Path, seen: Mapping[str, Any]) -> Mapping[str, Any]:
        digest = sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    if self._over.is_set():
                        return seen
                    digest.update(block)
        except OSError as problem:
            return {**seen, "note": _words(problem)}
        return {**seen, "sha256": digest.hexdigest(), "note": ""}


def _be_kind() -> None:
    """The notebook goes first: this thread alone takes what the cores have left."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 10)


def _stated(path: Path) -> Mapping[str, Any]:
    try:
        seen = path.stat()
    except OSError as problem:
        return _input(path, _words(problem))
    if not S_ISREG(seen.st_mode):
        return _input(path, "a folder" if S_ISDIR(seen.st_mode) else "no regular file", None, int(seen.st_mtime))
    note = _NOT_KNOWN if seen.st_size <= LARGEST else f"larger than {LARGEST >> 30} GiB, so it was not hashed"
    return _input(path, note, seen.st_size, int(seen.st_mtime))


def _input(path: Path, note: str, size: int | None = None, modified: int | None = None) -> Mapping[str, Any]:
    return {"path": str(path), "size": size, "modified": modified, "sha256": None, "note": note}


def _words(problem: OSError) -> str:
    return problem.strerror or "it could not be read"


def _platform() -> str:
    here = os.uname()
    return f"{here.sysname} {here.release} {here.machine}"


def _machine() -> Mapping[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"host": os.uname().nodename, "cpu": _processor(), "cores": os.cpu_count(), "memory": memory}


def _processor() -> str:
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine


def _git(folder: Path) -> Mapping[str, Any] | None:
    """The commit that the notebook's folder is at. A folder outside any repository costs no process."""
    if not any((above / ".git").exists() for above in (folder, *folder.parents)) or not shutil.which("git"):
        return None
    commit = _asked("git", "-C", str(folder), "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _asked("git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no")
    remote = _asked("git", "-C", str(folder), "remote", "get-url", "origin")
    dirty = None if changed is None else bool(changed)
    return {"commit": commit, "dirty": dirty, "remote": without_password(remote) if remote else None}


def without_password(remote: str) -> str:
    """What a web address says of who asks is left out; `git@host:path` says nothing that is secret."""
    if "://" not in remote:
        return remote
    try:
        parts = urlsplit(remote)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _gpus() -> Sequence[Mapping[str, Any]]:
    """Those that this task may use."""
    mine = os.environ.get("CUDA_VISIBLE_DEVICES")
    if mine == "" or not shutil.which("nvidia-smi"):
        return []
    which = ["-i", mine] if mine else []
    fields = "--query-gpu=name,memory.total,driver_version"
    said = _asked("nvidia-smi", *which, fields, "--format=csv,noheader,nounits") or ""
    rows = [[word.strip() for word in line.split(",")] for line in said.splitlines()]
    return [{"name": row[0], "memory": _mebibytes(row[1]), "driver": row[2]} for row in rows if len(row) == 3]


def _mebibytes(said: str) -> int | None:
    return int(said) << 20 if said.isdecimal() else None


def _asked(*command: str) -> str | None:
    """Its answer, or None where it has none."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, env=env, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()


def _packages(overlay: Path | None) -> Mapping[str, str]:
    """What lies above the environment: first what was asked for, above it what %pip has put into this task's own."""
    own = Path(sysconfig.get_path("purelib"))
    thin = own if (own / "drybench.pth").exists() else None
    found = (one for folder in (overlay, thin) if folder is not None for one in _installed(folder))
    return dict(sorted(dict(found).items())[:MOST_PACKAGES])


def _installed(folder: Path) -> Iterator[tuple[str, str]]:
    """By the names of folders alone: to read each one's metadata takes longer than many a notebook."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if match := re.fullmatch(r"(.+)-([^-]+)\.(dist|egg)-info", entry.name):
                yield re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]
