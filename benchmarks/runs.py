"""Runs through the API of a running bench, against papermill's command line."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks import notebooks
from benchmarks.a_bench import a_bench
from benchmarks.measuring import Row, Work, in_turn
from benchmarks.peers import clean_environment, peer
from drybench_client.bench import Bench

PRELOAD = """
[ready.preload]
python = ["numpy", "pandas", "matplotlib.pyplot"]
"""


def one_run(data: Path) -> list[Row]:
    """From handing it in to holding its result, by who has run something a moment ago."""
    with tempfile.TemporaryDirectory() as folder:
        prints = notebooks.write(Path(folder) / "prints.ipynb", notebooks.PRINTS)
        plots = notebooks.write(Path(folder) / "plots.ipynb", notebooks.PLOTS)
        rows = [
            in_turn("a notebook that prints", our_run(data, prints), _papermill(prints), "at most 0.35", 7),
            in_turn("numpy, pandas, matplotlib and a plot", our_run(data, plots), _papermill(plots), "at most 0.4", 7),
        ]
        with a_bench(PRELOAD) as preloading:
            what, ours = "the same, imported ahead", our_run(preloading, plots)
            return [*rows, in_turn(what, ours, _papermill(plots), "at most 0.25", 7)]


def first_run(data: Path) -> list[Row]:
    """The same with nothing ready."""
    with tempfile.TemporaryDirectory() as folder, a_bench("[ready]\nmost = 0\n") as cold:
        prints = notebooks.write(Path(folder) / "prints.ipynb", notebooks.PRINTS)
        what = "a notebook that prints, nothing ready"
        return [in_turn(what, our_run(cold, prints, settles=0), _papermill(prints), "at most 1.0", 7)]


def many_cells(data: Path) -> list[Row]:
    """400 one-line cells; and how the time grows with the cells."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            count: notebooks.write(Path(folder) / f"{count}.ipynb", notebooks.one_liners(count))
            for count in (50, 100, 200, 400, 800)
        }
        rows = [in_turn("400 one-line cells", our_run(data, files[400]), _papermill(files[400]), "at most 0.08", 5)]
        for count, file in files.items():
            best = min(our_run(data, file).seconds() for _ in range(3))
            rows.append(Row(f"{count} one-line cells, fastest of 3", f"{best:.2f} s", goal="linear"))
        return rows


def many_runs(data: Path, count: int = 200, times: int = 5) -> list[Row]:
    """Short notebooks, two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        files = [notebooks.write(Path(folder) / f"{n}.ipynb", notebooks.PRINTS) for n in range(count)]

        def ours() -> None:
            bench = Bench(data=data)
            ids = [bench.submit(file)["id"] for file in files]
            for id in ids:
                assert bench.wait(id)["outcome"] == "done"

        def theirs() -> None:
            names = "\n".join(str(file) for file in files)
            command = ["xargs", "-P2", "-I{}", "papermill", "--log-level", "ERROR", "{}", "{}.out"]
            subprocess.run(command, input=names, text=True, check=True, env=_environment(), capture_output=True)

        return [in_turn(f"{count} short notebooks, two at a time", Work(ours), Work(theirs), "at most 0.45", times)]


def a_sweep(data: Path, count: int = 200, times: int = 5) -> list[Row]:
    """One notebook with as many values, two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        file = notebooks.write_with_parameter(Path(folder) / "sweep.ipynb")

        def ours() -> None:
            bench = Bench(data=data)
            ended = bench.wait_sweep(bench.sweep(file, typed={"n": f"1..{count}"}))
            assert ended["totals"]["done"] == count, ended

        def theirs() -> None:
            command = [
                "xargs",
                "-P2",
                "-I{}",
                "papermill",
                "--log-level",
                "ERROR",
                "-p",
                "n",
                "{}",
                file,
                f"{folder}/{{}}",
            ]
            numbers = "\n".join(map(str, range(1, count + 1)))
            subprocess.run(command, input=numbers, text=True, check=True, env=_environment(), capture_output=True)

        return [in_turn(f"a sweep of {count}, two at a time", Work(ours), Work(theirs), "at most 0.45", times)]


def some_runs(data: Path) -> list[Row]:
    """The same with fewer, for those who have no hour."""
    return many_runs(data, count=40)


def our_run(data: Path, notebook: Path, environment: str | None = None, settles: float = 1.0) -> Work:
    """`settles`: the seconds in which a kernel comes up after it can first be taken; 0 where none is kept ready."""
    bench = Bench(data=data)

    def finish() -> None:
        run = bench.wait(bench.submit(notebook, environment=environment)["id"])
        assert run["outcome"] == "done", run
        assert bench.notebook(run["id"])

    return Work(finish, clear=lambda: _until_one_stands_ready(data, settles) if settles else None)


def _until_one_stands_ready(data: Path, settles: float) -> None:
    """It is not a part of the run, as nobody waits for it."""
    api = httpx.Client(transport=httpx.HTTPTransport(uds=str(data / "portal.sock")), base_url="http://bench/api/v1")
    deadline = time.monotonic() + 30
    with api:
        while api.get("/machine").json()["ready"] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
    time.sleep(settles)


def _papermill(notebook: Path) -> Work:
    command = ["papermill", "--log-level", "ERROR", notebook, notebook.with_suffix(".out.ipynb")]
    return Work(lambda: subprocess.run(command, check=True, env=_environment(), capture_output=True))


def _environment() -> dict[str, str]:
    return clean_environment(peer("papermill"))
