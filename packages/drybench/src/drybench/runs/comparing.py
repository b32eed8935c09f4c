"""Two runs side by side, as their folders tell of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from drybench.errors import DrybenchError
from drybench.model import Run
from drybench.runs.differences import Differences, Side, differences
from drybench.runs.notebooks import Notebook, read_notebook
from drybench.runs.receipts import Receipt, receipt
from drybench.runs.run_folder import GIVEN_MOST, RunFolders, blocks

MOST_READ = 512 << 20  # bytes of files that are read to see whether they are the same


def compare(folders: RunFolders, a: Run, b: Run) -> Differences:
    one, other = receipt(folders, a), receipt(folders, b)
    twins = _twins(one, other)
    return differences(_side(folders, a, one, twins), _side(folders, b, other, twins))


def _twins(a: Receipt, b: Receipt) -> Mapping[str, int]:
    """Files of one name and one size in both: only their content says whether they are the same."""
    sizes = {file.path: file.size for file in a.outputs}
    twins: dict[str, int] = {}
    left = MOST_READ
    for file in b.outputs:
        if sizes.get(file.path) == file.size and file.size <= left:
            left -= file.size
            twins[file.path] = file.size
    return twins


def _side(folders: RunFolders, run: Run, told: Receipt, twins: Mapping[str, int]) -> Side:
    hashes = {path: _sha256(folders, run, path, size) for path, size in twins.items()}
    return Side(told, _notebook(folders, run), {path: digest for path, digest in hashes.items() if digest})


def _sha256(folders: RunFolders, run: Run, path: str, size: int) -> str:
    """Of as much as it was said to be: it may grow while it is read."""
    digest = hashlib.sha256()
    try:
        with folders.open_output(run.id, run.attempt, path) as file:
            for block in blocks(file, 1 << 20):
                digest.update(block[:size])
                size -= len(block)
                if size <= 0:
                    break
    except (DrybenchError, OSError):
        return ""
    return digest.hexdigest()


def _notebook(folders: RunFolders, run: Run) -> Notebook | None:
    try:
        return read_notebook(folders.given_notebook(run.id), GIVEN_MOST)
    except DrybenchError:
        return None
