"""Events as the lines of progress.jsonl, and back. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from drybench_runner.book import is_sound_output, widgets_together
from drybench_runner.reading import json_object

LINE_LIMIT = 1 << 20  # bytes of one line
_PERHAPS_NO_JSON = re.compile(rb"\\u[dD]|NaN|Infinity|[eE]\+?\d{3}")  # half a character, or no finite number

Event = dict[str, Any]


def merged(events: Iterable[Event]) -> list[Event]:
    """The shortest journal that says the same: what a reader would not see any more is left out."""
    kept: list[Event] = []
    for event in events:
        kind = event["event"]
        if kind == "output" and kept and _continues(kept[-1], event):
            kept[-1] = {**kept[-1], "output": _joined(kept[-1]["output"], event["output"])}
            continue
        if kind == "widgets" and (told := next((old for old in kept if old["event"] == kind), None)):
            told["state"] = widgets_together(told["state"], event["state"])
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
    if is_stream(event):
        return [line for part in _halves(event) for line in lines(part)]
    if event["event"] == "widgets" and len(event["state"]) > 1:
        return [line for id, model in event["state"].items() for line in lines({**event, "state": {id: model}})]
    return [_line(_cut(event))]


def fits_a_line(output: Mapping[str, Any]) -> bool:
    """Whether an output goes into the journal uncut."""
    return len(_line(dict(output))) < LINE_LIMIT - 1000


def is_stream(event: Event) -> bool:
    return event["event"] == "output" and event["output"]["output_type"] == "stream"


def read_events(data: bytes) -> tuple[list[Event], int]:
    """The events of the whole lines in `data`, and how many bytes those lines take.

    A last line without its end is left for the next reading; a broken one is passed over.
    """
    consumed = data.rfind(b"\n") + 1
    found = (_event(line) for line in data[:consumed].split(b"\n"))
    return [event for event in found if event is not None], consumed


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
    told: Mapping[str, Any] = shown.get("metadata", {}).get("drybench") or {}
    return {**event, "output": {**shown, "data": data, "metadata": {"drybench": {"cut": sum(sizes.values()), **told}}}}


def _beginning(value: Any, most: int = 20_000) -> Any:
    return value[:most] + " [cut here]" if isinstance(value, str) and len(value) > most else value


def _event(line: bytes) -> Event | None:
    """A line's event, or None for an empty or broken one."""
    try:
        event = json_object(line, LINE_LIMIT)
        if _PERHAPS_NO_JSON.search(line):
            event = json.loads(json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(event.get("event"), str):
        return None
    if event["event"] == "output" and not is_sound_output(event.get("output")):
        return None
    return event
