"""Runs in containers, against papermill by `docker run` in the same image."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import notebooks
from benchmarks.in_containers import BASE, TWO_AT_A_TIME, a_bench_in_containers, images, with_peer
from benchmarks.measuring import Row, Work, in_turn
from benchmarks.runs import our_run
from drybench_client.bench import Bench

NOTHING_READY = f"{TWO_AT_A_TIME}\n[ready]\nmost = 0\n"
PAPERMILL, BY_ITSELF = "papermill", "/opt/papermill/bin/papermill"
SETTLES = 4.0  # seconds, for a container that was begun ahead and the kernel in it
SOMEBODY = 20_000  # with a folder of their own, as in the bench


def run(times: int = 7) -> list[Row]:
    """From handing it in to holding its result: with nothing ready, and by who has run something a moment ago.

    Beside JupyterLab papermill starts later than it must: what that brings makes nbformat slow.
    """
    with _a_folder() as folder, a_bench_in_containers(NOTHING_READY) as cold:
        prints = notebooks.write(folder / "prints.ipynb", notebooks.PRINTS)
        with with_peer(images(cold)[BASE], "papermill") as peer:
            theirs, what = _papermill(peer, prints), "a notebook that prints, in a container"
            lean, by_itself = _papermill(peer, prints, BY_ITSELF), "… papermill in an environment of its own"
            mine = our_run(cold, prints, BASE, settles=0)
            rows = [in_turn(f"{what}, nothing ready", mine, theirs, "at most 0.8", times)]
            rows += [in_turn(by_itself, mine, lean, "", times)]
            with a_bench_in_containers() as warm:
                mine = our_run(warm, prints, BASE, SETTLES)
                rows += [in_turn(what, mine, theirs, "at most 0.5", times)]
                return [*rows, in_turn(by_itself, mine, lean, "", times)]


def sweep(count: int = 100, times: int = 3) -> list[Row]:
    with _a_folder() as folder, a_bench_in_containers() as data, with_peer(images(data)[BASE], "papermill") as peer:
        file = notebooks.write_with_parameter(folder / "sweep.ipynb")

        def swept() -> None:
            bench = Bench(data=data)
            ended = bench.wait_sweep(bench.sweep(file, typed={"n": f"1..{count}"}, environment=BASE))
            assert ended["totals"]["done"] == count, ended

        def looped() -> None:
            command = ["xargs", "-P2", "-I{}", *_docker_run(peer, PAPERMILL, file, "-p", "n", "{}", "{}.out.ipynb")]
            numbers = "\n".join(map(str, range(1, count + 1)))
            subprocess.run(command, input=numbers, text=True, check=True, capture_output=True)

        what = f"a sweep of {count} in containers, two at a time"
        return [in_turn(what, Work(swept), Work(looped), "at most 0.5", times)]


def some_runs() -> list[Row]:
    return run(3)


def some_sweep() -> list[Row]:
    return sweep(20, 1)


@contextmanager
def _a_folder() -> Generator[Path]:
    """Somebody in a container may write to it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def _papermill(image: str, notebook: Path, program: str = PAPERMILL) -> Work:
    command = _docker_run(image, program, notebook, "out.ipynb")
    return Work(lambda: subprocess.run(command, check=True, capture_output=True))


def _docker_run(image: str, program: str, notebook: Path, *more: str) -> Sequence[str]:
    """`more`: what papermill is told after the notebook's name."""
    seen = ("--volume", f"{notebook.parent}:/work", "--workdir", "/work", "--user", str(SOMEBODY), "--env", "HOME=/tmp")
    return ["docker", "run", "--rm", *seen, image, program, "--log-level", "ERROR", notebook.name, *more]
