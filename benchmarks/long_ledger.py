"""What a ledger of many runs costs: pages, API, handing in, and the loop while nobody works."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from benchmarks import notebooks
from benchmarks.a_bench import a_bench, public_address
from benchmarks.idle import cpu, portal
from benchmarks.live import a_page
from benchmarks.measuring import Row
from drybench import tables
from drybench.data_folder import DataFolder
from drybench.database import connect, sqlite_url
from drybench.ids import uuid7
from drybench.ledger import open_ledger
from drybench.ledger_rows import columns_of, columns_of_task
from drybench.model import RUN, Run
from drybench.phases import Outcome, Phase
from drybench_client.bench import Bench

LOOKS = 60
AT_REST = 20.0  # seconds
LATER = timedelta(seconds=90)


def long_ledger(_: Path) -> list[Row]:
    """In a bench of its own, for what is in its ledger cannot be taken out again."""
    with a_bench("[ready]\nmost = 0\n") as data, tempfile.TemporaryDirectory() as folder:
        notebook = notebooks.write(Path(folder) / "prints.ipynb", notebooks.PRINTS)
        bench = Bench(data=data)
        first = bench.wait(bench.submit(notebook)["id"])["id"]
        rows = _figures(data, bench, notebook, 1)
        for count, more in ((10_000, 10_000), (100_000, 90_000)):
            _fill(data, first, more)
            rows += _figures(data, bench, notebook, count)
        return rows


def _figures(data: Path, bench: Bench, notebook: Path, count: int) -> list[Row]:
    of = f"{count:,} runs"
    with a_page(data) as page:
        at = f"{public_address(data)}/runs"
        rows = [
            _row(f"Runs page, {of}", lambda: page.request.get(at).body()),
            _row(f"Runs page, the failed ones, {of}", lambda: page.request.get(f"{at}?state=failed").body()),
            _row(f"Runs page, by a name, {of}", lambda: page.request.get(f"{at}?search=wing").body()),
        ]
    rows.append(_row(f"a list of 50 by API, {of}", lambda: list(bench.runs(50))))
    rows.append(_row(f"hand in, {of}", lambda: bench.cancel(bench.submit(notebook)["id"])))
    _until_nothing_works(bench)
    before, pid = cpu(portal(data)), portal(data)
    time.sleep(AT_REST)  # the figure is about a span of real time
    rest = 100 * (cpu(pid) - before) / AT_REST
    size = (data / "portal.sqlite").stat().st_size / 2**20
    return [*rows, Row(f"portal at rest, {of}", f"{rest:.1f} % of a core"), Row(f"ledger, {of}", f"{size:.0f} MiB")]


def _row(what: str, do: Callable[[], object]) -> Row:
    """Median and p95; the first look is not counted."""
    do()
    times = sorted(_milliseconds(do) for _ in range(LOOKS))
    return Row(what, f"{statistics.median(times):.0f} ms, p95 {times[int(0.95 * LOOKS)]:.0f} ms")


def _milliseconds(do: Callable[[], object]) -> float:
    begin = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - begin)


def _until_nothing_works(bench: Bench) -> None:
    for state in ("waiting", "running"):
        for run in list(bench.runs(state=state)):
            bench.wait(run["id"])


def _fill(data: Path, like: str, count: int) -> None:
    """Runs as that one, ended: every twentieth failed, every tenth of a sweep of its own notebook."""
    url = sqlite_url(DataFolder(data).ledger)
    ledger = open_ledger(url, lambda: datetime.now(UTC))
    pattern = ledger.run(like)
    assert pattern is not None
    made = [_another(pattern, number) for number in range(count)]
    engine = connect(url)
    for start in range(0, count, 5000):
        some: Sequence[Run] = made[start : start + 5000]
        with engine.execution_options(writing=True).begin() as connection:
            connection.execute(insert(tables.runs), [columns_of(run, tables.runs) for run in some])
            tasks = [{**columns_of_task(run.task), "forgotten_at": run.created_at} for run in some]
            connection.execute(insert(tables.tasks), tasks)
    engine.dispose()
    ledger.close()


def _another(pattern: Run, number: int) -> Run:
    id, failed = uuid7(), number % 20 == 0
    task = replace(
        pattern.task,
        id=uuid7(),
        kind=RUN,
        subject=id,
        phase=Phase.ENDED,
        outcome=Outcome.FAILED if failed else Outcome.DONE,
        ended_at=pattern.created_at + LATER,
    )
    names = ("wing", "plate", "drift", "areas")
    return replace(pattern, id=id, name=f"{names[number % 4]} {number}", task=task, settled_at=task.ended_at)
