"""The notebook as a run's events make it: the same for the runner and for whoever reads its journal.

Its metadata is papermill's (`metadata.papermill` of notebook and cells), so that what reads
papermill's notebooks reads ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from drybench_runner.terminal_text import Screen

PAPERMILL = "2.7.0"  # whose metadata this is
WIDGETS = "application/vnd.jupyter.widget-state+json"
ERROR_MARKER = "papermill-error-cell-tag"


class Book:
    """Takes events one after the other. The notebook that it is given becomes the executed one."""

    def __init__(self, notebook: dict[str, Any]) -> None:
        self._notebook = notebook
        self._displays: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self._growing: dict[int, tuple[dict[str, Any], Screen]] = {}  # the text that goes on, of each cell
        _make_pending(notebook["cells"])

    def take(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "began":
                self._begin(event)
            case "cell":
                self._start(event["index"], event["at"])
            case "output":
                self._output(event["index"], event["output"], event.get("display_id"))
            case "update":
                self._update(event["display_id"], event["output"])
            case "widgets":
                self._widgets(event["state"])
            case "clear":
                self._clear(event["index"])
            case "cell_ended":
                self._end_cell(event)
            case "ended":
                self._end(event)
            case "went_on":
                self._go_on(event["index"], event.get("cells"))
            case _:
                pass

    def settled(self) -> dict[str, Any]:
        """The notebook, whole in itself at this moment."""
        for output, screen in self._growing.values():
            output["text"] = screen.text()
        return self._notebook

    def printed(self, index: int, name: str) -> str:
        """What a cell shows of one stream."""
        self.settled()
        return "".join(output["text"] for output in self._code(index)["outputs"] if output.get("name") == name)

    def _widgets(self, news: Mapping[str, Any]) -> None:
        metadata = self._notebook["metadata"]
        known = metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
        told = {"version_major": 2, "version_minor": 0, "state": widgets_together(known, news)}
        metadata["widgets"] = {WIDGETS: told}

    def _begin(self, event: Mapping[str, Any]) -> None:
        empty = {name: dict[str, Any]() for name in ("default_parameters", "environment_variables", "parameters")}
        paths = {name: event[name] for name in ("input_path", "output_path") if isinstance(event.get(name), str)}
        started = _times() | {"start_time": _papermill_time(event["at"])}
        own = self._papermill()
        own |= {"version": PAPERMILL} | empty | own | paths | started

    def _start(self, index: int, at: str) -> None:
        cell = self._code(index)
        self._pass_over(index, at)
        self._settle(index)
        cell |= {"execution_count": None, "outputs": []}
        started = {"start_time": _papermill_time(at), "exception": False, "status": "running"}
        cell["metadata"]["papermill"] = _times() | started

    def _output(self, index: int, output: Mapping[str, Any], display_id: str | None) -> None:
        outputs = self._code(index)["outputs"]
        if output["output_type"] == "stream":
            self._stream(index, outputs, output)
            return
        outputs.append(dict(output))
        if display_id is not None:
            self._update(display_id, output)
            self._displays.setdefault(display_id, []).append((index, outputs[-1]))

    def _stream(self, index: int, outputs: list[dict[str, Any]], output: Mapping[str, Any]) -> None:
        """Neighbours of one name are one."""
        last, screen = self._growing.get(index, (None, Screen()))
        if last is None or last is not outputs[-1] or last["name"] != output["name"]:
            self._settle(index)
            last, screen = self._growing[index] = {**output, "text": ""}, Screen()
            outputs.append(last)
        screen.write(output["text"])

    def _settle(self, index: int) -> None:
        """Its text is over, or gone."""
        last, screen = self._growing.pop(index, (None, Screen()))
        if last is not None:
            last["text"] = screen.text()

    def _update(self, display_id: str, shown: Mapping[str, Any]) -> None:
        for _, output in self._displays.get(display_id, ()):
            output |= {"data": shown["data"], "metadata": shown["metadata"]}

    def _clear(self, index: int) -> None:
        self._settle(index)
        self._code(index)["outputs"].clear()
        for display_id, places in list(self._displays.items()):
            self._displays[display_id] = [place for place in places if place[0] != index]

    def _end_cell(self, event: Mapping[str, Any]) -> None:
        self._settle(event["index"])
        cell = self._code(event["index"])
        cell["execution_count"] = event["execution_count"]
        papermill = cell["metadata"]["papermill"]
        papermill |= _ended(papermill["start_time"], event["at"])
        papermill["status"] = "completed"
        if event["status"] == "error":
            papermill |= {"status": "failed", "exception": True}
            self._papermill()["exception"] = True

    def _go_on(self, index: int, cells: Any) -> None:
        """By hand: from here on these cells, or the same ones, are executed once more."""
        own = self._notebook["cells"]
        if not 0 <= index < len(own):
            raise IndexError(index)
        for place in range(index, len(own)):
            self._growing.pop(place, None)
        if cells is not None:
            own[index:] = [_sound_cell(cell) for cell in cells]
        _make_pending(own[index:])
        self._papermill()["exception"] = None

    def _end(self, event: Mapping[str, Any]) -> None:
        if event["outcome"] == "done" and not any(map(_is_pending, self._notebook["cells"])):
            self._pass_over(len(self._notebook["cells"]), event["at"])
        self._papermill().update(_ended(self._papermill().get("start_time"), event["at"]))

    def _pass_over(self, index: int, at: str) -> None:
        """Cells before this one that had nothing to execute are completed, as papermill has it."""
        for cell in self._notebook["cells"][:index]:
            papermill = cell["metadata"]["papermill"]
            if papermill["status"] == "pending" and not is_executed(cell):
                time = _papermill_time(at)
                papermill |= {"start_time": time, "exception": False, "status": "completed"} | _ended(time, at)

    def _code(self, index: int) -> dict[str, Any]:
        cell = self._notebook["cells"][index]
        if index < 0 or cell["cell_type"] != "code":
            raise IndexError(index)
        return cell

    def _papermill(self) -> dict[str, Any]:
        return self._notebook.setdefault("metadata", {}).setdefault("papermill", {})


def is_executed(cell: Mapping[str, Any]) -> bool:
    """Whether this cell is given to the kernel."""
    source: str | list[str] = cell.get("source") or ""
    tags: list[str] = cell.get("metadata", {}).get("tags") or []
    return cell["cell_type"] == "code" and bool("".join(source).strip()) and "skip-execution" not in tags


def without_error_markers(cells: list[Any]) -> list[Any]:
    """Without the cells by which papermill pointed at the error of an earlier run."""
    return [cell for cell in cells if ERROR_MARKER not in (cell.get("metadata", {}).get("tags") or ())]


def _make_pending(cells: list[Any]) -> None:
    for cell in cells:
        cell.setdefault("metadata", {})["papermill"] = _times() | {"status": "pending"}
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}


def _sound_cell(cell: Any) -> Any:
    """One that nbformat would take; the same object, for it may be the runner's own."""
    if cell["cell_type"] not in ("code", "markdown", "raw") or not isinstance(cell["source"], str):
        raise ValueError("no cell")
    return cell


def _is_pending(cell: Mapping[str, Any]) -> bool:
    return is_executed(cell) and cell["metadata"]["papermill"]["status"] == "pending"


def widgets_together(known: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Models of widgets by their ids, with what was told last of each."""
    together = dict(known)
    for id, model in news.items():
        before = together.get(id, {})
        together[id] = {**before, **model, "state": {**before.get("state", {}), **model["state"]}}
    return together


def is_sound_output(output: Any) -> bool:
    """Whether this is an output as nbformat has it."""
    if not isinstance(output, dict):
        return False
    told = cast(dict[str, Any], output)
    match told.get("output_type"):
        case "stream":
            return told.get("name") in ("stdout", "stderr") and isinstance(told.get("text"), str)
        case "error":
            rows = cast(list[Any], told["traceback"]) if isinstance(told.get("traceback"), list) else [None]
            return all(isinstance(text, str) for text in (told.get("ename"), told.get("evalue"), *rows))
        case "display_data" | "execute_result":
            return isinstance(told.get("data"), dict) and isinstance(told.get("metadata"), dict)
        case _:
            return False


def _times() -> dict[str, Any]:
    return {"exception": None, "start_time": None, "end_time": None, "duration": None}


def _papermill_time(at: str) -> str:
    return at.replace("Z", "+00:00")


def _ended(start: str | None, at: str) -> dict[str, Any]:
    end = _papermill_time(at)
    if start is None:
        return {"end_time": end, "duration": None}
    return {"end_time": end, "duration": (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()}
