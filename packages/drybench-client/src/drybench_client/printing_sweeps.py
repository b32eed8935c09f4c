"""Sweeps as calm text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from drybench_client.printing import age, plain, table
from drybench_client.sweeps import Counted, Sweep

_STATES = ("done", "failed", "stopped", "lost", "running", "waiting")


def show_sweep(sweep: Sweep) -> None:
    print(f"Sweep {sweep['id'][-6:]} ({plain(sweep['name'])}): {totals(sweep)}")


def show_asked(sweep: Sweep) -> None:
    show_sweep(sweep)
    print(f"See it at {sweep['url']}")


def show_sweeps(sweeps: Sequence[Sweep]) -> None:
    rows = [(it["id"][-6:], it["name"], f"{it['runs']:,}", totals(it), age(it["created_at"])) for it in sweeps]
    table(("ID", "NAME", "RUNS", "STATE", "AGE"), rows, nothing="No sweeps yet: drybench sweep NOTEBOOK -p x=1,2,3")


def show_count(counted: Counted) -> None:
    print(f"{counted['count']:,} {'run' if counted['count'] == 1 else 'runs'} (the most is {counted['limit']:,})")
    for chosen in counted["first"]:
        print("  " + plain(", ".join(f"{name} = {json.dumps(it, ensure_ascii=False)}" for name, it in chosen.items())))
    if counted["count"] > len(counted["first"]):
        print("  …")


def totals(sweep: Sweep) -> str:
    """12 done, 1 failed, 2 running, 85 waiting"""
    return ", ".join(f"{many:,} {state}" for state in _STATES if (many := sweep["totals"][state]))
