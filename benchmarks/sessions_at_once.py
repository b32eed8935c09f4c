"""What sessions in containers take while nobody types in them, and how many a machine holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.a_bench import pids
from benchmarks.clicks_in_containers import Owner
from benchmarks.idle import cpu, pss
from benchmarks.in_containers import a_bench_in_containers, docker
from benchmarks.measuring import Row
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.engines.docker_container import BENCH_LABEL

SETTINGS = """
[engines.docker]
cores = 100
[sizes.small]
cores = 1
memory = "400 MB"
[ready]
most = 0
"""
MUST_BE_LEFT = 3 << 19  # KiB of the machine's memory
AT_REST = 20.0  # seconds


@dataclass(frozen=True)
class Crowd:
    """`gave`: what ended it before there were as many as were wanted."""

    starts: list[float]
    gave: str


def sessions(most: int = 40) -> list[Row]:
    """JupyterLab in each of them, opened once, no notebook."""
    with a_bench_in_containers(SETTINGS) as data:
        before = _available()
        crowd = _fill(Owner(data), most)
        taken, count = before - _available(), len(crowd.starts)
        processes, bench = _processes(data), pids(data)
        each = sum(map(pss, processes)) / count / 1024
        return [
            Row("memory of an idle session (PSS of what runs in its container)", f"{each:.0f} MiB"),
            Row("… what the machine has less for it", f"{taken / count / 1024:.0f} MiB"),
            Row("idle sessions at once", f"{count}{crowd.gave and f': {crowd.gave}'}", goal=f"{most}"),
            Row("… click to JupyterLab, the first and the last", f"{crowd.starts[0]:.2f} s, {crowd.starts[-1]:.2f} s"),
            Row("… what the bench has with them (PSS)", f"{sum(map(pss, bench)) / 1024:.0f} MiB"),
            Row("… CPU of all sessions, and of the bench", f"{_share(processes)} and {_share(bench)} of a core"),
        ]


def some_sessions() -> list[Row]:
    return sessions(10)


def _fill(owner: Owner, most: int) -> Crowd:
    starts = list[float]()
    for number in range(most):
        if _available() < MUST_BE_LEFT:
            return Crowd(starts, f"the machine has only {_available() >> 10} MiB left")
        began = time.perf_counter()
        try:
            owner.opens(owner.asks(name=f"idle-{number}", size="small"))
        except (httpx.HTTPError, TimeoutError) as error:
            return Crowd(starts, f"the next one does not start: {error}")
        starts.append(time.perf_counter() - began)
    return Crowd(starts, "")


def _processes(data: Path) -> list[int]:
    mine = f"label={BENCH_LABEL}={Addresses.load(DataFolder(data).bench).bench_id}"
    found = docker("ps", "--quiet", "--filter", mine).split()
    return [int(pid) for one in found for pid in docker("top", one, "-eo", "pid").split()[1:]]


def _share(processes: list[int]) -> str:
    before, began = sum(map(cpu, processes)), time.monotonic()
    time.sleep(AT_REST)  # the figure is about a span of real time
    return f"{100 * (sum(map(cpu, processes)) - before) / (time.monotonic() - began):.1f} %"


def _available() -> int:
    """KiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
