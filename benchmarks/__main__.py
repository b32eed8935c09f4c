"""`make bench`: every figure in one table. `make bench ARGS="one_run idle"` for some of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import clicks, idle, live, long_ledger, runs
from benchmarks.a_bench import a_bench
from benchmarks.measuring import Row, table

FIGURES: Mapping[str, Callable[[Path], Sequence[Row]]] = {
    "idle": idle.idle,
    "one_run": runs.one_run,
    "first_run": runs.first_run,
    "many_cells": runs.many_cells,
    "many_runs": runs.many_runs,
    "a_sweep": runs.a_sweep,
    "some_runs": runs.some_runs,
    "click": clicks.click,
    "live": live.live,
    "long_ledger": long_ledger.long_ledger,
}


def main() -> None:
    wanted = sys.argv[1:] or [name for name in FIGURES if name != "some_runs"]
    rows: list[Row] = []
    with a_bench() as data:
        for name in wanted:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            rows += FIGURES[name](data)
    print(table(rows))


if __name__ == "__main__":
    main()
