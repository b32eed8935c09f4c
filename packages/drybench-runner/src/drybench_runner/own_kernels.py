"""The kernels of the environments that people keep in their homes: conda's, micromamba's, and venvs.

Found by looking, never by running anything, and nothing is written. A home is whatever somebody put there: what is read
is bounded, only plain files are opened, and an environment counts by the names of a few files in it. The portal looks
with the same eyes, from outside of the container in which the environment will work.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

MOST = 100  # environments
MOST_ENTRIES = 300  # of one folder
MOST_LOOKED_AT = 3000  # in all
MOST_BYTES = 1 << 16  # of one list
MINORS = range(8, 30)  # of Python 3: tried by name, for a folder `lib` may have thousands of entries
LIST = ".config/drybench/environments.txt"
CONDAS = ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba", ".local/share/mamba")
FOLDERS = (".conda/envs", *(f"{conda}/envs" for conda in CONDAS), "venvs", ".virtualenvs", "envs")
LISTS = (".conda/environments.txt", LIST)  # what conda writes, and what the person does
NAMELESS = frozenset({"venv", ".venv", "env", ".env"})  # called after the project that they are in


@dataclass(frozen=True)
class OwnKernel:
    """`prefix` is the environment's folder as a task sees it."""

    name: str
    title: str
    prefix: Path
    is_conda: bool
    packages: Path

    @property
    def argv(self) -> tuple[str, ...]:
        return (str(self.prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}")

    @property
    def env(self) -> Mapping[str, str]:
        """As if it were activated. What is laid over the bench's own environment is not for this one."""
        active = "CONDA_PREFIX" if self.is_conda else "VIRTUAL_ENV"
        return {"PATH": f"{self.prefix / 'bin'}:${{PATH}}", active: str(self.prefix), "PYTHONPATH": ""}

    @property
    def resources(self) -> Path:
        """Where ipykernel puts its pictures, if it did."""
        return self.prefix / "share" / "jupyter" / "kernels" / "python3"


def find(home: Path, seen_as: Path | None = None) -> list[OwnKernel]:
    """Those with ipykernel, in the order of the places. `seen_as` is the home's path for a task, if it is another."""
    inside, found = seen_as or home, dict[str, OwnKernel]()
    prefixes = dict.fromkeys(islice(_prefixes(home, inside), MOST_LOOKED_AT))
    with_ipykernel = ((prefix, packages) for prefix in prefixes if (packages := _packages(prefix)) is not None)
    for prefix, packages in islice(with_ipykernel, MOST):
        label, seen = _free(_label(prefix), found), _as_seen(prefix, home, inside)
        is_conda = _is(stat.S_ISDIR, prefix / "conda-meta")
        own = OwnKernel(f"env-{label}", f"Python ({label})", seen, is_conda, seen / packages.relative_to(prefix))
        found[own.name] = own
    return list(found.values())


def _prefixes(home: Path, inside: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from _entries(home / folder)
    yield from (home / conda for conda in CONDAS)
    for line in (line for name in LISTS for line in _lines(home / name)):
        if (listed := _from_outside(line, home, inside)) is not None:
            yield listed
            yield from () if _has_python(listed) else _entries(listed)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(Path(entry) for entry in islice(entries, MOST_ENTRIES))
    except (OSError, ValueError):  # not there, or no path at all
        return


def _lines(file: Path) -> Iterator[str]:
    """A pipe would be waited for, and a device read for ever: nothing but a plain file is read."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with os.fdopen(descriptor, "rb") as opened:
        is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        text = opened.read(MOST_BYTES).decode(errors="replace") if is_plain else ""
    lines = (line.strip() for line in text.splitlines())
    yield from islice((line for line in lines if line and not line.startswith("#")), MOST_ENTRIES)


def _from_outside(line: str, home: Path, inside: Path) -> Path | None:
    path = inside / line[2:] if line.startswith("~/") else Path(line)
    if not path.is_absolute() or ".." in path.parts or "\0" in line:
        return None
    if path.is_relative_to(inside):
        return home / path.relative_to(inside)
    return path if home == inside else None  # elsewhere in a container is nowhere here


def _as_seen(prefix: Path, home: Path, inside: Path) -> Path:
    return inside / prefix.relative_to(home) if prefix.is_relative_to(home) else prefix


def _has_python(prefix: Path) -> bool:
    """The link may lead to a Python that is in the container only."""
    return os.path.lexists(prefix / "bin" / "python")


def _packages(prefix: Path) -> Path | None:
    """Where ipykernel is among them; None: it is not, or this is no environment."""
    places = [prefix / f"lib/python3.{minor}/site-packages" for minor in MINORS] if _has_python(prefix) else []
    return next((place for place in places if _is(stat.S_ISREG, place / "ipykernel_launcher.py")), None)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(path.stat().st_mode)
    except OSError:  # also where we may not look
        return False


def _label(prefix: Path) -> str:
    """In letters that a kernel's name may have."""
    named = prefix.parent if prefix.name in NAMELESS else prefix
    return re.sub(r"[^a-z0-9._-]+", "-", named.name.lower()).strip("-.")[:60] or "unnamed"


def _free(label: str, found: Mapping[str, OwnKernel]) -> str:
    numbered = (f"{label}-{number}" for number in range(2, MOST + 2))
    return next(one for one in (label, *numbered) if f"env-{one}" not in found)
