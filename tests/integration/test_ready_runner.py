"""A runner started ahead: it takes one run, and that run's notebook cannot tell."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.runner_bench import Attempt, attempt, notebook
from tests.waiting import PATIENCE, wait_for

LOOK_AROUND = """
import gc, json, os, random, resource, sys, threading
about = {
    "cwd": os.getcwd(), "path": sys.path, "argv": sys.argv[:1], "flags": str(sys.flags), "prefix": sys.prefix,
    "env": {name: value for name, value in os.environ.items() if not name.startswith(("DRYBENCH_TASK", "JPY_"))},
    "names": sorted(globals()), "In": In[:-1], "Out": Out, "_dh": _dh, "count": get_ipython().execution_count,
    "start": get_ipython().starting_dir, "threads": sorted(thread.name for thread in threading.enumerate()),
    "limits": [resource.getrlimit(which) for which in range(10)], "umask": os.umask(0o022), "gc": gc.isenabled(),
    "recursion": sys.getrecursionlimit(), "files": sorted(os.listdir()), "group": os.getpgrp() == os.getpid(),
    "last": sorted(name for name in dir(sys) if name.startswith("last_")),
}
print(json.dumps(about, sort_keys=True, default=str))
"""
Make = Callable[..., Attempt]


class Ready:
    """One ready runner, and the engine's half of a claim."""

    def __init__(self, run: Attempt, *modules: str) -> None:
        self.run = run
        with (run.task / "log").open("ab") as log:
            command = [*run.command[:3], "ready", *modules]
            self.process = subprocess.Popen(command, env=run.env, stdout=log, stderr=log, cwd=run.task)
        wait_for((run.task / "door").exists)

    def claim(self, run: Attempt | None = None, env: dict[str, str] | None = None, **more: Any) -> bytes:
        command = ["python", "-m", "drybench_runner", *(run or self.run).command[3:]]
        claim = {"format": 1, "task": "t-1", "command": command, "env": env or {}, **more}
        return self.say(json.dumps(claim).encode() + b"\n")

    def say(self, text: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(PATIENCE)
            caller.connect(str(self.run.task / "door"))
            caller.sendall(text)
            caller.shutdown(socket.SHUT_WR)
            return caller.recv(100)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def make(tmp_path: Path, python_environment: Path) -> Make:
    def make(*cells: str | dict[str, Any], place: str = "", **asked: Any) -> Attempt:
        return attempt(tmp_path / place, python_environment, notebook(*cells), **asked)

    return make


@pytest.fixture
def started() -> Iterator[Callable[..., Ready]]:
    all_of_them: list[Ready] = []

    def start(run: Attempt, *modules: str) -> Ready:
        all_of_them.append(Ready(run, *modules))
        return all_of_them[-1]

    yield start
    for ready in all_of_them:
        ready.end()


def taken_kernel(run: Attempt) -> bool:
    return any("taking the ready kernel" in event.get("text", "") for event in run.events())


def test_it_takes_a_run_and_is_a_runner_like_any_other(make: Make, started: Callable[..., Ready]) -> None:
    run = make("print('hello')", "1/0")
    ready = started(run)
    assert ready.claim() == b"taken\n"
    assert ready.process.wait(PATIENCE) == 0
    assert (run.result()["outcome"], run.text(0), taken_kernel(run)) == ("failed", "hello\n", True)
    assert json.loads((run.task / "taken.json").read_text()) == {"format": 1, "task": "t-1"}
    assert not (run.task / "door").exists()
    assert run.socket_folders() == []


def test_its_notebook_cannot_tell(make: Make, started: Callable[..., Ready]) -> None:
    fresh, run = make(LOOK_AROUND, "1 + 1", place="fresh"), make(LOOK_AROUND, "1 + 1", place="ready")
    fresh.carry_out()
    ready = started(run)
    wait_for(lambda: run.socket_folders())
    ready.claim()
    ready.process.wait(PATIENCE)
    assert taken_kernel(run)
    seen, expected = (
        json.loads(each.text(0).replace(f"/{name}/", "/")) for each, name in ((run, "ready"), (fresh, "fresh"))
    )
    assert seen == expected
    assert run.notebook()["cells"][1]["outputs"] == fresh.notebook()["cells"][1]["outputs"]


def test_each_has_random_numbers_and_a_hash_seed_of_its_own(make: Make, started: Callable[..., Ready]) -> None:
    numbers = "random.random(), numpy.random.rand(), hash('seed'), numpy.random.default_rng().random()"
    said: list[list[str]] = []
    for number in range(2):
        run = make(f"import random, numpy\nprint({numbers})", place=str(number))
        ready = started(run, "numpy")
        ready.claim()
        ready.process.wait(PATIENCE)
        assert run.result()["outcome"] == "done"
        said.append(run.text(0).split())
    assert all(one != other for one, other in zip(*said, strict=True))


def test_what_is_imported_ahead_is_there_and_leaves_no_name(make: Make, started: Callable[..., Ready]) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    run = make("import sys; print('pandas' in sys.modules, 'pandas' in globals())", plot)
    ready = started(run, "pandas", "matplotlib.pyplot", "there_is_no_such_module")
    ready.claim()
    assert ready.process.wait(PATIENCE) == 0
    assert run.text(0) == "True False\n"
    assert "image/png" in run.outputs(1)[0]["data"]


def test_another_kernel_is_started_for_whoever_wants_it(make: Make, started: Callable[..., Ready]) -> None:
    """It is not there, so nobody can have taken it."""
    run = make("1", kernel="nonesuch")
    ready = started(run)
    ready.claim()
    assert ready.process.wait(PATIENCE) == 0
    assert run.result()["reason"] == "no_such_kernel"
    assert run.socket_folders() == []


def test_a_person_with_start_up_files_gets_a_fresh_kernel(make: Make, started: Callable[..., Ready]) -> None:
    run = make("import os\nprint(began == os.getcwd())")
    startup = run.task / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("import os\nbegan = os.getcwd()")
    run.env = {**run.env, "IPYTHONDIR": str(run.task / "ipython")}
    ready = started(run)
    ready.claim()
    assert ready.process.wait(PATIENCE) == 0
    assert (run.text(0), taken_kernel(run)) == ("True\n", False)


def test_a_kernel_that_died_while_it_waited_is_replaced(make: Make, started: Callable[..., Ready]) -> None:
    run = make("print('hello')")
    ready = started(run)
    kernel = wait_for(lambda: _kernel_of(ready))
    assert kernel is not None
    os.kill(kernel, signal.SIGKILL)
    ready.claim()
    assert ready.process.wait(PATIENCE) == 0
    assert run.text(0) == "hello\n"


def test_nonsense_and_half_a_claim_are_not_taken(make: Make, started: Callable[..., Ready]) -> None:
    run = make("print('hello')")
    ready = started(run)
    for text in (b"", b"{", b"[]\n", b'{"format": 1}\n', b'{"format": 2, "task": "t", "command": [], "env": {}}\n'):
        assert ready.say(text) == b""
    assert ready.claim() == b"taken\n"
    assert ready.process.wait(PATIENCE) == 0


def test_what_the_claim_brings_is_in_the_environment(make: Make, started: Callable[..., Ready]) -> None:
    run = make("import os\nprint(os.environ['PLANT'])")
    ready = started(run)
    ready.claim(env={"PLANT": "fern"})
    ready.process.wait(PATIENCE)
    assert run.text(0) == "fern\n"


def test_a_time_limit_counts_from_the_claim(make: Make, started: Callable[..., Ready]) -> None:
    run = make("import time; time.sleep(1000)", timeout=2)
    ready = started(run)
    wait_for(lambda: _kernel_of(ready))
    ready.claim()
    assert ready.process.wait(PATIENCE) == 0
    assert run.result()["reason"] == "timed_out"


def test_not_wanted_it_ends_at_once_and_leaves_nothing(make: Make, started: Callable[..., Ready]) -> None:
    run = make("1")
    ready = started(run)
    kernel = wait_for(lambda: _kernel_of(ready))
    ready.process.terminate()
    assert ready.process.wait(PATIENCE) == 0
    assert run.socket_folders() == []
    assert not Path(f"/proc/{kernel}").exists()


def _kernel_of(ready: Ready) -> int | None:
    """Once it has sockets to be spoken to."""
    if not list(ready.run.task.glob("k-*/k-*")):
        return None
    pid = ready.process.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


@pytest.mark.parametrize("last", ["1", "1/0"])
def test_what_a_program_does_at_its_end_a_notebook_does(make: Make, last: str) -> None:
    """It is not cut short to save time, and what lies open is written."""
    at_exit = "import atexit, pathlib\natexit.register(pathlib.Path('at_exit.txt').write_text, 'done')"
    run = make(at_exit, "file = open('open.txt', 'w')\nnumber = file.write('a line')", last)
    run.carry_out()
    assert (run.output / "at_exit.txt").read_text() == "done"
    assert (run.output / "open.txt").read_text() == "a line"
