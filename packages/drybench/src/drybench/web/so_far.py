"""What a page shows of a run's outputs: small, however much the run has put out.

It takes events of a journal and gives back events that draw the same, without what nobody would see any more:
of long text the end, of many pictures the last ones. What is left out is counted, so that the page can say it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

LETTERS = 1 << 17  # of one stream of text
OUTPUTS = 200  # of one cell
ALL = 24 << 20  # bytes of them all
EACH = 500  # bytes that an output or a cell takes beside what is in it
CELLS = 10_000
WIDGETS = "application/vnd.jupyter.widget-state+json"

_CURSOR_UP = re.compile(r"\x1b\[\d*A")
_PLOTLY = re.compile(r"<script[^>]*>\s*/\*\*?\s*\*\s*plotly\.js v.*?</script>", re.DOTALL)
_OUR_PLOTLY = '<script src="plotly.min.js"></script>'  # the frame knows where it is

Event = Mapping[str, Any]


@dataclass
class _Output:
    content: dict[str, Any]
    display_id: str | None
    size: int
    earlier: int = 0  # lines of its text that are left out


@dataclass
class _Cell:
    outputs: list[_Output] = field(default_factory=list[_Output])
    left_out: int = 0
    ended: Event | None = None


class SoFar:
    def __init__(self) -> None:
        self._cells: dict[int, _Cell] = {}
        self._widgets: dict[str, Any] = {}
        self._widgets_size = 0
        self._size = 0
        self._over: Event | None = None
        self.began: Any = None  # when, and when the cell with this number did
        self.cell: tuple[Any, Any] = (None, None)

    def take(self, events: Iterable[Event]) -> None:
        """A task wrote them: one that makes no sense is passed over."""
        for event in events:
            try:
                getattr(self, f"_take_{event['event']}", _nothing)(event)
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
                continue

    def events(self) -> Iterator[Event]:
        if self._widgets:
            yield {"event": "widgets", "state": self._widgets}
        for index, cell in self._cells.items():
            yield {"event": "cell", "index": index}
            if cell.left_out:
                yield {"event": "left_out", "index": index, "outputs": cell.left_out}
            for output in cell.outputs:
                yield _told(index, output)
            if cell.ended:
                yield cell.ended
        if self._over:
            yield self._over

    def _take_began(self, event: Event) -> None:
        self.began = event.get("at")

    def _take_cell(self, event: Event) -> None:
        self.cell = event.get("at"), event.get("n")
        self._clear(_index(event))
        self._cell(event)
        self._cells[_index(event)] = _Cell()

    def _take_output(self, event: Event) -> None:
        cell = self._cell(event)
        content, id = dict(event["output"]), event.get("display_id")
        if id is not None:
            self._take_update(event)
        if content["output_type"] == "stream":
            self._print(cell, content)
        else:
            self._add(cell, _with_our_libraries(content), id)
        self._make_room()

    def _take_update(self, event: Event) -> None:
        for cell in self._cells.values():
            for output in cell.outputs:
                if output.display_id == event["display_id"]:
                    shown = {"data": event["output"]["data"], "metadata": event["output"].get("metadata", {})}
                    self._size -= output.size
                    output.content = self._fitting({**output.content, **shown})
                    output.size = _size(output.content)
                    self._size += output.size
        self._make_room()

    def _take_clear(self, event: Event) -> None:
        self._clear(_index(event))

    def _take_cell_ended(self, event: Event) -> None:
        kept = {name: event.get(name) for name in ("event", "index", "execution_count", "status")}
        self._cell(event).ended = kept

    def _take_widgets(self, event: Event) -> None:
        for id, model in event["state"].items():
            known = self._widgets.get(id, {})
            fresh = {**known, **model, "state": {**known.get("state", {}), **model["state"]}}
            size = self._widgets_size + len(json.dumps(fresh)) - (len(json.dumps(known)) if known else -EACH)
            if size <= ALL:
                self._widgets[id], self._widgets_size = fresh, size

    def _take_ended(self, event: Event) -> None:
        self._over = {"event": "ended"}

    def _cell(self, event: Event) -> _Cell:
        """No notebook has so many; a task that says so would fill our memory."""
        index = _index(event)
        if index not in self._cells and len(self._cells) >= CELLS:
            raise ValueError("too many cells")
        return self._cells.setdefault(index, _Cell())

    def _print(self, cell: _Cell, content: dict[str, Any]) -> None:
        content["text"] = _text(content["text"])
        last = cell.outputs[-1] if cell.outputs else None
        if last is None or last.content.get("name") != content["name"]:
            last = self._add(cell, {**content, "text": ""}, None)
        text = last.content["text"] + content["text"]
        if "\r" in text and not _CURSOR_UP.search(text):
            text = "\n".join(map(_last_of, text.split("\n")))
        if len(text) > 2 * LETTERS:
            cut = text.find("\n", len(text) - LETTERS) + 1 or len(text) - LETTERS
            last.earlier += text.count("\n", 0, cut)
            text = text[cut:]
        self._size -= last.size
        last.content["text"] = text
        last.size = _size(last.content)
        self._size += last.size

    def _add(self, cell: _Cell, content: dict[str, Any], id: str | None) -> _Output:
        content = self._fitting(content)
        output = _Output(content, id, _size(content))
        self._size += output.size
        cell.outputs.append(output)
        if len(cell.outputs) > OUTPUTS:
            self._size -= cell.outputs.pop(0).size
            cell.left_out += 1
        return output

    def _make_room(self) -> None:
        """Data gives way as soon as there is too much; of text and errors the oldest, and only where it is far more."""
        if self._size <= 2 * ALL:
            return
        for cell in self._cells.values():
            while cell.outputs and self._size > ALL:
                self._size -= cell.outputs.pop(0).size
                cell.left_out += 1

    def _clear(self, index: int) -> None:
        if cell := self._cells.get(index):
            self._size -= sum(output.size for output in cell.outputs)
            cell.outputs, cell.left_out = [], 0

    def _fitting(self, content: dict[str, Any]) -> dict[str, Any]:
        size = _size(content)
        if self._size + size <= ALL or "data" not in content:
            return content
        words = f"[{size / 2**20:.1f} MiB are too much to be shown here: the downloaded notebook has them]"
        return {**content, "data": {"text/plain": words}}


def events_of(notebook: Mapping[str, Any]) -> Iterator[Event]:
    """What a journal would say of a notebook that is there as a whole."""
    widgets = notebook.get("metadata", {}).get("widgets", {}).get(WIDGETS, {}).get("state")
    if isinstance(widgets, Mapping):
        yield {"event": "widgets", "state": widgets}
    for index, cell in enumerate(notebook["cells"]):
        outputs, count = cell.get("outputs") or (), cell.get("execution_count")
        if cell["cell_type"] != "code" or (not outputs and count is None):
            continue
        yield {"event": "cell", "index": index}
        for output in outputs:
            yield {"event": "output", "index": index, "output": output}
        yield {"event": "cell_ended", "index": index, "execution_count": count, "status": "ok"}


def as_script(events: Iterable[Event], next_offset: int) -> str:
    """JSON that can stand within a page's script element."""
    return json.dumps({"events": list(events), "next": next_offset}).replace("<", "\\u003c")


def _told(index: int, output: _Output) -> Event:
    told: dict[str, Any] = {"event": "output", "index": index, "output": output.content}
    if output.display_id is not None:
        told["display_id"] = output.display_id
    return {**told, "earlier": output.earlier} if output.earlier else told


def _with_our_libraries(content: dict[str, Any]) -> dict[str, Any]:
    """A figure of plotly can bring 5 MB of library along, each time."""
    html = _text(content.get("data", {}).get("text/html", ""))
    if len(html) < 1 << 20:
        return content
    return {**content, "data": {**content["data"], "text/html": _PLOTLY.sub(_OUR_PLOTLY, html)}}


def _size(content: Mapping[str, Any]) -> int:
    if "text" in content:
        return EACH + len(content["text"])
    if "traceback" in content:
        return EACH + len(json.dumps(content))
    data = cast("Mapping[str, Any]", content.get("data") or {})
    return EACH + sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in data.values())


def _last_of(line: str) -> str:
    """What stays of a line after its carriage returns; one at its end may still be followed by more."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


def _text(value: Any) -> str:
    return "".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


def _index(event: Event) -> int:
    index = event["index"]
    if type(index) is not int:
        raise TypeError("no place in a notebook")
    return index


def _nothing(event: Event) -> None: ...
