"""The record of a run: what the runner writes into `made/`, and how it is read again.

    progress.jsonl   one event a line, appended as things happen
    result.json      how it ended, written last
    run.json         what was asked for (written by whoever submits)

Pure and standard library only, so that the runner starts quickly and others may read by it.
Readers trust nothing: what they read was written by a task.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from drybench_runner.book import Book, without_error_markers
from drybench_runner.journal_lines import LINE_LIMIT, Event, fits_a_line, is_stream, lines, merged, read_events
from drybench_runner.reading import FORMAT
from drybench_runner.result_file import OUTCOMES, RESULT_LIMIT, CellError, Frame, Result, read_result, write_result
from drybench_runner.run_file import RunFile, read_run

NO_ROOM = 28  # exit code of a runner whose disk had no room even for result.json
_LONG = 1 << 20  # characters

__all__ = [
    "FORMAT",
    "LINE_LIMIT",
    "NO_ROOM",
    "OUTCOMES",
    "RESULT_LIMIT",
    "CellError",
    "Event",
    "Frame",
    "Result",
    "RunFile",
    "began",
    "cell",
    "cell_ended",
    "clear",
    "detail",
    "ended",
    "fits_a_line",
    "held",
    "is_stream",
    "lines",
    "merged",
    "moment",
    "moment_in",
    "output",
    "read_events",
    "read_result",
    "read_run",
    "rebuild",
    "released",
    "update",
    "went_on",
    "write_notebook",
    "write_result",
]


def moment() -> str:
    """The time now, as every file that crosses a border writes it: RFC 3339, UTC, Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")


def began(at: str, cells: int, **paths: str) -> Event:
    """`paths`: papermill's `input_path` and `output_path`."""
    return {"format": FORMAT, "event": "began", "at": at, "cells": cells, **paths}


def detail(at: str, text: str) -> Event:
    return {"event": "detail", "at": at, "text": text}


def cell(at: str, index: int, n: int, of: int) -> Event:
    """Code cell `n` of `of` starts; `index` is its position in the notebook."""
    return {"event": "cell", "at": at, "index": index, "n": n, "of": of}


def output(index: int, output: Mapping[str, Any], display_id: str | None = None) -> Event:
    event: Event = {"event": "output", "index": index, "output": dict(output)}
    return event if display_id is None else {**event, "display_id": display_id}


def update(display_id: str, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> Event:
    return {"event": "update", "display_id": display_id, "output": {"data": data, "metadata": metadata}}


def widgets(state: Mapping[str, Any]) -> Event:
    """What is new of widgets' models, by their ids: each with its `state`, as a notebook's metadata have them."""
    return {"event": "widgets", "state": state}


def clear(index: int) -> Event:
    return {"event": "clear", "index": index}


def cell_ended(at: str, index: int, execution_count: int | None, status: str) -> Event:
    """`status` is "error" only where the error ended the run; one that was expected is "ok"."""
    return {"event": "cell_ended", "at": at, "index": index, "execution_count": execution_count, "status": status}


def ended(at: str, outcome: str) -> Event:
    return {"event": "ended", "at": at, "outcome": outcome}


def held(at: str, until: str, index: int | None) -> Event:
    """It failed, in the cell at `index`; its kernel is kept until then."""
    return {"event": "held", "at": at, "until": until, "index": index}


def released(at: str) -> Event:
    """The kernel is kept no longer."""
    return {"event": "released", "at": at}


def went_on(at: str, index: int, cells: Sequence[Mapping[str, Any]], of: int) -> Event:
    """By hand, from the cell at `index` on, which are now these; `of` is how many code cells there are in all."""
    return {"event": "went_on", "at": at, "index": index, "cells": [dict(cell) for cell in cells], "of": of}


def rebuild(notebook: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The notebook as far as it got, from the given one and its journal; the given one is left as it is.

    An event that makes no sense is passed over.
    """
    book = Book(_copied(notebook))
    for event in events:
        try:
            book.take(event)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
            continue
    return book.settled()


def write_notebook(notebook: Mapping[str, Any]) -> bytes:
    """As nbformat writes it: text in lines, keys in order."""
    told = {**notebook, "cells": [_in_lines(cell) for cell in notebook["cells"]]}
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace") + b"\n"


def _copied(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """As deep as a Book writes; sources and attachments, which may be large, are shared."""
    metadata = dict(notebook.get("metadata") or {})
    metadata["papermill"] = dict(metadata.get("papermill") or {})
    cells = [
        {**cell, "metadata": dict(cell.get("metadata") or {})} for cell in without_error_markers(notebook["cells"])
    ]
    return {**notebook, "metadata": metadata, "cells": cells}


def _in_lines(cell: Mapping[str, Any]) -> dict[str, Any]:
    told = {**cell, "source": _split(cell.get("source", ""))}
    if "outputs" in cell:
        told["outputs"] = [_output_in_lines(output) for output in cell["outputs"]]
    return told


def _output_in_lines(output: Mapping[str, Any]) -> dict[str, Any]:
    if "text" in output:
        return {**output, "text": _split(output["text"])}
    if "data" not in output:
        return dict(output)
    data = {kind: _split(value) if _is_text(kind) else value for kind, value in output["data"].items()}
    return {**output, "data": data}


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in ("image/svg+xml", "application/javascript")


def _split(text: Any) -> Any:
    """Very long text stays in one piece, which is as good a notebook and a second faster to write."""
    return text.splitlines(keepends=True) if isinstance(text, str) and len(text) < _LONG else text
