"""What a bench costs while nobody works."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.a_bench import pids
from benchmarks.measuring import Row


def idle(data: Path, over: float = 60.0) -> list[Row]:
    all_of_it = pids(data)
    before = sum(map(cpu, all_of_it))
    time.sleep(over)  # the figure is about a span of real time
    used = (sum(map(cpu, all_of_it)) - before) / over
    memory = sum(map(pss, all_of_it)) / 1024
    return [
        Row("idle memory of the whole bench (PSS)", f"{memory:.0f} MiB"),
        Row(f"idle CPU over {over:.0f} s", f"{100 * used:.1f} % of a core"),
    ]


def portal(data: Path) -> int:
    """The pid of the process that answers pages and the API."""
    return next(pid for pid in pids(data) if b"drybench.serving" in Path(f"/proc/{pid}/cmdline").read_bytes())


def cpu(pid: int) -> float:
    """Seconds of a processor that it has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
