"""What an image is named after: all that goes into it, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drybench.environment_files import DOCKERFILE, FILE, Recipe

LENGTH = 12
LEFT_OUT = frozenset({FILE, "__pycache__", ".git"})  # what it says of the image is not in the image


@dataclass(frozen=True)
class Hashing:
    """Where packages come from, and whose certificate opens the way to them, changes no image: both stay out."""

    ours: str  # of our own packages
    arguments: Mapping[str, str]  # of the build, by the keeper

    def __call__(self, recipe: Recipe, parents: Sequence[Recipe]) -> str:
        told = hashlib.sha256(self.ours.encode())
        for one in (recipe, *parents):
            told.update(f"\n{one.name} {'' if one.dockerfile else one.environment.image}\n".encode())
            for file in files_of(one.folder) if one.dockerfile else ():
                told.update(_told(one.folder, file))
            told.update(repr(sorted(taken(one, self.arguments).items())).encode())
        return told.hexdigest()[:LENGTH]


def files_of(folder: Path) -> Iterator[Path]:
    """What of an environment's folder can go into its image, in one order on every machine."""
    for file in sorted(folder.iterdir()):
        if file.name in LEFT_OUT:
            continue
        if file.is_dir() and not file.is_symlink():
            yield from files_of(file)
        elif file.is_file() or file.is_symlink():
            yield file


def taken(recipe: Recipe, arguments: Mapping[str, str]) -> Mapping[str, str]:
    """Of the keeper's arguments those that its Dockerfile declares, where it is the keeper's own: there may be
    secrets among them."""
    if recipe.brought or not recipe.dockerfile:
        return {}
    text = (recipe.folder / DOCKERFILE).read_text(errors="replace")
    declared = set(re.findall(r"^\s*ARG\s+([A-Za-z_]\w*)", text, re.MULTILINE | re.IGNORECASE))
    return {name: value for name, value in arguments.items() if name in declared}


def _told(folder: Path, file: Path) -> bytes:
    content = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
    runs = not file.is_symlink() and bool(file.stat().st_mode & 0o100)
    return f"{file.relative_to(folder)} {file.is_symlink()} {runs} {len(content)}\n".encode() + content
