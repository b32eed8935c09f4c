"""What a notebook returns: values that it displays under a kind of their own. Pure.

    display({"application/vnd.drybench.values+json": {"auc": 0.9}}, raw=True)

needs nothing installed; what scrapbook's `glue` records counts as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

VALUES = "application/vnd.drybench.values+json"
SCRAPS = ("application/scrapbook.scrap.json+json", "application/scrapbook.scrap.text+json")
MOST = 64 << 10  # bytes of all values as JSON
DEEPEST = 20
_LONGEST_NAME = 200


class Values:
    """The newest of each name, in the order in which the names came."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.left_out: list[str] = []

    def take(self, data: Mapping[str, Any]) -> list[str]:
        """The names of what is too much to keep."""
        return [name for name, value in _told(data) if not self._keep(name[:_LONGEST_NAME], value)]

    def _keep(self, name: str, value: Any) -> bool:
        more = self.found | {name: plain(value)}
        fits = size(more) <= MOST
        if fits:
            self.found = more
        elif name not in self.left_out:
            self.left_out.append(name)
        return fits


def plain(value: Any, deepest: int = DEEPEST) -> Any:
    """As JSON has it: NaN and Infinity become words, what is nested too deeply is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict | list) and deepest == 0:
        return None
    if isinstance(value, dict):
        told = cast(dict[Any, Any], value)
        return {str(key): plain(each, deepest - 1) for key, each in told.items()}
    return [plain(each, deepest - 1) for each in cast(list[Any], value)] if isinstance(value, list) else value


def size(values: Mapping[str, Any]) -> int:
    return len(json.dumps(values, separators=(",", ":")))


def bounded(value: Any) -> dict[str, Any]:
    """The values that a result names, as far as they are sound."""
    if not isinstance(value, dict):
        return {}
    told = {str(name)[:_LONGEST_NAME]: plain(each) for name, each in cast(dict[Any, Any], value).items()}
    return told if size(told) <= MOST else {}


def _told(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    values = data.get(VALUES)
    if isinstance(values, dict):
        yield from ((str(name), value) for name, value in cast(dict[Any, Any], values).items())
    for kind in SCRAPS:
        scrap: Any = data.get(kind)
        if isinstance(scrap, dict) and isinstance(name := cast(dict[str, Any], scrap).get("name"), str):
            yield name, cast(dict[str, Any], scrap).get("data")
