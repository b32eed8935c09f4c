"""`drybench` in a process of its own against a small server: what it prints and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from drybench_client.cli import COMMANDS
from tests.integration.client_bench import ALPHA, ENDED, ID, OTHER, SmallBench, problem
from tests.waiting import PATIENCE, wait_for

FAILED = {
    "phase": "ended",
    "outcome": "failed",
    "reason": "cell_error",
    "sentence": "Cell 3 stopped with ZeroDivisionError: division by zero.",
    "next_step": "Mend that cell and run the notebook again.",
}
DRYBENCH = [str(Path(sys.executable).with_name("drybench"))]


@pytest.fixture
def small() -> SmallBench:
    return SmallBench()


@pytest.fixture
def bench(small: SmallBench, tmp_path: Path) -> Iterator[Path]:
    """The data directory of a bench that answers."""
    with small.listening(tmp_path / "portal.sock"):
        yield tmp_path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    file = tmp_path / "analysis.ipynb"
    file.write_text('{"nbformat": 4}')
    return file


def environ(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRYBENCH_")}
    return {**kept, "DRYBENCH_DATA": str(data)}


def call(data: Path, *words: object, program: list[str] = DRYBENCH) -> subprocess.CompletedProcess[str]:
    command = [*program, *map(str, words)]
    return subprocess.run(command, env=environ(data), capture_output=True, text=True, timeout=180, check=False)


def all_of(terminal: int) -> bytes:
    """It comes in pieces, and at its end there is nobody at the other end any more."""
    said = b""
    with suppress(OSError):
        while piece := os.read(terminal, 10_000):
            said += piece
    return said


def asked(data: Path, *words: object) -> Any:
    ended = call(data, *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


class TestRun:
    def test_it_returns_at_once_and_says_where_to_look(self, bench: Path, notebook: Path) -> None:
        ended = call(bench, "run", notebook)
        assert ended.returncode == 0
        assert ended.stdout.splitlines() == [
            f"Run {ID[-8:]} (analysis): waiting",
            f"See it at http://localhost:1/runs/{ID} or by: drybench show {ID[-8:]}",
        ]

    def test_several_become_a_run_each_and_one_that_is_refused_hinders_no_other(
        self, bench: Path, small: SmallBench, notebook: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "other.ipynb"
        other.write_text("{}")
        assert len(asked(bench, "run", notebook, other, "-p", "a=1")["items"]) == 2
        assert [request["parameters"] for request in small.requests] == [{"a": 1}, {"a": 1}]
        ended = call(bench, "run", notebook, tmp_path / "none.ipynb", other)
        assert ended.returncode == 2
        assert ended.stdout.count("(analysis): waiting") == 2
        assert "none.ipynb cannot be read" in ended.stderr
        assert call(bench, "run", notebook, other, "--output", tmp_path / "x.ipynb").returncode == 2
        assert call(bench, "run", *[notebook] * 51).returncode == 2

    def test_values_and_wishes_go_in(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        asked(bench, "run", notebook, "-p", "a=1", "-p", "b=x=-1", "--parameter", "c=None", "-r", "d=1", "-p", "e=-2.5")
        asked(
            bench, "run", notebook, "--alone", "--cwd", bench, "--timeout", "2min", "--environment", "r", "--size", "s"
        )
        first, second = small.requests
        assert first == {
            "parameters": {"a": 1, "b": "x=-1", "c": None, "d": "1", "e": -2.5},
            "folder": str(notebook.parent),
        }
        assert second == {
            "parameters": {},
            "alone": True,
            "cwd": str(bench),
            "timeout": 120,
            "environment": "r",
            "size": "s",
        }

    def test_gpus_go_in(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        asked(bench, "run", notebook, "--alone", "--gpu", "8GiB", "--gpu", "any")
        asked(bench, "start", "--gpu", "24 GB")
        wrong = call(bench, "run", notebook, "--gpu", "much")
        assert small.requests == [
            {"parameters": {}, "alone": True, "gpus": [{"vram": 8 << 30}, {"vram": 0}]},
            {"gpus": [{"vram": 24 * 10**9}]},
        ]
        assert (wrong.returncode, "much is no amount of memory." in wrong.stderr) == (2, True)

    def test_json_is_one_object(self, bench: Path, notebook: Path) -> None:
        answer = asked(bench, "run", notebook)
        assert {"id": ID, "phase": "waiting", "outcome": None, "reason": None}.items() <= answer.items()

    def test_wait_until_it_is_done(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        small.looks = [{}, {"phase": "running", "cell": 1, "cells": 2}, ENDED]
        ended = call(bench, "run", notebook, "--wait")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == f"Run {ID[-8:]} (analysis): done\n"

    @pytest.mark.parametrize("outcome", ["failed", "stopped", "lost"])
    def test_wait_until_it_is_not(self, bench: Path, small: SmallBench, notebook: Path, outcome: str) -> None:
        small.looks = [{**FAILED, "outcome": outcome}]
        ended = call(bench, "run", notebook, "--wait")
        assert ended.returncode == 1
        assert ended.stderr.splitlines() == [FAILED["sentence"], FAILED["next_step"]]

    def test_wait_with_json(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        small.looks = [FAILED]
        ended = call(bench, "run", notebook, "--wait", "--json")
        assert ended.returncode == 1
        assert json.loads(ended.stdout)["reason"] == "cell_error"

    def test_the_executed_notebook_is_written_also_when_it_failed(
        self, bench: Path, small: SmallBench, notebook: Path
    ) -> None:
        small.looks = [FAILED]
        output = bench / "out.ipynb"
        assert call(bench, "run", notebook, "--output", output).returncode == 1
        assert output.read_bytes() == b'{"cells": []}'

    @pytest.mark.parametrize("output", ["nowhere/out.ipynb", "."])
    def test_an_output_that_cannot_be_written_is_said_first(
        self, bench: Path, small: SmallBench, notebook: Path, output: str
    ) -> None:
        ended = call(bench, "run", notebook, "--output", bench / output)
        assert ended.returncode == 2
        assert "cannot be written" in ended.stderr
        assert not small.asked

    def test_ctrl_c_leaves_the_run_alone(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        small.looks = [{"phase": "running"}]
        command = [*DRYBENCH, "run", str(notebook), "--wait"]
        with subprocess.Popen(command, env=environ(bench), stderr=subprocess.PIPE, text=True) as waiting:
            wait_for(lambda: ("GET", f"/runs/{ID}/wait") in small.asked)  # and nothing comes for a while
            waiting.send_signal(signal.SIGINT)
            _, said = waiting.communicate(timeout=PATIENCE)
        assert waiting.returncode == 130
        assert f"Run {ID[-8:]} goes on." in said
        assert f"drybench cancel {ID[-8:]}" in said
        assert ("POST", f"/runs/{ID}/cancel") not in small.asked

    def test_a_terminal_shows_how_far_it_is(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        small.looks = [{"phase": "running", "cell": 1, "cells": 2}, {"phase": "running", "cell": 2, "cells": 2}, ENDED]
        ours, theirs = os.openpty()
        command = [*DRYBENCH, "run", str(notebook), "--wait"]
        with subprocess.Popen(command, env=environ(bench), stdout=subprocess.DEVNULL, stderr=theirs) as waiting:
            assert waiting.wait(PATIENCE) == 0
        os.close(theirs)
        shown = all_of(ours).decode()
        os.close(ours)
        assert "analysis  ░░░░" in shown
        assert "████████████░░░░░░░░░░░░  cell 2 of 2" in shown
        assert shown.endswith("\r\x1b[K")


class TestTheOthers:
    def test_runs(self, bench: Path) -> None:
        assert ID[-8:] in call(bench, "runs").stdout
        assert [run["id"] for run in asked(bench, "runs", "--most", 1)["items"]] == [ID]

    def test_show(self, bench: Path, small: SmallBench) -> None:
        small.looks = [{**FAILED, "parameters": {"alpha": 0.5}}]
        said = call(bench, "show", ID[-8:]).stdout
        assert FAILED["sentence"] in said
        assert "alpha = 0.5" in said
        assert asked(bench, "show", ID)["outcome"] == "failed"

    def test_runs_by_state(self, bench: Path) -> None:
        assert [run["id"] for run in asked(bench, "runs", "--state", "done")["items"]] == [OTHER]
        assert call(bench, "runs", "--state", "lost").stdout == "No run is lost. All of them: drybench runs\n"

    @pytest.mark.parametrize("follow", [(), ("-f",), ("--follow",)])
    def test_logs(self, bench: Path, follow: tuple[str, ...]) -> None:
        assert call(bench, "logs", ID, *follow).stdout == "hello\n"
        assert asked(bench, "logs", ID, *follow)["log"] == "hello\n"

    def test_cancel(self, bench: Path) -> None:
        assert "): stopping" in call(bench, "cancel", ID).stdout
        assert asked(bench, "cancel", ID)["wanted"] == "stop"

    def test_start(self, bench: Path, small: SmallBench) -> None:
        assert "Open it at http://" in call(bench, "start", "python", "--name", "x").stdout
        assert asked(bench, "start")["id"] == ID
        assert small.requests == [{"environment": "python", "name": "x"}, {}]

    def test_sessions_and_stop(self, bench: Path) -> None:
        assert "python-2" in call(bench, "sessions").stdout
        assert len(asked(bench, "sessions")["items"]) == 2
        assert "): stopping" in call(bench, "stop", "python-2").stdout
        assert asked(bench, "stop", "python")["id"] == ID

    def test_inspect(self, bench: Path, notebook: Path) -> None:
        said = call(bench, "inspect", notebook).stdout
        assert said.startswith("Kernel: python3\n")
        title, row = said.splitlines()[1:]
        assert title.split() == ["PARAMETER", "TAKES", "DEFAULT", "LABEL"]
        assert re.split(r"\s{2,}", row) == ["alpha", "a number from 0 to 1", "0.5", "how much"]
        assert asked(bench, "inspect", notebook)["parameters"] == [ALPHA]


class TestEnding:
    def test_a_refusal(self, bench: Path, small: SmallBench, notebook: Path) -> None:
        small.trouble = [problem(422, "parameters_wrong")]
        ended = call(bench, "run", notebook, "--wait")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == "What parameters_wrong says.\nDo this.\n"

    @pytest.mark.parametrize(
        "words", [("run",), ("run", "x", "--nonsense"), ("nonsense",), ("show", "a", "b"), ("runs", "--most", "many")]
    )
    def test_wrong_usage(self, bench: Path, words: tuple[str, ...]) -> None:
        ended = call(bench, *words)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--help` says what there is." in ended.stderr

    def test_no_bench(self, tmp_path: Path) -> None:
        ended = call(tmp_path, "runs")
        assert (ended.returncode, ended.stdout) == (3, "")
        assert ended.stderr.splitlines()[0] == f"No bench answers at {tmp_path}/portal.sock: nothing listens there."
        assert "drybench up" in ended.stderr.splitlines()[1]

    def test_a_reader_that_goes_away(self, bench: Path, small: SmallBench) -> None:
        small.all, small.most = [f"{n:032x}" for n in range(3000)], 100
        command = [*DRYBENCH, "runs", "--most", "3000"]
        with subprocess.Popen(
            command, env=environ(bench), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as speaking:
            assert speaking.stdout is not None
            assert speaking.stderr is not None
            speaking.stdout.close()
            assert speaking.stderr.read() == ""
        assert speaking.returncode == 141


class TestTheProgram:
    def test_it_runs_as_a_module(self, bench: Path) -> None:
        program = [sys.executable, "-m", "drybench_client"]
        assert ID[-8:] in call(bench, "runs", program=program).stdout

    def test_help_names_every_command(self, tmp_path: Path) -> None:
        said = call(tmp_path, "--help").stdout
        for command in COMMANDS:
            assert f" {command.__name__.replace('_', '-')} " in said

    def test_help_needs_no_http_library(self) -> None:
        code = "import sys, drybench_client.cli; print([name for name in ('httpx', 'drybench') if name in sys.modules])"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout == "[]\n"

    def test_commands_of_another_package_come_in(self, tmp_path: Path) -> None:
        _package(
            tmp_path, "def add(app):\n    @app.command\n    def tidy():\n        'Tidy up.'\n        print('tidied')\n"
        )
        program = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {_MAIN}"]
        assert call(tmp_path, "tidy", program=program).stdout == "tidied\n"
        assert " tidy " in call(tmp_path, "--help", program=program).stdout

    def test_a_broken_one_takes_no_other_with_it(self, tmp_path: Path) -> None:
        _package(tmp_path, "raise RuntimeError('broken')\n")
        program = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {_MAIN}"]
        ended = call(tmp_path, "--help", program=program)
        assert ended.returncode == 0
        assert "The commands of tidy:add are left out: broken" in ended.stderr


_MAIN = "from drybench_client.cli import main; main()"


def _package(folder: Path, code: str) -> None:
    (folder / "tidy.py").write_text(code)
    about = folder / "tidy-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tidy\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[drybench.commands]\ntidy = tidy:add\n")
