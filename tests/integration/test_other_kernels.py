"""A kernel that is not Python's, spoken to by TCP: R's, as Debian has it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from drybench.phases import Reason
from drybench.runs.causes import cause
from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import inject
from tests import parts
from tests.integration.comparing import carry_out_all
from tests.integration.runner_bench import Attempt, attempt, code, notebook
from tests.waiting import PATIENCE, wait_for

R = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
VALUES = {"n": 3, "name": "größe", "flags": [True, False], "table": {"a": 1.5}}
CASES: dict[str, tuple[list[str | dict[str, Any]], dict[str, Any]]] = {
    "parameters": (
        [code("n <- 1L\nname <- ''\nflags <- c()", "parameters"), "cat(n + 1, name, '\\n')\nprint(flags)\ntable$a"],
        VALUES,
    ),
    "outputs": (
        [
            "message('to err')",
            "plot(1:3)",
            "data.frame(x = 1:2)",
            "IRdisplay::publish_mimebundle(list(`application/vnd.drybench.values+json` = list(auc = 0.9)))",
            code("stop('expected')", "raises-exception"),
            "for (n in 1:20) { cat('\\r', n); flush.console() }",
        ],
        {},
    ),
    "an error": (["f <- function(x) stop('no such ', x)", "f('thing')", "cat('after')"], {}),
    "a missing package": (["library(nosuchpackage)"], {}),
    "no file": (["read.csv('data.csv')"], {}),
    "an early end": (["cat('x')", "quit()"], {}),
}


def make(place: Path, python: Path, cells: list[str | dict[str, Any]], values: dict[str, Any], **asked: Any) -> Attempt:
    given = inject(read_notebook(json.dumps(notebook(*cells, **R)).encode(), 1 << 20), values)
    return attempt(place, python, json.loads(json.dumps(given)), **asked)


class Runs:
    def __init__(self, place: Path, python: Path) -> None:
        self.of = {
            name: make(place / str(n), python, cells, values) for n, (name, (cells, values)) in enumerate(CASES.items())
        }
        self.results = dict(zip(CASES, carry_out_all(list(self.of.values())), strict=True))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> Runs:
    parts.needs("R for Jupyter")
    return Runs(tmp_path_factory.mktemp("r"), python_environment)


pytestmark = pytest.mark.xdist_group("other_kernels")


def test_parameters_are_put_in_as_r_has_them(runs: Runs) -> None:
    assert runs.results["parameters"]["outcome"] == "done", runs.results["parameters"]
    assert runs.results["parameters"]["kernel"] == {"name": "ir", "language": "R"}
    assert runs.of["parameters"].text(2).startswith("4 größe")
    assert runs.of["parameters"].notebook()["metadata"]["language_info"]["name"] == "R"
    assert runs.of["parameters"].notebook()["metadata"]["papermill"]["parameters"] == VALUES


def test_what_it_shows_is_kept(runs: Runs) -> None:
    run = runs.of["outputs"]
    assert runs.results["outputs"]["outcome"] == "done", runs.results["outputs"]
    assert run.text(0, "stderr").strip() == "to err"
    assert any("image/png" in output["data"] for output in run.outputs(1))
    assert "text/html" in run.outputs(2)[0]["data"]
    assert runs.results["outputs"]["values"] == {"auc": 0.9}
    assert runs.results["outputs"]["picture"] == "picture.png"
    assert run.text(5).strip() == "20"


def test_an_error_is_told_in_its_own_words(runs: Runs) -> None:
    result = runs.results["an error"]
    assert (result["reason"], result["cell_number"], result["executed"]) == ("cell_error", 2, 1)
    assert "no such thing" in cause(Reason(result["reason"]), result).sentence
    assert runs.of["an error"].outputs(2) == []


def test_a_missing_package_and_a_missing_file_are_errors_of_the_cell(runs: Runs) -> None:
    for name, words in (("a missing package", "nosuchpackage"), ("no file", "open")):
        result = runs.results[name]
        assert (result["outcome"], result["reason"]) == ("failed", "cell_error")
        assert words in cause(Reason(result["reason"]), result).sentence


def test_leaving_ends_it(runs: Runs) -> None:
    assert runs.results["an early end"]["outcome"] == "done"
    assert runs.of["an early end"].text(0) == "x"


def test_a_cancel_interrupts_it(tmp_path: Path, python_environment: Path) -> None:
    parts.needs("R for Jupyter")
    run = make(tmp_path, python_environment, ["cat('sleeps\\n'); flush.console(); Sys.sleep(60)"], {})
    process = run.start()
    wait_for(lambda: run.has_printed("sleeps"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert run.result()["outcome"] == "stopped"
