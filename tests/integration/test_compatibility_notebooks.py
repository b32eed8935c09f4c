"""Notebooks of every make are executed as they are, and papermill's readers read what comes out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import inject
from tests.integration import peers
from tests.integration.comparing import MARKER, carry_out_all, shown, statuses
from tests.integration.runner_bench import Attempt, attempt, code, markdown, notebook

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}
VALUES = {"n": 3, "words": 'größe "x"', "several": [1, 2.5, None, True], "table": {"a": {"b": 1}}}


def minor(number: int) -> dict[str, Any]:
    cells = [code("1 + 1"), markdown("words"), code("print('x')\nprint('y')")]
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell |= {"id": f"cell-{id(cell)}"} if number >= 5 else {}
    cells[0]["metadata"] = {"collapsed": False, "trusted": True, "autoscroll": "auto", "deletable": True}
    cells[0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["old\n"]}]
    cells[0]["execution_count"] = 17
    return {"nbformat": 4, "nbformat_minor": number, "metadata": {"kernelspec": PYTHON}, "cells": cells}


def vs_code() -> dict[str, Any]:
    cells = [
        {**code("import sys\nprint('hi')"), "metadata": {"vscode": {"languageId": "python"}}},
        {**code("# %%\nNone"), "metadata": {"tags": [], "jupyter": {"source_hidden": True}, "azdata_cell_guid": "x"}},
        {"cell_type": "markdown", "metadata": {}, "source": "![x](attachment:x.png)", "attachments": {"x.png": {}}},
    ]
    venv = {"name": "python3", "display_name": ".venv (3.11.7)", "language": "python"}
    language = {"name": "python", "version": "2.7", "file_extension": ".py", "codemirror_mode": {"name": "ipython"}}
    metadata = {
        "kernelspec": venv,
        "language_info": language,
        "orig_nbformat": 4,
        "vscode": {"interpreter": {"hash": "x"}},
    }
    return {"nbformat": 4, "nbformat_minor": 2, "metadata": metadata, "cells": cells}


def parametrised() -> dict[str, Any]:
    told = "print(n, words, several, table)"
    return notebook(markdown("# Title"), code("n = 0\nwords = ''", "parameters"), told, "n", kernelspec=PYTHON)


def run_before() -> dict[str, Any]:
    """By papermill, with other values and an error: its injected cell and its marks are still there."""
    marker = {**markdown("<span>An Exception was encountered</span>"), "metadata": {"tags": [MARKER]}}
    old = code("# Parameters\nn = 99\n", "injected-parameters")
    failed = code("print(n)")
    failed["metadata"]["papermill"] = {"status": "failed", "exception": True, "start_time": "x", "end_time": "y"}
    failed["outputs"] = [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]
    cells = [marker, code("n = 0", "parameters"), old, marker, failed, "n"]
    papermill = {"exception": True, "parameters": {"n": 99}, "version": "2.4.0", "input_path": "old.ipynb"}
    return notebook(*cells, kernelspec=PYTHON, papermill={"default_parameters": {}, **papermill})


NOTEBOOKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "4.0": (minor(0), {}, "papermill"),
    "4.5": (minor(5), {}, "papermill"),
    "vs code": (vs_code(), {}, "papermill"),
    "parameters": (parametrised(), VALUES, "papermill"),
    "run before": (run_before(), {"n": 5}, "papermill"),
    "run before, as it is": (run_before(), {}, "papermill"),
    "no kernel named": (notebook("import sys; sys.version_info[0]"), {}, "nbclient"),
    "errors allowed": (notebook("1 / 0", "%nosuch", "print('after')", kernelspec=PYTHON), {}, "nbclient"),
}


class All:
    def __init__(self, place: Path, python: Path) -> None:
        (place / "peer").mkdir()
        jobs = [
            {"peer": peer, "notebook": given, "parameters": values, "allow_errors": name == "errors allowed"}
            for name, (given, values, peer) in NOTEBOOKS.items()
        ]
        self.peers = dict(zip(NOTEBOOKS, peers.execute(place / "peer", python, jobs), strict=True))
        self.runs: dict[str, Attempt] = {}
        for name, (given, values, _) in NOTEBOOKS.items():
            as_handed_in = json.loads(json.dumps(inject(read_notebook(json.dumps(given).encode(), 1 << 20), values)))
            asked = {"notebook_name": "Ünlü 🧪.ipynb", "allow_errors": name == "errors allowed"}
            self.runs[name] = attempt(place / f"größe {name}", python, as_handed_in, **asked)
        self.results = dict(zip(NOTEBOOKS, carry_out_all(list(self.runs.values())), strict=True))


@pytest.fixture(scope="module")
def all_of_them(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> All:
    return All(tmp_path_factory.mktemp("notebooks"), python_environment)


pytestmark = [pytest.mark.xdist_group("compatibility_notebooks"), pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_ends_and_shows_the_same(all_of_them: All, name: str) -> None:
    peer, error = all_of_them.peers[name]
    assert error is None
    assert all_of_them.results[name]["outcome"] == "done"
    assert shown(all_of_them.runs[name].notebook()) == shown(peer)


def test_allowed_errors_are_told(all_of_them: All) -> None:
    result = all_of_them.results["errors allowed"]
    assert result["sentence"] == "2 cells raised errors, which this run allows."
    assert (result["error"], result["cell"], result["executed"]) == (None, None, 3)
    assert "2 cells raised errors" in (all_of_them.runs["errors allowed"].made / "log.txt").read_text()


def test_marks_of_an_earlier_error_are_gone_from_journal_and_notebook(all_of_them: All) -> None:
    run = all_of_them.runs["run before"]
    assert MARKER not in json.dumps(run.notebook())
    assert shown(run.rebuilt()) == shown(run.notebook())


@pytest.mark.parametrize("name", [name for name, (_, _, peer) in NOTEBOOKS.items() if peer == "papermill"])
def test_papermill_s_metadata_has_the_same_keys(all_of_them: All, name: str) -> None:
    ours, (peer, _) = all_of_them.runs[name].notebook(), all_of_them.peers[name]
    told, same = ours["metadata"]["papermill"], peer["metadata"]["papermill"]
    assert set(told) >= set(same)
    for key in ("parameters", "exception", "environment_variables", "default_parameters"):
        assert told[key] == same.get(key, {}), key
    assert told["input_path"] == "Ünlü 🧪.ipynb"
    assert told["output_path"].endswith("/1/made/notebook.ipynb")
    assert isinstance(told["duration"], float)
    assert statuses(ours) == statuses(peer)
    for one, other in zip(ours["cells"], peer["cells"], strict=True):
        assert set(one["metadata"]["papermill"]) == set(other["metadata"]["papermill"])
        assert one["metadata"]["papermill"]["start_time"].endswith("+00:00")


READ = """
import sys, json, dateutil.parser, papermill
from papermill.iorw import load_notebook_node
notebook = load_notebook_node(sys.argv[1])
told = notebook.metadata.papermill
times = [dateutil.parser.parse(cell.metadata.papermill.start_time) for cell in notebook.cells]
assert times == sorted(times)
print(json.dumps([told.parameters, sorted(papermill.inspect_notebook(sys.argv[1])), told.duration]))
"""


def test_papermill_s_readers_read_it(all_of_them: All) -> None:
    file = all_of_them.runs["parameters"].made / "notebook.ipynb"
    words = [sys.executable, "-W", "ignore", "-c", READ, str(file)]
    parameters, found, duration = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    assert parameters == VALUES
    assert found == ["n", "words"]
    assert duration > 0
