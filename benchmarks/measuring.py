"""Medians of pairs: ours and theirs in turn, so that a drifting machine hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    ours: str
    theirs: str = ""
    ratio: str = ""
    goal: str = ""


@dataclass(frozen=True)
class Work:
    """What is timed, and what has to be cleared away after it, untimed."""

    do: Callable[[], object]
    clear: Callable[[], object] = lambda: None

    def seconds(self) -> float:
        begin = time.perf_counter()
        self.do()
        taken = time.perf_counter() - begin
        self.clear()
        return taken


def in_turn(what: str, ours: Work, theirs: Work, goal: str, times: int = 5) -> Row:
    """One uncounted round first, then `times` pairs; the ratio is the median of the pairs' ratios."""
    ours.seconds(), theirs.seconds()
    pairs = [(ours.seconds(), theirs.seconds()) for _ in range(times)]
    mine, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    return Row(what, f"{mine:.2f} s", f"{peer:.2f} s", f"{ratio:.2f}", goal)


def table(rows: list[Row]) -> str:
    head = Row("what", "Drybench", "peer", "ratio", "goal")
    lines = [head, Row("---", "---:", "---:", "---:", "---"), *rows]
    return "\n".join(f"| {row.what} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} |" for row in lines)
