"""/api/v1: what a run left behind, one by one or all at once, and the star that keeps it."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query
from starlette.responses import Response

from drybench.errors import NotFound
from drybench.model import Run
from drybench.phases import Phase
from drybench.runs.run_folder import OutputFile, RunFolders
from drybench.web.door import ForAll, ForRuns
from drybench.web.downloads import download, stream
from drybench.web.portal import Here
from drybench.web.shapes import FileJson, Items, Problem, RunJson
from drybench.web.showing import run_json
from drybench.web.zipping import Entry, stream_zip

RAW: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
LOG_MOST = 1 << 40  # it is read block by block: as long as it is

router = APIRouter(
    prefix="/api/v1",
    responses={status: {"model": Problem} for status in (401, 403, 404, 422, 503)},
)


@router.get("/runs/{id}/output.zip", response_class=Response, responses=RAW)
def output_zip(
    portal: Here,
    asker: ForRuns,
    id: str,
    notebook: Annotated[bool, Query(description="With the executed notebook and the log")] = True,
) -> Response:
    """All that it left in its output folder. Links are not followed, and what cannot be read is named within."""
    run = portal.runs.get(asker.person, id)
    entries = [*(_record(portal.run_folders, run) if notebook else ()), *_outputs(portal.run_folders, run)]
    return download(stream_zip(entries), f"{run.name}.zip")


@router.get("/runs/{id}/whole")
def wholes(portal: Here, asker: ForRuns, id: str) -> Items[FileJson]:
    """Outputs of cells that were too long for journal and notebook, each as a whole."""
    run = portal.runs.get(asker.person, id)
    return Items(items=[FileJson.model_validate(one) for one in portal.run_folders.wholes(run.id, run.attempt)])


@router.get("/runs/{id}/whole/{path:path}", response_class=Response, responses=RAW)
def whole(portal: Here, asker: ForRuns, id: str, path: str) -> Response:
    run = portal.runs.get(asker.person, id)
    return download(stream(portal.run_folders.open_whole(run.id, run.attempt, path)), path)


@router.post("/runs/{id}/star")
def star(portal: Here, asker: ForAll, id: str) -> RunJson:
    """What is starred is never removed by itself."""
    return run_json(portal, portal.runs.star(asker.person, id, True, asker.origin))


@router.post("/runs/{id}/unstar")
def unstar(portal: Here, asker: ForAll, id: str) -> RunJson:
    return run_json(portal, portal.runs.star(asker.person, id, False, asker.origin))


def _outputs(folders: RunFolders, run: Run) -> Iterator[Entry]:
    for file in folders.outputs(run.id, run.attempt):
        yield _entry(f"output/{file.path}", partial(folders.open_output, run.id, run.attempt, file.path), file)


def _record(folders: RunFolders, run: Run) -> Iterator[Entry]:
    """While it works they are what there is so far; nothing of it is there before it began."""
    if run.task.phase is Phase.WAITING:
        return
    notebook = folders.notebook(run.id, run.attempt)
    ended = (run.task.ended_at or run.created_at).timestamp()
    yield Entry(f"{run.name}.ipynb", partial(io.BytesIO, notebook), len(notebook), ended)
    for file in folders.wholes(run.id, run.attempt):
        yield _entry(f"whole/{file.path}", partial(folders.open_whole, run.id, run.attempt, file.path), file)
    if folders.has_made(run.id, run.attempt, "log.txt"):
        yield Entry("log.txt", partial(folders.open_log, run.id, run.attempt), LOG_MOST, ended)


def _entry(name: str, opened: Callable[[], BinaryIO], file: OutputFile) -> Entry:
    def still_there() -> BinaryIO:
        try:
            return opened()
        except NotFound:
            raise FileNotFoundError(errno.ENOENT, "it went away, or is no plain file any more") from None

    return Entry(name, still_there, file.size, file.modified)
