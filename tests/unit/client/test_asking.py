"""What `Bench` sends of what was said with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drybench_client.asking import request_of
from drybench_client.commands.said import How
from drybench_client.errors import Refused
from drybench_client.results import as_table, with_values


def sent(**said: Any) -> dict[str, Any]:
    return request_of("a.ipynb", None, said, here=False)


def test_what_is_left_out_is_not_sent() -> None:
    assert sent(name=None, alone=False, tags=[], retries=None) == {"parameters": {}}
    assert sent(retries=0)["retries"] == 0


def test_lists_files_and_folders_are_made_plain(tmp_path: Path) -> None:
    needs = tmp_path / "requirements.txt"
    needs.write_text("\ufeffnumpy\n")
    request = sent(tags=("a", "b"), requirements=needs, cwd="here", tell="failure")
    assert request == {
        "parameters": {},
        "tags": ["a", "b"],
        "requirements": "numpy\n",
        "cwd": str(Path("here").absolute()),
        "tell": {"on": "failure", "channels": []},
    }
    assert sent(requirements="numpy")["requirements"] == "numpy"
    assert sent(channels=["c"])["tell"] == {"on": "both", "channels": ["c"]}
    with pytest.raises(Refused, match="cannot be read"):
        sent(requirements=tmp_path / "none.txt")


def test_on_the_bench_s_own_machine_its_folder_goes_along() -> None:
    assert request_of("a.ipynb", {}, {}, here=True)["folder"] == str(Path.cwd())
    assert "folder" not in request_of("a.ipynb", {}, {"alone": True}, here=True)


def test_the_command_line_s_words_become_options() -> None:
    options = How(timeout="2h", cell_timeout="90", hold="30min", tag=["x"], channel=["c"], priority=-1).options()
    assert (options["timeout"], options["cell_timeout"], options["hold"]) == (7200, 90, 1800)
    assert (options["tags"], options["channels"], options["priority"]) == (["x"], ["c"], -1)


def test_a_value_that_is_called_like_a_parameter_keeps_both() -> None:
    row = with_values({"run": "r"}, {"x": 1}, {"x": 2, "y": 3})
    assert row == {"run": "r", "x": 1, "value x": 2, "y": 3}
    table = as_table([row], "run")
    assert table == [row] or table.loc["r", "y"] == 3
