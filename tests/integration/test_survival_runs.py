"""However a run is ended, it says why, and keeps its notebook as far as it got."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from drybench_client import Bench as Client
from drybench_client import BenchError
from tests.bench import Bench, new_bench
from tests.integration.notebooks import Notebook, text_of
from tests.parts import leave_out
from tests.waiting import wait_for

PATIENCE = 120  # seconds for what takes a few: a kernel starts in it
SETTINGS = """
[engines.local]
cores = 2
memory = "4 GiB"
[sizes.default]
cores = 0.5
memory = "400 MB"
[sizes.whole]
cores = 2
memory = "400 MB"
[sizes.sixth]
cores = 0.33
memory = "250 MB"
"""
OVER_TCP = {
    "argv": ["/bin/sh", "-c", 'exec python -m ipykernel_launcher -f "$0"', "{connection_file}"],
    "display_name": "A kernel that nobody knows to speak IPC",
    "language": "python",
}
Run = dict[str, Any]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        own = bench.home / ".local" / "share" / "jupyter" / "kernels" / "over-tcp"
        own.mkdir(parents=True)
        (own / "kernel.json").write_text(json.dumps(OVER_TCP))
        yield bench


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand


class RunUnderWay:
    """A run of a notebook that has said `began` and now waits."""

    def __init__(self, bench: Bench, hand: Client, folder: Path) -> None:
        self._hand = hand
        self.notebook = Notebook(folder, "analysis").does(
            f"import os\nopen({str(folder / 'kernel')!r}, 'w').write(str(os.getpid()))"
        )
        self.notebook.marks("began").waits().marks("ended")
        self._run: Run = hand.submit(self.notebook.file)
        wait_for(self.notebook.has_marked("began"), PATIENCE)
        wait_for(lambda: text_of(hand.notebook(self._run)) == "began\n")
        task = bench.data.tasks / self._run["task"]
        self.kernel = int((folder / "kernel").read_text())
        self.runner, self.watcher = (
            json.loads((task / f"{who}.json").read_text())["pid"] for who in ("command", "watcher")
        )

    def end(self) -> Run:
        """It keeps what it had said before, and is never run again."""
        ended = self._hand.wait(self._run, timeout=PATIENCE)
        assert (ended["attempt"], ended["task"]) == (1, self._run["task"])
        assert self.notebook.marked[0] == "began"
        assert text_of(self._hand.notebook(ended)).startswith("began\n")
        return ended


@pytest.fixture
def run(bench: Bench, hand: Client, tmp_path: Path) -> RunUnderWay:
    return RunUnderWay(bench, hand, tmp_path)


def how(ended: Run) -> tuple[str, str, str]:
    assert ended["next_step"]
    return ended["outcome"], ended["reason"], ended["sentence"]


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_the_watcher_is_killed_and_another_takes_its_place(run: RunUnderWay) -> None:
    kill(run.watcher)
    run.notebook.let_go()
    ended = run.end()
    assert (ended["outcome"], ended["reason"]) == ("done", None)
    assert run.notebook.marked == ["began", "ended"]


def test_the_runner_is_killed(run: RunUnderWay) -> None:
    kill(run.runner)
    sentence = "The program that ran it ended before it could write down the result (exit code 137)."
    assert how(run.end()) == ("failed", "runner_died", sentence)
    wait_for(lambda: not is_alive(run.kernel))


def test_watcher_and_runner_are_killed(run: RunUnderWay) -> None:
    kill(run.watcher, run.runner)
    sentence = "What watched over it was ended, so nobody knows how it went."
    assert how(run.end()) == ("lost", "watcher_died", sentence)
    wait_for(lambda: not is_alive(run.kernel))


def test_the_kernel_is_killed(run: RunUnderWay) -> None:
    kill(run.kernel)
    outcome, reason, sentence = how(run.end())
    assert (outcome, reason) == ("failed", "kernel_died")
    assert sentence.startswith("The kernel ended by itself in cell 3 (SIGKILL")


def test_the_kernel_eats_memory_beyond_its_limit(hand: Client, tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, "eats").marks("began").does("eaten = b'x' * (1 << 30)").waits()
    ended = hand.wait(hand.submit(notebook.file), timeout=PATIENCE)
    sentence = "It used more memory than its size allows (400 MB)."
    assert how(ended) == ("failed", "out_of_memory", sentence)
    assert text_of(hand.notebook(ended)) == "began\n"


WRITES = "with open('large', 'wb') as file:\n    while True: file.write(bytes(1 << 20))"
PRINTS = "for n in range(100_000): print(n, 'x' * 200)"


@pytest.mark.parametrize("source", [WRITES, PRINTS], ids=["its files", "its record"])
def test_the_disk_of_the_run_is_full(bench: Bench, hand: Client, tmp_path: Path, source: str) -> None:
    with a_small_disk(bench.data.runs):
        notebook = Notebook(tmp_path, "fills").marks("began").does(source)
        ended = hand.wait(hand.submit(notebook.file), timeout=PATIENCE)
        outcome, reason, sentence = how(ended)
        assert (outcome, reason) == ("failed", "disk_full")
        assert "full" in sentence
        assert text_of(hand.notebook(ended)).startswith("began\n")


def test_the_disk_is_full_before_anything_runs(bench: Bench, hand: Client, tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, "late").marks("began")
    with a_small_disk(bench.data.runs):
        fill(bench.data.runs / "others")
        with pytest.raises(BenchError) as refused:
            hand.submit(notebook.file)
        assert refused.value.code == "disk_full"
        assert "full" in str(refused.value)
        (bench.data.runs / "others").unlink()
        assert hand.wait(hand.submit(notebook.file), timeout=PATIENCE)["outcome"] == "done"


def test_the_disk_becomes_full_while_it_waits(bench: Bench, hand: Client, tmp_path: Path) -> None:
    first, late = Notebook(tmp_path, "first").marks("began").waits(), Notebook(tmp_path, "late").marks("began")
    with a_small_disk(bench.data.runs):
        ahead = hand.submit(first.file, size="whole")
        wait_for(first.has_marked("began"), PATIENCE)
        waiting = hand.submit(late.file)
        assert waiting["phase"] == "waiting"
        first.let_go()
        wait_for(lambda: has_ended(hand, waiting) or fill(bench.data.runs / "others"), PATIENCE)
        ended = hand.get(waiting)
        assert how(ended) == ("failed", "disk_full", "The disk that keeps its results is full.")
        assert late.marked == []
        assert hand.wait(ahead, timeout=PATIENCE)["reason"] in (None, "disk_full")


@pytest.mark.timeout(600, func_only=True)
def test_fifty_at_once(bench: Bench, tmp_path: Path) -> None:
    """Half of them with kernels that need ports of their own."""
    notebooks = [Notebook(tmp_path, f"n{n}", kernel=("python3", "over-tcp")[n % 2]).marks("went") for n in range(50)]

    def submit(notebook: Notebook) -> Run:
        with bench.owner() as hand:
            return hand.submit(notebook.file, size="sixth")

    with ThreadPoolExecutor(10) as pool, bench.owner() as hand:
        runs = list(pool.map(submit, notebooks))
        ended = [hand.wait(run, timeout=2 * PATIENCE) for run in runs]
    assert [(run["outcome"], run["sentence"]) for run in ended] == [("done", "")] * 50
    assert [notebook.marked for notebook in notebooks] == [["went"]] * 50


@contextmanager
def a_small_disk(place: Path) -> Iterator[None]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        leave_out("Only root may mount a small disk: run the tests as root to have this one.")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def has_ended(hand: Client, run: Run) -> bool:
    return hand.get(run)["phase"] == "ended"


def fill(file: Path) -> None:
    """The disk that it lies on; again, when something on it was removed."""
    with file.open("ab", buffering=0) as opened, suppress(OSError):
        while True:
            opened.write(bytes(1 << 16))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
