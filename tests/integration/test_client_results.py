"""What a script does with runs: waits with a bar, takes values and files, stars, keeps and removes. On a real bench."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drybench import Bench
from drybench_client import Bench as TheSame
from drybench_client import Conflict, NotFound
from tests.bench import Bench as RealBench
from tests.integration.test_client_real_bench import a_notebook
from tests.waiting import wait_for

RETURNS = """
from IPython.display import display
display({"application/vnd.drybench.values+json": {"double": 2 * alpha}}, raw=True)
open("made.txt", "w").write(name)
"""


@pytest.fixture
def owner(bench: RealBench) -> Iterator[Bench]:
    with bench.owner() as owner:
        yield owner


def test_it_has_two_names() -> None:
    assert Bench is TheSame


def test_a_script_from_the_question_to_a_table(owner: Bench, tmp_path: Path) -> None:
    notebook = a_notebook(tmp_path, RETURNS)
    runs = [owner.submit(notebook, {"alpha": alpha}, tags=["plate 7"], priority=1, retries=2) for alpha in (1, 2)]
    table = owner.table(runs)
    rows: list[dict[str, Any]] = table if isinstance(table, list) else table.reset_index().to_dict("records")
    assert [(row["state"], row["alpha"], row["double"]) for row in rows] == [("done", 1, 2), ("done", 2, 4)]
    assert {run["id"] for run in owner.runs(tag="plate 7")} == {run["id"] for run in runs}
    last = owner.run(notebook, {"alpha": 3, "name": "wing"})
    assert (last["outcome"], last["values"]) == ("done", {"double": 6})
    assert [file["path"] for file in owner.files(last)] == ["made.txt"]
    assert owner.download(last, "made.txt", tmp_path / "here.txt").read_text() == "wing"
    with zipfile.ZipFile(owner.download_all(last, tmp_path / "all.zip")) as every:
        assert {"output/made.txt", "log.txt"} <= {Path(*Path(name).parts[-2:]).as_posix() for name in every.namelist()}
    with pytest.raises(NotFound):
        owner.download(last, "none.txt", tmp_path / "none.txt")
    assert not (tmp_path / "none.txt").exists()


def test_what_is_starred_stays_and_what_is_removed_is_gone(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    run = owner.wait(owner.submit(a_notebook(tmp_path, "pass")))
    assert owner.star(run)["starred"]
    assert run["id"] in {one["id"] for one in owner.runs(starred=True)}
    assert not owner.unstar(run)["starred"]
    assert owner.keep(90)["days"] == owner.retention()["days"] == 90
    assert owner.keep(0)["days"] == 0
    wait_for(lambda: bench.run("remove", run["id"]).returncode == 0)  # it may still be settled
    with pytest.raises(NotFound):
        owner.get(run)


def test_deeds_at_the_wrong_time_say_so(bench: RealBench, owner: Bench, tmp_path: Path) -> None:
    run = owner.submit(a_notebook(tmp_path, "import time\ntime.sleep(600)"))
    wait_for(lambda: owner.get(run)["phase"] == "running")
    for deed in (owner.remove, owner.attach, owner.go_on, owner.let_go):
        with pytest.raises(Conflict) as refused:
            deed(run)
        assert refused.value.next_step
    again = owner.again(run)  # while it runs: another one, that waits or works by itself
    assert (again["id"] != run["id"], again["again_of"]) == (True, run["id"])
    assert {owner.cancel(one)["wanted"] for one in (run, run, again, again)} == {"stop"}
    ended = [owner.wait(one) for one in (run, again)]
    assert [(one["outcome"], one["reason"]) for one in ended] == [("stopped", "cancelled")] * 2
    assert owner.cancel(run)["outcome"] == "stopped"
    waited = bench.run("wait", run["id"], "--json", "--output", tmp_path / "out.ipynb")
    assert waited.returncode == 1
    assert json.loads(waited.stdout)["outcome"] == "stopped"
    assert json.loads((tmp_path / "out.ipynb").read_text())["cells"]
