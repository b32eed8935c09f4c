"""All that a sweep made, run by run: 0007_x=1/notebook.ipynb and what it wrote."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import BinaryIO

from drybench.errors import DrybenchError
from drybench.phases import Phase
from drybench.runs.sweep_matrix import Matrix, Row, as_csv
from drybench.runs.sweeps import label
from drybench.web.portal import Portal
from drybench.web.zipping import Entry

MOST_FILES = 200_000  # together
MOST_OF_A_RUN = 10_000


def results(portal: Portal, table: Matrix) -> Iterator[Entry]:
    """Only of runs that have begun. What is a task's is opened when its turn comes, beneath its folder."""
    yield _text("runs.csv", "".join(as_csv(table)).encode())
    left, width = MOST_FILES, len(str(len(table.rows)))
    for row in table.rows:
        for entry in _of_run(portal, row, width):
            left -= 1
            if left < 0:
                yield _text("NOT ALL OF IT.txt", f"These are the first {MOST_FILES:,} files.\n".encode())
                return
            yield entry


def _of_run(portal: Portal, row: Row, width: int) -> Iterator[Entry]:
    place = row.place
    if place is None or place.phase < Phase.RUNNING:
        return
    folder = f"{row.number:0{width}}_{label(row.chosen)}".rstrip("_")
    notebook = _notebook(portal, place.run, place.attempt)
    if notebook:
        yield _text(f"{folder}/notebook.ipynb", notebook)
    if row.values:
        yield _text(f"{folder}/values.json", json.dumps(row.values, indent=1).encode())
    for file in portal.run_folders.outputs(place.run, place.attempt, MOST_OF_A_RUN):
        opener = partial(_open, portal, place.run, place.attempt, file.path)
        yield Entry(f"{folder}/output/{file.path}", opener, file.size, file.modified)


def _notebook(portal: Portal, run: str, attempt: int) -> bytes:
    """Empty where it cannot be read: the others are still wanted."""
    try:
        return portal.run_folders.notebook(run, attempt)
    except DrybenchError:
        return b""


def _open(portal: Portal, run: str, attempt: int, path: str) -> BinaryIO:
    try:
        return portal.run_folders.open_output(run, attempt, path)
    except DrybenchError as gone:
        raise OSError(gone.sentence) from None


def _text(name: str, content: bytes) -> Entry:
    return Entry(name, lambda: io.BytesIO(content), len(content), datetime.now(UTC).timestamp())
