"""`drybench` and `Bench` against a real bench, from the terminal of its owner and from within a session."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drybench_client import Bench, NotFound, Refused
from tests.bench import Bench as RealBench
from tests.waiting import wait_for

PARAMETERS = "alpha = 0.5  # how much\nname: str = 'x'\nanything = None"


def a_notebook(folder: Path, *sources: str, parameters: str = PARAMETERS) -> Path:
    cells = [
        {"cell_type": "code", "source": parameters, "metadata": {"tags": ["parameters"]}},
        *({"cell_type": "code", "source": source, "metadata": {}} for source in sources),
    ]
    cells = [cell | {"outputs": [], "execution_count": None} for cell in cells]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    file = folder / "analysis.ipynb"
    file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": kernel, "cells": cells}))
    return file


def text_of(notebook: bytes) -> str:
    """All that its cells printed."""
    cells = json.loads(notebook)["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))


@pytest.fixture
def owner(bench: RealBench) -> Iterator[Bench]:
    with bench.owner() as owner:
        yield owner


class TestRuns:
    def test_from_the_question_to_the_result(self, bench: RealBench, tmp_path: Path) -> None:
        notebook = a_notebook(tmp_path, "print(alpha, name, anything)")
        output = tmp_path / "out.ipynb"
        words = ("-p", "alpha=2", "-r", "name=7", "-p", "anything=True", "--output", output, "--json")
        ended = bench.run("run", notebook, *map(str, words))
        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)
        assert {"phase": "ended", "outcome": "done", "reason": None}.items() <= answer.items()
        assert answer["parameters"] == {"alpha": 2, "name": "7", "anything": True}
        assert text_of(output.read_bytes()) == "2 7 True\n"
        assert json.loads(output.read_text())["metadata"]["papermill"]["parameters"] == answer["parameters"]

    def test_a_cell_that_fails(self, bench: RealBench, tmp_path: Path) -> None:
        ended = bench.run("run", a_notebook(tmp_path, "print('so far')", "1 / 0"), "--wait")
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[0] == "Cell 3 stopped with ZeroDivisionError: division by zero (line 1)."

    def test_its_neighbours_are_there_unless_it_goes_alone(self, owner: Bench, tmp_path: Path) -> None:
        (tmp_path / "data.csv").write_text("42")
        notebook = a_notebook(tmp_path, "print(open('data.csv').read())")
        run = owner.wait(owner.submit(notebook))
        assert run["outcome"] == "done", run["sentence"]
        assert text_of(owner.notebook(run)) == "42\n"
        alone = owner.wait(owner.submit(notebook, alone=True))
        assert (alone["outcome"], alone["reason"]) == ("failed", "input_missing")
        assert "data.csv" in alone["sentence"]

    def test_a_folder_of_one_s_own(self, owner: Bench, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        run = owner.wait(owner.submit(a_notebook(tmp_path, "open('made.txt', 'w').write('x')"), cwd=work))
        assert run["outcome"] == "done", run["sentence"]
        assert (work / "made.txt").read_text() == "x"

    def test_follow_and_cancel(self, bench: RealBench, owner: Bench, tmp_path: Path) -> None:
        source = "import time\nfor n in range(1000):\n    print('tick', n, flush=True)\n    time.sleep(0.1)"
        run = owner.submit(a_notebook(tmp_path, source))
        log = owner.log(run, follow=True)
        seen = b""
        while b"tick 3" not in seen:
            seen += next(log)
        part = run["id"][-8:]
        assert json.loads(bench.run("show", part, "--json").stdout)["phase"] == "running"
        assert bench.run("cancel", part).returncode == 0
        seen += b"".join(log)
        ended = owner.get(run)
        assert (ended["phase"], ended["outcome"], ended["reason"]) == ("ended", "stopped", "cancelled")
        assert bench.run("logs", part).stdout.encode() == seen
        assert "tick 3" in text_of(owner.notebook(run))

    def test_the_list_begins_with_the_newest(self, bench: RealBench, owner: Bench, tmp_path: Path) -> None:
        notebook = a_notebook(tmp_path, "pass")
        ids = [owner.submit(notebook, name=f"number {n}")["id"] for n in range(3)]
        listed = json.loads(bench.run("runs", "--json", "--most", "3").stdout)["items"]
        assert [run["id"] for run in listed] == ids[::-1]
        assert "number 2" in bench.run("runs").stdout
        for id in ids:
            owner.wait(id)


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("-p", "alhpa=1"), "`alhpa` is not one of them (did you mean `alpha`?)"),
            (("-p", "alpha=much"), '`alpha` is a number, not "much" (text)'),
            (("-p", "name=7"), "`name` is text, not 7 (a whole number)"),
            (("--environment", "nowhere"), "nowhere"),
            (("--size", "huge"), "huge"),
            (("--name", "../up"), "it has a slash in it"),
        ],
    )
    def test_wrong_input(self, bench: RealBench, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
        ended = bench.run("run", a_notebook(tmp_path, "pass"), "--wait", *words)
        assert (ended.returncode, ended.stdout) == (2, "")
        said, next_step = ended.stderr.splitlines()
        assert sentence in said
        assert next_step

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("", "not_a_notebook"),
            ("{", "not_a_notebook"),
            ('{"nbformat": 3, "worksheets": []}', "notebook_too_old"),
            ('{"nbformat": 4, "metadata": {"kernelspec": {"name": "cobol"}}, "cells": []}', "no_such_kernel"),
        ],
    )
    def test_what_cannot_be_run(self, owner: Bench, tmp_path: Path, content: str, code: str) -> None:
        file = tmp_path / "wrong.ipynb"
        file.write_text(content)
        with pytest.raises(Refused) as refused:
            owner.submit(file)
        assert refused.value.code == code
        assert refused.value.next_step

    def test_values_without_a_parameters_cell(self, owner: Bench, tmp_path: Path) -> None:
        file = tmp_path / "plain.ipynb"
        file.write_text('{"nbformat": 4, "cells": []}')
        with pytest.raises(Refused, match="no cell tagged `parameters`"):
            owner.submit(file, {"a": 1})

    def test_a_run_that_is_not_there(self, bench: RealBench, owner: Bench) -> None:
        with pytest.raises(NotFound):
            owner.get("0" * 32)
        assert bench.run("show", "nothing").returncode == 2

    def test_nothing_was_queued(self, bench: RealBench, owner: Bench, tmp_path: Path) -> None:
        before = [run["id"] for run in owner.runs(5)]
        bench.run("run", a_notebook(tmp_path, "pass"), "-p", "nothing=1")
        assert [run["id"] for run in owner.runs(5)] == before


def test_inspect(bench: RealBench, tmp_path: Path) -> None:
    answer = json.loads(bench.run("inspect", a_notebook(tmp_path), "--json").stdout)
    assert answer["kernel"] == "python3"
    assert [(it["name"], it["kind"], it["default"], it["label"]) for it in answer["parameters"]] == [
        ("alpha", "number", "0.5", "how much"),
        ("name", "text", "'x'", ""),
        ("anything", "nothing", "None", ""),
    ]


def test_in_a_session_s_terminal_it_needs_no_sign_in(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    session = owner.start_session(name="terminal")
    try:
        wait_for(lambda: _named(owner, session["id"])["phase"] == "running")
        task = _named(owner, session["id"])["task"]
        environ = wait_for(lambda: _environ_of(task))
        assert {"DRYBENCH_URL", "DRYBENCH_TOKEN"} <= environ.keys()
        ended = _in(environ, "run", a_notebook(tmp_path, "print(alpha)"), "--wait", "--json")
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["outcome"] == "done"
        assert _in(environ, "runs").returncode == 0
        assert _in(environ, "sessions").returncode == 2, "a session's token may ask for runs, nothing else"
    finally:
        bench.run("stop", "terminal")
        wait_for(lambda: _named(owner, session["id"])["phase"] == "ended")


def _named(owner: Bench, id: str) -> Any:
    return next(session for session in owner.sessions() if session["id"] == id)


def _environ_of(task: str) -> dict[str, str]:
    """What the session's own program was given; nothing until it is there."""
    for process in Path("/proc").iterdir():
        try:
            lines = (process / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        environ = dict(line.split("=", 1) for line in lines if "=" in line)
        if environ.get("DRYBENCH_TASK") == task and "DRYBENCH_TOKEN" in environ:
            return environ
    return {}


def _in(environ: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    """The `drybench` that the session's own PATH has."""
    program = next(file for folder in environ["PATH"].split(":") if os.access(file := f"{folder}/drybench", os.X_OK))
    command = [program, *map(str, words)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
