"""Medians of pairs: ours and theirs in turn, so that a drifting machine hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    ours: str
    theirs: str = ""
    ratio: str = ""
    goal: str = ""


def median(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} s"


def median_and_p95(seconds: Sequence[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"{median(seconds)}, p95 {p95:.2f} s"


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


def in_turn(
    what: str, ours: Work, theirs: Work, goal: str, times: int = 5, told: Callable[[Sequence[float]], str] = median
) -> Row:
    """One uncounted round first, then `times` pairs; the ratio is the median of the pairs' ratios."""
    ours.seconds()
    theirs.seconds()
    pairs = [(ours.seconds(), theirs.seconds()) for _ in range(times)]
    mine, peer = (told(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    return Row(what, mine, peer, f"{ratio:.2f}", goal)


def table(rows: list[Row]) -> str:
    head = Row("what", "Drybench", "peer", "ratio", "goal")
    lines = [head, Row("---", "---:", "---:", "---:", "---"), *rows]
    return "\n".join(f"| {row.what} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} |" for row in lines)
