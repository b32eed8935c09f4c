"""What Docker is sent for a build: an environment's folder, and beside it what is ours and the keeper's.

    .                        the folder, without its environment.toml; its programs are added to its Dockerfile
    drybench-wheels/         wheels of our own packages
    drybench-extra-wheels/   what the keeper's folder of wheels has; may be empty
    drybench-ca.crt          certificates to be trusted while packages are fetched; may be empty

The same content makes the same bytes, so that Docker knows a step again that it has done before.
"""

from __future__ import annotations

import fcntl
import io
import tarfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from drybench import desktop_files, own_packages
from drybench.environment_files import DOCKERFILE, Recipe
from drybench.errors import BuildFailed, EnvironmentNotMade
from drybench.images.hashing import files_of, taken

WHEELS, EXTRA_WHEELS, CERTIFICATES = "drybench-wheels", "drybench-extra-wheels", "drybench-ca.crt"
# Added to a Dockerfile where `.desktop` files lie beside it. What is copied is root's, whoever the image's user is.
PROGRAMS = b"\nCOPY *.desktop /opt/drybench/applications/\n"
PARENT = "DRYBENCH_PARENT"  # the argument that names the image to build on


@dataclass(frozen=True)
class Options:
    """What the keeper's settings say about builds ([images])."""

    extra_ca: Path | None = None
    wheels: Path | None = None
    registry: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    at_once: int = 1
    memory: int = 0  # bytes that the steps of a build may use; 0: all


def arguments(recipe: Recipe, parent: str | None, options: Options) -> Mapping[str, str]:
    return {**taken(recipe, options.arguments), **({PARENT: parent} if parent else {})}


def write_context(recipe: Recipe, wheels: Path, options: Options, file: IO[bytes]) -> None:
    try:
        with tarfile.open(fileobj=file, mode="w") as tar:
            _fill(tar, recipe, wheels, options)
    except OSError as error:
        again = f"drybench images build {recipe.name}"
        raise BuildFailed(name=recipe.name, problem=error, again=again) from error
    file.seek(0)


def own_wheels(place: Path) -> Path:
    """A folder with our packages as wheels, made once for each state of them."""
    folder = place / "wheels" / own_packages.fingerprint()[:16]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time(folder.parent):
        if not (folder / ".ready").exists():
            try:
                _make_wheels(folder)
            except EnvironmentNotMade as error:
                raise BuildFailed(name="any environment", again="", **error.facts) from error
            (folder / ".ready").touch()
    return folder


def _make_wheels(folder: Path) -> None:
    uv, said = own_packages.find_uv(), list[str]()
    for name in own_packages.OURS:
        found = Path(own_packages.installable(uv, own_packages.part(name), folder, said.append))
        if found.suffix == ".whl" and found.parent != folder:
            (folder / found.name).write_bytes(found.read_bytes())
        elif not found.exists():
            pip = [uv, "tool", "run", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), str(found)]
            own_packages.run(pip, said.append)


def _fill(tar: tarfile.TarFile, recipe: Recipe, wheels: Path, options: Options) -> None:
    programs = desktop_files.in_folder(recipe.folder)
    for file in files_of(recipe.folder):
        name = str(file.relative_to(recipe.folder))
        if programs and name == DOCKERFILE:
            _add_bytes(tar, name, file.read_bytes() + PROGRAMS)
        else:
            _add(tar, name, file)
    for name, folder in ((WHEELS, wheels), (EXTRA_WHEELS, options.wheels)):
        _add_folder(tar, name)
        for file in sorted(folder.iterdir()) if folder else ():
            if file.is_file() and not file.name.startswith("."):
                _add(tar, f"{name}/{file.name}", file.resolve())
    certificates = options.extra_ca.read_bytes() if options.extra_ca else b""
    _add_bytes(tar, CERTIFICATES, certificates)


def _add(tar: tarfile.TarFile, name: str, file: Path) -> None:
    if file.is_symlink():
        tar.addfile(_entry(name, tarfile.SYMTYPE, 0o777, link=str(file.readlink())))
        return
    with file.open("rb") as opened:
        status = file.stat()
        mode = 0o755 if status.st_mode & 0o100 else 0o644
        tar.addfile(_entry(name, tarfile.REGTYPE, mode, status.st_size), opened)


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    tar.addfile(_entry(name, tarfile.DIRTYPE, 0o755))


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_entry(name, tarfile.REGTYPE, 0o644, len(content)), io.BytesIO(content))


def _entry(name: str, kind: bytes, mode: int, size: int = 0, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, size, link
    return entry


@contextmanager
def _one_at_a_time(folder: Path) -> Generator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
