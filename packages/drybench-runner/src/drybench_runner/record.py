"""The record of a run: what the runner writes into `made/`, and how it is read again.

    progress.jsonl   one event a line, appended as things happen
    result.json      how it ended, written last
    run.json         what was asked for (written by whoever submits)

Pure and standard library only, so that the runner starts quickly and others may read by it.
Readers trust nothing: what they read was written by a task.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from drybench_runner.book import Book, is_sound_output

FORMAT = 1
LINE_LIMIT = 1 << 20  # bytes of one line of progress.jsonl
RESULT_LIMIT = 1 << 18  # bytes of result.json
NO_ROOM = 28  # exit code of a runner whose disk had no room even for result.json
_LONG = 1 << 20  # characters
_PERHAPS_NO_JSON = re.compile(rb"\\u[dD]|NaN|Infinity|[eE]\+?\d{3}")  # half a character, or no finite number
OUTCOMES = ("done", "failed", "stopped")

Event = dict[str, Any]


@dataclass(frozen=True)
class RunFile:
    """run.json: what was asked for."""

    id: str
    name: str
    kind: str = "notebook"
    notebook: str = "notebook.ipynb"
    notebook_name: str = "notebook.ipynb"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environment: str = ""
    kernel: str | None = None
    timeout: float | None = None
    cell_timeout: float | None = None
    folder: str | None = None
    alone: bool = False
    cwd: str | None = None
    created_at: str = ""


@dataclass(frozen=True)
class CellError:
    """What a cell raised."""

    name: str
    value: str
    traceback: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """result.json: how it ended. `reason` is a word of the portal's `phases.Reason`."""

    outcome: str
    started_at: str
    ended_at: str
    reason: str | None = None
    sentence: str | None = None
    cell: int | None = None  # the position in the notebook of the cell it ended in
    cell_number: int | None = None  # the same, counted among the code cells
    error: CellError | None = None
    cells: int = 0
    executed: int = 0
    kernel: Mapping[str, str] = field(default_factory=dict[str, str])


def moment() -> str:
    """The time now, as every file that crosses a border writes it: RFC 3339, UTC, Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def began(at: str, cells: int) -> Event:
    return {"format": FORMAT, "event": "began", "at": at, "cells": cells}


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


def clear(index: int) -> Event:
    return {"event": "clear", "index": index}


def cell_ended(at: str, index: int, execution_count: int | None, status: str) -> Event:
    """`status` is "error" only where the error ended the run; one that was expected is "ok"."""
    return {"event": "cell_ended", "at": at, "index": index, "execution_count": execution_count, "status": status}


def ended(at: str, outcome: str) -> Event:
    return {"event": "ended", "at": at, "outcome": outcome}


def rebuild(notebook: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The notebook as far as it got, from the given one and its journal; the given one is left as it is.

    An event that makes no sense is passed over.
    """
    book = Book(_copied(notebook))
    for event in events:
        try:
            book.take(event)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            continue
    return book.settled()


def merged(events: Iterable[Event]) -> list[Event]:
    """The shortest journal that says the same: what a reader would not see any more is left out."""
    kept: list[Event] = []
    for event in events:
        kind = event["event"]
        if kind == "output" and kept and _continues(kept[-1], event):
            kept[-1] = output(event["index"], _joined(kept[-1]["output"], event["output"]))
            continue
        if kind == "clear":
            kept = [old for old in kept if not _cleared(old, event["index"])]
        if kind == "update":
            kept = [old for old in kept if not (old["event"] == kind and old["display_id"] == event["display_id"])]
        kept.append(event)
    return kept


def lines(event: Event) -> list[bytes]:
    """An event as lines within LINE_LIMIT: long text goes on in the next line, other things are cut."""
    line = _line(event)
    if len(line) <= LINE_LIMIT:
        return [line]
    if event["event"] == "output" and event["output"]["output_type"] == "stream":
        return [line for part in _halves(event) for line in lines(part)]
    return [_line(_cut(event))]


def read_events(data: bytes) -> tuple[list[Event], int]:
    """The events of the whole lines in `data`, and how many bytes those lines take.

    A last line without its end is left for the next reading; a broken one is passed over.
    """
    consumed = data.rfind(b"\n") + 1
    found = (_event(line) for line in data[:consumed].split(b"\n"))
    return [event for event in found if event is not None], consumed


def read_result(data: bytes) -> dict[str, Any]:
    """result.json with every key, or ValueError where it is not one."""
    saved = _object(data, RESULT_LIMIT)
    if saved.get("outcome") not in OUTCOMES:
        raise ValueError("this result names no outcome")
    return asdict(
        Result(
            outcome=saved["outcome"],
            started_at=_text(saved.get("started_at"), 40) or "",
            ended_at=_text(saved.get("ended_at"), 40) or "",
            reason=_text(saved.get("reason"), 60),
            sentence=_text(saved.get("sentence"), 2000),
            cell=_count(saved.get("cell")),
            cell_number=_count(saved.get("cell_number")),
            error=_cell_error(saved.get("error")),
            cells=_count(saved.get("cells")) or 0,
            executed=_count(saved.get("executed")) or 0,
            kernel=_texts(saved.get("kernel")),
        )
    ) | {"format": FORMAT}


def write_result(result: Result) -> bytes:
    """At most RESULT_LIMIT bytes: a traceback that is too long loses its middle."""
    return json.dumps({"format": FORMAT, **asdict(_bounded(result))}, indent=1).encode()


def write_notebook(notebook: Mapping[str, Any]) -> bytes:
    """As nbformat writes it: text in lines, keys in order."""
    told = {**notebook, "cells": [_in_lines(cell) for cell in notebook["cells"]]}
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace") + b"\n"


def read_run(data: bytes) -> RunFile:
    """run.json, or ValueError. Keys of a later Drybench are passed over."""
    saved = _object(data, 1 << 26)
    known = {key: saved[key] for key in RunFile.__dataclass_fields__ if key in saved}
    try:
        return RunFile(**known)
    except TypeError as problem:
        raise ValueError(f"this run.json is not whole: {problem}") from None


def _copied(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """As deep as a Book writes; sources and attachments, which may be large, are shared."""
    metadata = dict(notebook.get("metadata") or {})
    metadata["papermill"] = dict(metadata.get("papermill") or {})
    cells = [{**cell, "metadata": dict(cell.get("metadata") or {})} for cell in notebook["cells"]]
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


def _continues(before: Event, after: Event) -> bool:
    if before["event"] != "output" or before["index"] != after["index"]:
        return False
    one, other = before["output"], after["output"]
    return one["output_type"] == other["output_type"] == "stream" and one["name"] == other["name"]


def _cleared(event: Event, index: int) -> bool:
    # One with a display id stays: it may have changed what is shown in another cell.
    return event["event"] in ("output", "clear") and event["index"] == index and "display_id" not in event


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> Event:
    return {**one, "text": one["text"] + other["text"]}


def _line(event: Event) -> bytes:
    # A lone surrogate, which a kernel can print, has no place in UTF-8.
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _halves(event: Event) -> tuple[Event, Event]:
    text = event["output"]["text"]
    middle = len(text) // 2
    first, second = ({**event["output"], "text": part} for part in (text[:middle], text[middle:]))
    return {**event, "output": first}, {**event, "output": second}


def _cut(event: Event) -> Event:
    """Without what makes it too long; what is missing is said where it was."""
    shown = event.get("output")
    if shown is None:
        return {key: _beginning(value) for key, value in event.items()}
    if shown.get("output_type") == "error":
        short = {"evalue": _beginning(shown["evalue"]), "traceback": [_beginning("\n".join(shown["traceback"]))]}
        return {**event, "output": {**shown, "ename": _beginning(shown["ename"]), **short}}
    sizes = {kind: len(_line({"": value})) for kind, value in shown["data"].items()}
    words = ", ".join(f"{kind} of {size / 2**20:.1f} MiB" for kind, size in sizes.items())
    data = {"text/plain": f"[too large to be shown while it runs: {words[:500]}]"}
    return {**event, "output": {**shown, "data": data, "metadata": {"drybench": {"cut": sum(sizes.values())}}}}


def _beginning(value: Any, most: int = 20_000) -> Any:
    return value[:most] + " [cut here]" if isinstance(value, str) and len(value) > most else value


def _event(line: bytes) -> Event | None:
    """A line's event, or None for an empty or broken one."""
    try:
        event = _object(line, LINE_LIMIT)
        if _PERHAPS_NO_JSON.search(line):
            event = json.loads(json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except ValueError:
        return None
    if not isinstance(event.get("event"), str):
        return None
    if event["event"] == "output" and not is_sound_output(event.get("output")):
        return None
    return event


def _object(data: bytes, most: int) -> dict[str, Any]:
    """A JSON object of a format that is known here."""
    if len(data) > most:
        raise ValueError("larger than it may be")
    try:
        value: Any = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if cast(dict[str, Any], value).get("format", FORMAT) != FORMAT:
        raise ValueError("of a format that is not known here")
    return cast(dict[str, Any], value)


def _text(value: Any, most: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("a number or list where words belong")
    return value[:most]


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise ValueError("no count where a count belongs")
    return value


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key)[:100]: str(text)[:200] for key, text in list(cast(dict[Any, Any], value).items())[:20]}


def _cell_error(value: Any) -> CellError | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("no error where an error belongs")
    told = cast(dict[str, Any], value)
    traceback: Any = told.get("traceback") or []
    if not isinstance(traceback, list):
        raise ValueError("no list where the traceback belongs")
    rows = [_text(row, 100_000) or "" for row in cast(list[Any], traceback)[:1000]]
    return CellError(_text(told.get("name"), 1000) or "", _text(told.get("value"), 20_000) or "", rows)


def _bounded(result: Result) -> Result:
    if result.error is None:
        return result
    traceback = "\n".join(result.error.traceback)
    if len(traceback) > 20_000:
        traceback = traceback[:10_000] + "\n[…]\n" + traceback[-10_000:]
    rows = [traceback] if traceback else []
    return replace(result, error=CellError(result.error.name[:1000], result.error.value[:5000], rows))
