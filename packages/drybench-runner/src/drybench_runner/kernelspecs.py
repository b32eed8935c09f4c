"""Which kernels there are, found as Jupyter finds them.

By hand, because importing jupyter_client takes longer than everything that is done before a
kernel starts, and meanwhile the kernel could be starting.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from drybench_runner import own_kernels

NATIVE = "python3"


@dataclass(frozen=True)
class KernelSpec:
    name: str
    argv: tuple[str, ...]
    language: str = ""
    folder: str = ""
    interrupt_mode: str = "signal"
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    packages: Path | None = None  # of an environment of the person's own

    @property
    def is_ipykernel(self) -> bool:
        return any(word.split(".")[0] in ("ipykernel", "ipykernel_launcher") for word in self.argv)

    @property
    def speaks_ipc(self) -> bool:
        """Only those that are known to: one that does not is silent instead of saying so."""
        return self.is_ipykernel

    def command(self, connection_file: Path) -> list[str]:
        names = {"connection_file": str(connection_file), "prefix": sys.prefix, "resource_dir": self.folder}
        words = [_filled(word, names) for word in self.argv]
        if words[0] in ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info)):
            words[0] = sys.executable
        if self.is_ipykernel:
            # Kernels side by side quarrel over one history file.
            words.append("--HistoryManager.hist_file=:memory:")
        return words

    def environ(self) -> dict[str, str]:
        own = {name: Template(value).safe_substitute(os.environ) for name, value in self.env.items()}
        return {**os.environ, **own, "JPY_PARENT_PID": str(os.getpid())}


class NoSuchKernel(Exception):
    def __init__(self, name: str, there_are: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.there_are = there_are


def find(name: str) -> KernelSpec:
    """The kernel of that name (case does not count), or NoSuchKernel with which there are."""
    for folder in _folders():
        if folder.name.lower() == name.lower() and (spec := _read(folder)) is not None:
            return spec
    if name.lower() == NATIVE and _has_ipykernel():
        argv = ("python", "-m", "ipykernel_launcher", "-f", "{connection_file}")
        return KernelSpec(NATIVE, argv, "python")
    for own in own_kernels.find(Path.home()):
        if own.name == name.lower():
            return KernelSpec(own.name, own.argv, "python", str(own.resources), env=own.env, packages=own.packages)
    raise NoSuchKernel(name, names())


def names() -> list[str]:
    found = {folder.name for folder in _folders() if _read(folder) is not None}
    own = {kernel.name for kernel in own_kernels.find(Path.home())}
    return sorted(found | own | ({NATIVE} if _has_ipykernel() else set[str]()))


def _folders() -> Iterator[Path]:
    for place in _places():
        try:
            yield from sorted(entry for entry in (place / "kernels").iterdir() if (entry / "kernel.json").is_file())
        except OSError:
            continue


def _places() -> list[Path]:
    """As `jupyter --paths` says for data: what the variable names, the environment, the person, the machine."""
    named = [Path(word) for word in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if word]
    share = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    own = Path(os.environ.get("JUPYTER_DATA_DIR") or share / "jupyter")
    machine = [Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]
    return [*named, Path(sys.prefix, "share/jupyter"), own, *machine]


def _read(folder: Path) -> KernelSpec | None:
    try:
        told: dict[str, Any] = json.loads((folder / "kernel.json").read_bytes())
        argv: list[str] = told["argv"]
        env: dict[str, str] = told.get("env") or {}
        mode = told.get("interrupt_mode", "signal")
        return KernelSpec(folder.name, tuple(argv), told.get("language", ""), str(folder), mode, env) if argv else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _has_ipykernel() -> bool:
    from importlib.util import find_spec

    return find_spec("ipykernel") is not None


def _filled(word: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        word = word.replace("{" + name + "}", value)
    return word
