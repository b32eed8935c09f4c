"""The kernel of a failed run is kept, mended by hand, and the run goes on."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from tests.integration.runner_bench import Attempt, attempt, code, notebook
from tests.waiting import PATIENCE, wait_for

Make = Callable[..., Attempt]


def told(attempt: Attempt, word: str, **said: Any) -> None:
    folder = attempt.folder / "1" / "told"
    folder.mkdir(exist_ok=True)
    (folder / f"{word}.new").write_text(json.dumps({"format": 1, **said}))
    (folder / f"{word}.new").rename(folder / f"{word}.json")


def held(attempt: Attempt, times: int = 1) -> bool:
    return sum(event["event"] == "held" for event in attempt.events()) == times


def by_hand(attempt: Attempt, source: str) -> None:
    """As JupyterLab does it in a session."""
    client = BlockingKernelClient()
    client.load_connection_file(str(attempt.made / "held" / "kernels" / "kernel.json"))
    client.start_channels(stdin=False, hb=False)
    try:
        client.wait_for_ready(timeout=PATIENCE)
        assert client.execute_interactive(source, timeout=PATIENCE)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        client.context.destroy(linger=0)


def mend(attempt: Attempt, index: int, source: str) -> None:
    file = attempt.made / "held" / "notebook.ipynb"
    copy = json.loads(file.read_text())
    copy["cells"][index]["source"] = source.splitlines(keepends=True)
    file.write_text(json.dumps(copy))


def shown(made: dict[str, Any]) -> list[Any]:
    return [(cell["source"], cell["outputs"], cell["execution_count"]) for cell in made["cells"]]


@pytest.fixture
def make(tmp_path: Path, python_environment: Path) -> Make:
    def make(*cells: str | dict[str, Any], **asked: Any) -> Attempt:
        return attempt(tmp_path, python_environment, notebook(*cells), **asked)

    return make


@pytest.fixture
def failing(make: Make) -> Attempt:
    """Its second cell fails twice over: a name is missing, and a number is wrong."""
    cells = ["x = 1\nprint('first')", "print(x / zero)", "print('last', x)"]
    return make(*cells, hold=600)


def test_what_is_mended_by_hand_goes_on_from_that_cell_and_ends_well(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    told(failing, "attached", at="2026-01-01T12:00:00Z")
    by_hand(failing, "x = 41")
    mend(failing, 1, "print(x + 1)")
    told(failing, "go_on-1", **{"from": 1})
    assert process.wait(PATIENCE) == 0, failing.printed()
    result, made = failing.result(), failing.notebook()
    assert (result["outcome"], result["reason"], result["executed"], result["cells"]) == ("done", None, 3, 3)
    assert result["hand"] == {"attached_at": "2026-01-01T12:00:00Z", "went_on_from": [1], "changed": [1]}
    assert [failing.text(index) for index in range(3)] == ["first\n", "42\n", "last 41\n"]
    assert made["metadata"]["papermill"]["exception"] is None
    assert shown(failing.rebuilt()) == shown(made)
    assert not (failing.made / "held").exists()


def test_it_can_fail_once_more_and_be_mended_again(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    told(failing, "go_on-1", **{"from": 1})
    wait_for(lambda: held(failing, 2))
    by_hand(failing, "zero = 2")
    told(failing, "go_on-2", **{"from": 1})
    assert process.wait(PATIENCE) == 0, failing.printed()
    assert failing.result()["outcome"] == "done"
    assert failing.result()["hand"] == {"attached_at": None, "went_on_from": [1, 1], "changed": []}


def test_let_go_it_ends_as_it_failed(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    told(failing, "let_go")
    assert process.wait(PATIENCE) == 0, failing.printed()
    result = failing.result()
    assert (result["outcome"], result["reason"], result["cell"], result["hand"]) == ("failed", "cell_error", 1, None)
    assert [event["event"] for event in failing.events()][-3:] == ["held", "released", "ended"]


def test_cancelled_while_it_is_kept_it_ends_as_it_failed(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0, failing.printed()
    assert failing.result()["outcome"] == "failed"


def test_its_time_is_over(make: Make) -> None:
    made = make("1 / 0", hold=0.5)
    assert made.carry_out()["reason"] == "cell_error"
    assert held(made)


def test_a_kernel_that_dies_while_it_is_kept_is_kept_no_longer(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    client = BlockingKernelClient()
    client.load_connection_file(str(failing.made / "held" / "kernels" / "kernel.json"))
    client.start_channels(stdin=False, hb=False)
    client.execute("import os; os._exit(3)")
    assert process.wait(PATIENCE) == 0, failing.printed()
    client.stop_channels()
    client.context.destroy(linger=0)
    assert failing.result()["reason"] == "cell_error"


def test_cells_that_are_added_and_taken_away_are_executed_as_they_are_now(failing: Attempt) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    file = failing.made / "held" / "notebook.ipynb"
    copy = json.loads(file.read_text())
    copy["cells"][1:] = [code("zero = 4"), code("print(x / zero)"), code("x = 5"), code("print(x)")]
    file.write_text(json.dumps(copy))
    told(failing, "go_on-1", **{"from": 1})
    assert process.wait(PATIENCE) == 0, failing.printed()
    result, made = failing.result(), failing.notebook()
    assert (result["outcome"], result["cells"], result["hand"]["changed"]) == ("done", 5, [1, 2, 3, 4])
    assert ["".join(cell["source"]) for cell in made["cells"]][1:] == [
        "zero = 4",
        "print(x / zero)",
        "x = 5",
        "print(x)",
    ]
    assert shown(failing.rebuilt()) == shown(made)


@pytest.mark.parametrize("broken", ["no JSON", '{"nbformat": 3}', '{"nbformat": 4, "cells": 7}'])
def test_a_copy_that_is_no_notebook_any_more_goes_on_with_the_cells_that_were(failing: Attempt, broken: str) -> None:
    process = failing.start()
    wait_for(lambda: held(failing))
    by_hand(failing, "zero = 1")
    (failing.made / "held" / "notebook.ipynb").write_text(broken)
    told(failing, "go_on-1", **{"from": 1})
    assert process.wait(PATIENCE) == 0, failing.printed()
    assert failing.result()["outcome"] == "done"
