"""A run as an RO-Crate: a zip that is made while it is sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from pydantic import TypeAdapter
from starlette.responses import Response

from drybench.errors import NotFound, StillOpen
from drybench.model import Run
from drybench.phases import Phase
from drybench.runs.crate import METADATA, Part, Role, metadata, readme
from drybench.runs.receipts import MOST_OUTPUTS, Receipt, receipt
from drybench.runs.run_folder import RunFolders
from drybench.web.downloads import download
from drybench.web.zipping import Entry, safe_name, stream_zip, unlike

RECEIPT = TypeAdapter(Receipt)
MOST_OF_A_LOG = 16 << 20  # bytes


def crate(folders: RunFolders, run: Run) -> Response:
    """Of a run that has ended: before, its files are still being written."""
    if run.task.phase is not Phase.ENDED:
        raise StillOpen()
    told = receipt(folders, run)
    taken = {METADATA.casefold(): 1}
    # The names as they will be in the zip, for what is said of the files must name them so.
    found = [
        (role, Entry(unlike(taken, safe_name(entry.name)), entry.open, entry.size, entry.modified))
        for role, entry in (*_written(folders, run, told), *_outputs(folders, run))
    ]
    about = metadata(told, [Part(entry.name, role, entry.size) for role, entry in found])
    entries = [_entry(METADATA, about, run), *(entry for _, entry in found)]
    return download(stream_zip(entries), f"{run.name}.crate.zip")


def _written(folders: RunFolders, run: Run, told: Receipt) -> Iterator[tuple[Role, Entry]]:
    """What the bench has of it in a known place."""
    yield Role.NOTEBOOK, _entry(told.notebook, folders.given_notebook(run.id), run)
    yield Role.EXECUTED, _entry(f"executed/{told.notebook}", folders.notebook(run.id, run.attempt), run)
    if told.requirements is not None:
        yield Role.REQUIREMENTS, _entry("requirements.txt", told.requirements.encode(), run)
    yield Role.LOG, _entry("log.txt", folders.log(run.id, run.attempt, 0, MOST_OF_A_LOG), run)
    yield Role.README, _entry("README.md", readme(told), run)
    yield Role.RECEIPT, _entry("receipt.json", RECEIPT.dump_json(told, indent=1), run)


def _entry(name: str, content: bytes, run: Run) -> Entry:
    return Entry(name, partial(io.BytesIO, content), len(content), (run.task.ended_at or run.created_at).timestamp())


def _outputs(folders: RunFolders, run: Run) -> Iterator[tuple[Role, Entry]]:
    for file in folders.outputs(run.id, run.attempt, MOST_OUTPUTS):
        opens = partial(_opened, folders, run, file.path)
        yield Role.OUTPUT, Entry(f"output/{file.path}", opens, file.size, file.modified)


def _opened(folders: RunFolders, run: Run, path: str) -> BinaryIO:
    """One that went away meanwhile is left out, and the zip goes on."""
    try:
        return folders.open_output(run.id, run.attempt, path)
    except NotFound as gone:
        raise FileNotFoundError(2, "it is no longer there") from gone
