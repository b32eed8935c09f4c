"""What lies beside a notebook is found where it runs: as links, which are not results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MOST_NEIGHBOURS = 10_000
_LEFT_OUT = frozenset({".ipynb_checkpoints"})


def link_neighbours(folder: Path, notebook_name: str, output: Path) -> str | None:
    """Link what lies in `folder` into `output`, never in place of what is there; words if that is not all."""
    try:
        for count, name in enumerate(_neighbours(folder, notebook_name)):
            if count == MOST_NEIGHBOURS:
                return f"Only {MOST_NEIGHBOURS} of the files in {folder} are linked here."
            link = output / name
            if not os.path.lexists(link):
                link.symlink_to(folder / name)
    except OSError as problem:
        return f"The files in {folder} could not be linked here: {problem.strerror}."
    return None


def _neighbours(folder: Path, notebook_name: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if entry.name not in _LEFT_OUT | {notebook_name})
