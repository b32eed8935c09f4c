"""result.json: how a run ended, written and read. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from drybench_runner import values
from drybench_runner.reading import FORMAT, count, json_object, mapping, text, texts

RESULT_LIMIT = 1 << 18  # bytes
OUTCOMES = ("done", "failed", "stopped")
PICTURES = ("picture.png", "picture.jpg")
_MOST_PACKAGES = 2000
_MOST_HAND = 20_000  # bytes of what is told of a hand


@dataclass(frozen=True)
class CellError:
    """What a cell raised."""

    name: str
    value: str
    traceback: Sequence[str] = ()


@dataclass(frozen=True)
class Frame:
    """The last place in a traceback that is the person's own: `file` is "cell 3", or a path."""

    file: str
    line: int | None = None
    name: str = ""  # of the function; empty at the top
    code: str = ""  # the line itself


@dataclass(frozen=True)
class Result:
    """`reason` is a word of the portal's `phases.Reason`."""

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
    last_frame: Frame | None = None
    missing_module: str | None = None  # as it was to be imported
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    values_left_out: Sequence[str] = ()  # names of those for which there was no room
    picture: str | None = None  # one of PICTURES, in made/
    hand: Mapping[str, Any] | None = None  # that somebody went on by hand, and where
    requirements: Mapping[str, Any] | None = None  # the packages that it asked for


def write_result(result: Result) -> bytes:
    """At most RESULT_LIMIT bytes: a traceback that is too long loses its middle."""
    return json.dumps({"format": FORMAT, **asdict(_bounded(result))}, separators=(",", ":")).encode()


def read_result(data: bytes) -> dict[str, Any]:
    """result.json with every key, or ValueError where it is not one."""
    saved = json_object(data, RESULT_LIMIT)
    if saved.get("outcome") not in OUTCOMES:
        raise ValueError("this result names no outcome")
    return asdict(
        Result(
            outcome=saved["outcome"],
            started_at=text(saved.get("started_at"), 40) or "",
            ended_at=text(saved.get("ended_at"), 40) or "",
            reason=text(saved.get("reason"), 60),
            sentence=text(saved.get("sentence"), 2000),
            cell=count(saved.get("cell")),
            cell_number=count(saved.get("cell_number")),
            error=_cell_error(mapping(saved.get("error"))),
            cells=count(saved.get("cells")) or 0,
            executed=count(saved.get("executed")) or 0,
            kernel=_kernel(saved.get("kernel")),
            last_frame=_frame(mapping(saved.get("last_frame"))),
            missing_module=text(saved.get("missing_module"), 200),
            values=values.bounded(saved.get("values")),
            values_left_out=texts(saved.get("values_left_out"), 100),
            picture=saved["picture"] if saved.get("picture") in PICTURES else None,
            hand=_hand(mapping(saved.get("hand"))),
            requirements=_requirements(mapping(saved.get("requirements"))),
        )
    ) | {"format": FORMAT}


def _cell_error(told: Mapping[str, Any] | None) -> CellError | None:
    if told is None:
        return None
    traceback: Any = told.get("traceback") or []
    if not isinstance(traceback, list):
        raise ValueError("no list where the traceback belongs")
    rows = [text(row, 100_000) or "" for row in cast(list[Any], traceback)[:1000]]
    return CellError(text(told.get("name"), 1000) or "", text(told.get("value"), 20_000) or "", rows)


def _kernel(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key)[:100]: str(each)[:200] for key, each in list(cast(dict[Any, Any], value).items())[:20]}


def _frame(told: Mapping[str, Any] | None) -> Frame | None:
    if told is None:
        return None
    words = {key: text(told.get(key), 500) or "" for key in ("file", "name", "code")}
    return Frame(line=count(told.get("line")), **words)


def _hand(told: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Flat enough for whoever reads it: what nests more deeply than Python goes would keep its run from ending."""
    hand = None if told is None else cast(dict[str, Any], values.plain(told))
    return hand if hand is None or len(json.dumps(hand)) <= _MOST_HAND else None


def _requirements(told: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if told is None:
        return None
    return {"packages": texts(told.get("packages"), _MOST_PACKAGES), "cached": told.get("cached") is True}


def _bounded(result: Result) -> Result:
    result = replace(result, values_left_out=[name[:200] for name in result.values_left_out][:100])
    if result.error is None:
        return result
    traceback = "\n".join(result.error.traceback)
    if len(traceback) > 20_000:
        traceback = traceback[:10_000] + "\n[…]\n" + traceback[-10_000:]
    rows = [traceback] if traceback else []
    return replace(result, error=CellError(result.error.name[:1000], result.error.value[:5000], rows))
