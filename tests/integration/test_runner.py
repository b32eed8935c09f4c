"""Runs with real kernels: every end keeps the notebook as far as it got."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drybench.engines.processes import Identity
from tests.integration.runner_bench import Attempt, attempt, code, markdown, notebook
from tests.waiting import PATIENCE, wait_for

Make = Callable[..., Attempt]


@pytest.fixture
def make(tmp_path: Path, python_environment: Path) -> Make:
    def make(*cells: str | dict[str, Any], place: str = "", **asked: Any) -> Attempt:
        return attempt(tmp_path / place, python_environment, notebook(*cells), **asked)

    return make


def statuses(made: Attempt) -> list[str]:
    return [cell["metadata"]["papermill"]["status"] for cell in made.notebook()["cells"]]


def same_but_timings(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """nbclient's timings and what the kernel said of its language are the notebook's only."""
    for each in (one, other):
        each["metadata"].pop("language_info", None)
        for cell in each["cells"]:
            cell["metadata"].pop("execution", None)
    return one == other


def test_a_run_that_is_done(make: Make) -> None:
    run = make(markdown("# Title"), "print('hello')", "1 + 1", "", markdown("end"))
    result = run.carry_out()
    assert (result["outcome"], result["reason"], result["cells"], result["executed"]) == ("done", None, 2, 2)
    assert result["kernel"] == {"name": "python3", "language": "python"}
    assert run.text(1) == "hello\n"
    assert [cell.get("execution_count") for cell in run.notebook()["cells"]] == [None, 1, 2, None, None]
    assert run.outputs(2)[0]["data"] == {"text/plain": ["2"]}
    assert run.notebook()["metadata"]["language_info"]["name"] == "python"
    assert run.notebook()["metadata"]["papermill"]["duration"] > 0
    assert statuses(run) == ["completed"] * 5
    assert same_but_timings(run.notebook(), run.rebuilt())
    assert [event["event"] for event in run.events()][:3] == ["began", "detail", "cell"]
    assert run.events()[-1]["outcome"] == "done"
    assert sorted(path.name for path in run.made.iterdir()) == [
        "log.txt",
        "notebook.ipynb",
        "output",
        "progress.jsonl",
        "receipt.json",
        "result.json",
    ]
    assert "hello" in (run.made / "log.txt").read_text()
    assert run.socket_folders() == []


def test_a_cell_that_fails(make: Make) -> None:
    run = make(
        "print('before')", markdown("text"), "print('in it')\nraise ValueError('no\\nsecond line')", "print('after')"
    )
    result = run.carry_out()
    assert (result["outcome"], result["reason"], result["cell"], result["cell_number"]) == (
        "failed",
        "cell_error",
        2,
        2,
    )
    assert result["sentence"] == "Cell 2 raised ValueError: no"
    assert result["error"]["name"] == "ValueError"
    assert "raise" in result["error"]["traceback"][0]
    assert result["executed"] == 1
    assert statuses(run) == ["completed", "completed", "failed", "pending"]
    assert run.text(2) == "in it\n"
    assert run.outputs(2)[-1]["ename"] == "ValueError"
    assert "ValueError: no" in (run.made / "log.txt").read_text()


def test_tags_work_as_with_nbclient(make: Make) -> None:
    run = make(
        code("a = 1", "parameters"),
        code("a = 2", "injected-parameters"),
        code("print('skipped')", "skip-execution"),
        code("1 / 0", "raises-exception"),
        "print(a)",
    )
    result = run.carry_out()
    assert (result["outcome"], result["cells"]) == ("done", 4)
    assert run.outputs(2) == []
    assert run.outputs(3)[0]["ename"] == "ZeroDivisionError"
    assert run.text(4) == "2\n"


@pytest.mark.parametrize(
    ("leave", "outcome"), [("sys.exit()", "done"), ("sys.exit(0)", "done"), ("sys.exit(3)", "failed")]
)
def test_leaving_early_is_what_papermill_makes_of_it(make: Make, leave: str, outcome: str) -> None:
    run = make(f"import sys; {leave}", "print('after')")
    assert run.carry_out()["outcome"] == outcome
    assert statuses(run)[1] == "pending"


def test_a_notebook_may_end_by_ending_its_kernel(make: Make) -> None:
    assert make("print(1)", "exit()").carry_out()["outcome"] == "done"


def test_input_fails_with_words_and_does_not_wait(make: Make) -> None:
    run = make("input('name?')")
    result = run.carry_out()
    assert result["error"]["name"] == "StdinNotImplementedError"
    assert "asks for input" in result["sentence"]


def test_displays_are_updated_and_cleared(make: Make) -> None:
    run = make(
        "from IPython.display import clear_output, display\nhandle = display('first', display_id=True)",
        "handle.update('second')",
        "for n in range(50):\n    clear_output(wait=True); print(n, flush=True)",
        "print('x', flush=True); clear_output(); print('y')",
    )
    run.carry_out()
    assert run.outputs(0)[0]["data"]["text/plain"] == ["'second'"]
    assert run.text(2) == "49\n"
    assert run.text(3) == "y\n"
    assert same_but_timings(run.notebook(), run.rebuilt())


def test_the_state_of_comms_is_kept(make: Make) -> None:
    state = "{'_model_name': 'M', '_model_module': 'mod', '_model_module_version': '1', 'value': 3}"
    run = make(f"import comm\nc = comm.create_comm(target_name='jupyter.widget', data={{'state': {state}}})")
    run.carry_out()
    (widget,) = run.notebook()["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert (widget["model_name"], widget["state"]["value"]) == ("M", 3)


def test_a_widget_is_told_of_while_it_changes(make: Make) -> None:
    state = "{'_model_name': 'M', '_model_module': 'mod', '_model_module_version': '1', 'value': 3}"
    run = make(
        f"import comm\nc = comm.create_comm(target_name='jupyter.widget', data={{'state': {state}}})",
        "c.send({'method': 'update', 'state': {'value': 8}})",
    )
    run.carry_out()
    told = [event["state"] for event in run.events() if event["event"] == "widgets"]
    values = [(model["model_name"], model["state"]["value"]) for state in told for model in state.values()]
    assert values in ([("M", 3), ("M", 8)], [("M", 8)])  # what comes within one breath is told once


@pytest.mark.parametrize("how", ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "import os; os._exit(7)"])
def test_a_kernel_that_kills_itself(make: Make, how: str) -> None:
    run = make("print('kept')", f"print('last words', flush=True)\n{how}", "print('after')")
    result = run.carry_out()
    assert (result["outcome"], result["reason"], result["cell_number"]) == ("failed", "kernel_died", 2)
    assert ("SIGKILL" if "SIGKILL" in how else "exit code 7") in result["sentence"]
    assert run.text(0) == "kept\n"
    assert statuses(run) == ["completed", "failed", "pending"]


def test_a_kernel_killed_from_outside(make: Make) -> None:
    run = make("import os\nprint(os.getpid(), flush=True)", "print('sleeps', flush=True)\nimport time; time.sleep(600)")
    process = run.start()
    wait_for(lambda: run.has_printed("sleeps"))
    pid = next(int(event["output"]["text"]) for event in run.events() if event["event"] == "output")
    os.kill(pid, signal.SIGKILL)
    assert process.wait(PATIENCE) == 0
    assert run.result()["reason"] == "kernel_died"
    assert run.text(1) == "sleeps\n"


def test_a_cancelled_run_interrupts_the_cell(make: Make) -> None:
    slow = "print('sleeps', flush=True)\nimport time\ntry:\n    time.sleep(600)\nfinally:\n    print('cleaned up')"
    run = make("print('kept')", slow, "print('after')")
    process = run.start()
    wait_for(lambda: run.has_printed("sleeps"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    result = run.result()
    assert (result["outcome"], result["reason"], result["cell_number"]) == ("stopped", "cancelled", 2)
    assert "cleaned up" in run.text(1)
    assert run.outputs(1)[-1]["ename"] == "KeyboardInterrupt"
    assert run.outputs(2) == []
    assert run.events()[-1]["outcome"] == "stopped"
    assert run.socket_folders() == []


def test_a_cell_that_will_not_be_interrupted(make: Make) -> None:
    deaf = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
    )
    run = make(deaf)
    process = run.start()
    wait_for(lambda: run.has_printed("deaf"))
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert run.result()["outcome"] == "stopped"
    assert run.text(0) == "deaf\n"


def test_cancelled_before_the_kernel_is_ready(make: Make) -> None:
    run = make("print('never')")
    process = run.start()
    wait_for(lambda: (run.made / "progress.jsonl").exists() and run.events())
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert run.result()["outcome"] == "stopped"


@pytest.mark.parametrize(
    ("limit", "words"), [("timeout", "The run took longer than the {} s"), ("cell_timeout", "Cell 1")]
)
def test_too_long(make: Make, limit: str, words: str) -> None:
    for seconds in (2, 20, 60):  # in two a busy machine may not come to the cell at all
        run = make("print('sleeps', flush=True)\nimport time; time.sleep(600)", place=f"{seconds}", **{limit: seconds})
        result = run.carry_out()
        assert (result["outcome"], result["reason"]) == ("failed", "timed_out")
        assert words.format(seconds) in result["sentence"]
        if run.has_printed("sleeps"):
            break
    assert result["cell"] == 0
    assert run.text(0) == "sleeps\n"
    assert run.outputs(0)[-1]["ename"] == "KeyboardInterrupt"


def test_a_killed_runner_leaves_a_journal_that_makes_the_notebook(make: Make) -> None:
    run = make("import os\nprint(os.getpid(), flush=True)", "print('sleeps', flush=True)\nimport time; time.sleep(600)")
    process = run.start()
    wait_for(lambda: run.has_printed("sleeps"))
    kernel = next(int(event["output"]["text"]) for event in run.events() if event["event"] == "output")
    process.kill()
    process.wait()
    assert not (run.made / "result.json").exists()
    cells = run.rebuilt()["cells"]
    assert cells[1]["outputs"][0]["text"] == ["sleeps\n"]
    assert [cell["metadata"]["papermill"]["status"] for cell in cells] == ["completed", "running"]
    wait_for(lambda: not is_alive(kernel))


def test_no_such_kernel_says_which_there_are(make: Make) -> None:
    result = make("1", kernel="nonesuch").carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "no_such_kernel")
    assert "“nonesuch”" in result["sentence"]
    assert "python3" in result["sentence"]


def test_a_kernel_whose_program_is_gone(make: Make, tmp_path: Path) -> None:
    run = make("1", kernel="broken")
    spec = {"argv": ["/nowhere/kernel", "{connection_file}"], "display_name": "x", "language": "x"}
    (tmp_path / "jupyter/kernels/broken").mkdir(parents=True)
    (tmp_path / "jupyter/kernels/broken/kernel.json").write_text(json.dumps(spec))
    run.env = {**run.env, "JUPYTER_PATH": str(tmp_path / "jupyter")}
    result = run.carry_out()
    assert result["reason"] == "no_such_kernel"
    assert "/nowhere/kernel" in result["sentence"]


def test_a_kernel_that_ends_at_once(make: Make, tmp_path: Path) -> None:
    run = make("1", kernel="brief")
    spec = {"argv": ["/bin/sh", "-c", "exit 3"], "display_name": "x", "language": "x"}
    (tmp_path / "jupyter/kernels/brief").mkdir(parents=True)
    (tmp_path / "jupyter/kernels/brief/kernel.json").write_text(json.dumps(spec))
    run.env = {**run.env, "JUPYTER_PATH": str(tmp_path / "jupyter")}
    result = run.carry_out()
    assert result["reason"] == "kernel_died"
    assert "before it was ready (exit code 3)" in result["sentence"]


def test_a_kernel_not_known_to_speak_ipc_is_spoken_to_by_tcp(
    make: Make, tmp_path: Path, python_environment: Path
) -> None:
    run = make("print(get_ipython().kernel.parent.transport)", kernel="wrapped")
    wrapper = tmp_path / "wrapper.py"
    # The first start finds its port taken and ends, as kernels do.
    wrapper.write_text(
        "import json, pathlib, sys, runpy\n"
        f"seen = pathlib.Path({str(tmp_path)!r}, 'ports')\n"
        "ports = seen.read_text().split() if seen.exists() else []\n"
        "seen.write_text(' '.join([*ports, str(json.load(open(sys.argv[2]))['shell_port'])]))\n"
        "if not ports: sys.exit(1)\n"
        "runpy.run_module('ipykernel_' + 'launcher', run_name='__main__', alter_sys=True)\n"
    )
    spec = {"argv": ["python", str(wrapper), "-f", "{connection_file}"], "display_name": "x", "language": "python"}
    (tmp_path / "jupyter/kernels/wrapped").mkdir(parents=True)
    (tmp_path / "jupyter/kernels/wrapped/kernel.json").write_text(json.dumps(spec))
    run.env = {**run.env, "JUPYTER_PATH": str(tmp_path / "jupyter")}
    assert run.carry_out()["outcome"] == "done", run.printed()
    assert run.text(0) == "tcp\n"
    assert len(set((tmp_path / "ports").read_text().split())) == 2


def test_ipykernel_is_spoken_to_by_socket_files(make: Make) -> None:
    run = make("print(get_ipython().kernel.parent.transport)")
    run.carry_out()
    assert run.text(0) == "ipc\n"


def test_a_long_task_folder_does_not_break_the_sockets(make: Make, tmp_path: Path) -> None:
    run = make("1")
    long = tmp_path / ("x" * 100)
    long.mkdir()
    run.env = {**run.env, "DRYBENCH_TASK_DIR": str(long), "TMPDIR": str(long)}
    assert run.carry_out()["outcome"] == "done"


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "data.csv").write_text("1,2\n")
    (folder / "analysis.ipynb").write_text("{}")
    (folder / "parts").mkdir()
    (folder / "parts" / "tools.py").write_text("answer = 42\n")
    return folder


READ = "print(open('data.csv').read())\nfrom parts.tools import answer\nprint(answer)\nopen('made.txt', 'w').write('x')"


def test_what_lies_beside_the_notebook_is_found(make: Make, beside: Path) -> None:
    run = make(READ, folder=str(beside), notebook_name="analysis.ipynb")
    assert run.carry_out()["outcome"] == "done"
    assert run.text(0) == "1,2\n\n42\n"
    assert (run.output / "data.csv").is_symlink()
    assert (run.output / "made.txt").read_text() == "x"
    assert not (run.output / "analysis.ipynb").exists()
    assert not (beside / "made.txt").exists()


def test_alone_it_is_not_and_the_cause_says_so(make: Make, beside: Path) -> None:
    result = make(READ, folder=str(beside), notebook_name="analysis.ipynb", alone=True).carry_out()
    assert result["reason"] == "input_missing"
    assert "“data.csv”" in result["sentence"]
    assert "(alone)" in result["sentence"]


def test_a_missing_file_names_the_folder(make: Make, beside: Path) -> None:
    run = make("import pandas as pd\npd.read_csv('other.csv')", folder=str(beside), notebook_name="analysis.ipynb")
    result = run.carry_out()
    assert result["reason"] == "input_missing"
    assert f"It is not in {beside}" in result["sentence"]


def test_a_missing_absolute_path_is_an_ordinary_error(make: Make) -> None:
    assert make("open('/nowhere/data.csv')").carry_out()["reason"] == "cell_error"


def test_cwd_works_there(make: Make, beside: Path) -> None:
    run = make(READ, folder=str(beside), cwd=str(beside), notebook_name="analysis.ipynb")
    assert run.carry_out()["outcome"] == "done"
    assert (beside / "made.txt").exists()
    assert list(run.output.iterdir()) == []


def test_a_cwd_that_is_gone(make: Make, tmp_path: Path) -> None:
    result = make("1", cwd=str(tmp_path / "gone")).carry_out()
    assert (result["reason"], result["cells"]) == ("input_missing", 0)
    assert "There is no folder" in result["sentence"]


def test_a_folder_that_is_gone_is_said_in_the_log(make: Make, tmp_path: Path) -> None:
    run = make("1", folder=str(tmp_path / "gone"), notebook_name="analysis.ipynb")
    assert run.carry_out()["outcome"] == "done"
    assert "could not be linked" in (run.made / "log.txt").read_text()


def test_much_text_is_merged_and_cut_with_words(make: Make) -> None:
    run = make(
        "for n in range(1_000_000): print('a line of some length', n)", "for n in range(2000): print(n, flush=True)"
    )
    assert run.carry_out()["outcome"] == "done"
    assert len(run.outputs(0)) == 3
    assert 4 << 20 < len(run.text(0)) < 5 << 20
    assert "All of it is in whole/1-stdout.txt" in run.text(0, "stderr")
    assert run.text(0).endswith("a line of some length 999999\n")
    assert len((run.made / "whole/1-stdout.txt").read_text().splitlines()) == 1_000_000
    assert len(run.outputs(1)) == 1
    assert run.text(1) == "".join(f"{n}\n" for n in range(2000))
    assert len([event for event in run.events() if event["event"] == "output"]) < 400


def test_nothing_is_lost_while_the_runner_does_not_listen(make: Make) -> None:
    run = make("print('go', flush=True)\nfor n in range(5000): print(n, flush=True)\nopen('printed', 'w').close()")
    process = run.start()
    wait_for(lambda: run.has_printed("go"))
    process.send_signal(signal.SIGSTOP)
    wait_for((run.output / "printed").exists)
    process.send_signal(signal.SIGCONT)
    assert process.wait(PATIENCE) == 0
    assert run.text(0) == "go\n" + "".join(f"{n}\n" for n in range(5000))


def test_a_large_picture_is_whole_in_the_notebook_and_cut_in_the_journal(make: Make) -> None:
    run = make("from IPython.display import display\ndisplay({'text/plain': 'x' * (3 << 20)}, raw=True)")
    run.carry_out()
    assert len("".join(run.outputs(0)[0]["data"]["text/plain"])) == 3 << 20
    assert "too large" in run.rebuilt()["cells"][0]["outputs"][0]["data"]["text/plain"][0]


def test_memory_that_is_not_there(make: Make) -> None:
    assert make("raise MemoryError").carry_out()["reason"] == "out_of_memory"


@pytest.mark.parametrize("given", [b"", b"{", b"[]", b'{"nbformat": 3}', b'{"nbformat": 4, "cells": [7]}'])
def test_what_is_no_notebook_is_rejected(make: Make, given: bytes) -> None:
    run = make()
    (run.folder / "given" / "notebook.ipynb").write_bytes(given)
    result = run.carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "rejected")


def test_sixteen_at_once(tmp_path: Path, python_environment: Path) -> None:
    runs = [attempt(tmp_path / str(n), python_environment, notebook(f"print({n})")) for n in range(16)]
    processes = [run.start() for run in runs]
    assert [process.wait(3 * PATIENCE) for process in processes] == [0] * 16
    assert [run.text(0) for run in runs] == [f"{n}\n" for n in range(16)]


def is_alive(pid: int) -> bool:
    return Identity.of(pid) is not None


@pytest.fixture
def small_disk(tmp_path: Path):
    """4 MiB; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only: run these tests as root to have this one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


FILL = """
block = b"x" * 65536
try:
    with open("big", "wb", buffering=0) as file:
        while True:
            file.write(block)
except OSError:
    {}
"""


@pytest.mark.parametrize(
    "then", ["raise", "print('on', flush=True)\nfor n in range(9000): print('some more words', n)"]
)
def test_a_full_disk_has_its_own_reason(tmp_path: Path, python_environment: Path, small_disk: Path, then: str) -> None:
    given = notebook("print('before')", FILL.format("raise") if then == "raise" else FILL.format("pass\n") + then)
    run = attempt(tmp_path, python_environment, given, made=small_disk)
    result = run.carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "disk_full")
    assert run.text(0) == "before\n"


def test_a_kernel_that_dies_of_a_full_disk(tmp_path: Path, python_environment: Path, small_disk: Path) -> None:
    given = notebook("print('before')", FILL.format("import os; os._exit(1)"))
    result = attempt(tmp_path, python_environment, given, made=small_disk).carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "disk_full")
