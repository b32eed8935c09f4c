"""Sweeps on a real bench: each place once, also when the portal is killed in the middle."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from drybench_client.bench import Bench as Client
from tests.bench import Bench, new_bench
from tests.waiting import wait_for

RUNS = 20
TWO_PEOPLE = """
[bench]
people_share_one_host_name = true
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
[sizes.default]
memory = "400 MiB"
[engines.local]
cores = 1
memory = "2 GiB"
people_trust_each_other = true
"""
SMALL = "[sizes.default]\nmemory = '400 MiB'\n[engines.local]\ncores = 2\nmemory = '2 GiB'\n"
DISPLAY = (
    "from IPython.display import display\n"
    "display({'application/vnd.drybench.values+json': {'square': x * x}}, raw=True)"
)


def notebook(folder: Path, *sources: str) -> Path:
    """Each of its runs leaves a line in `marks`."""
    mark = f"with open({str(folder / 'marks')!r}, 'a') as marks: marks.write(f'{{x}}\\n')"
    cells = [_cell("x = 0", "parameters"), *(_cell(source) for source in (*sources, mark))]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    file = folder / "disc.ipynb"
    file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))
    return file


def _cell(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {"tags": tags}, "outputs": [], "execution_count": None}


def marks(folder: Path) -> Counter[int]:
    file = folder / "marks"
    return Counter(map(int, file.read_text().split())) if file.exists() else Counter()


def token_of(bench: Bench, name: str) -> str:
    """Of somebody who signs in with a name and whatever password."""
    with bench.browser() as browser:
        form = browser.get("/hub/login", headers={"Accept": "text/html"}).text
        found = re.search(r'name="_xsrf" value="([^"]+)"', form)
        assert found, form
        browser.post("/hub/login", data={"username": name, "password": "x", "_xsrf": found[1]})
        page = browser.get("/hub/token", headers={"Accept": "text/html"}).text
        xsrf = re.search(r'xsrf_token: "([^"]+)"', page)
        assert xsrf, page
        made = browser.post(f"/hub/api/users/{name}/tokens?_xsrf={xsrf[1]}", json={"note": "a test's"})
        return made.raise_for_status().json()["token"]


@pytest.fixture(scope="module")
def own() -> Iterator[Bench]:
    with new_bench(SMALL) as bench:
        yield bench


@pytest.fixture
def owner(own: Bench) -> Iterator[Client]:
    own.be_whole()
    with own.owner() as client:
        yield client


@pytest.mark.timeout(600, func_only=True)
def test_each_place_once_through_kill_9_in_the_middle(own: Bench, owner: Client, tmp_path: Path) -> None:
    before = len(list(own.data.runs.iterdir()))
    sweep = owner.sweep(notebook(tmp_path), typed={"x": f"1..{RUNS}"}, alone=True)
    for done in (1, 5, 11):
        wait_for(lambda done=done: sum(marks(tmp_path).values()) >= done, 120)
        own.kill("portal")
        wait_for(own.answers)
    ended = owner.wait_sweep(sweep, timeout=240)
    assert ended["totals"]["done"] == RUNS, ended
    assert marks(tmp_path) == Counter(range(1, RUNS + 1))
    assert [place["number"] for place in owner.places(sweep)] == list(range(1, RUNS + 1))
    made = len(list(own.data.runs.iterdir())) - before
    assert made - len(list(owner.places(sweep))) in range(4)  # what a kill left half-made


def test_values_come_back_and_only_the_failed_are_run_again(owner: Client, tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    sources = (
        DISPLAY,
        f"import os; assert x != 2 or os.path.exists({str(needed)!r})",
        "open('out.txt', 'w').write(str(x))",
    )
    sweep = owner.sweep(notebook(tmp_path, *sources), grid={"x": [1, 2, 3]}, alone=True)
    ended = owner.wait_sweep(sweep, timeout=120)
    assert (ended["totals"]["done"], ended["totals"]["failed"]) == (2, 1)
    needed.touch()
    owner.rerun_failed(sweep)
    wait_for(lambda: owner.get_sweep(sweep)["totals"]["done"] == 3, 100)
    assert marks(tmp_path) == Counter([1, 2, 3])
    wait_for(lambda: all(place["values"] for place in owner.places(sweep)))
    assert [place["values"]["square"] for place in owner.places(sweep, sort="-v.square")] == [9, 4, 1]
    table = owner.sweep_csv(sweep).splitlines()
    assert table[0].endswith("number,state,x,square,seconds,run,detail")
    archive = zipfile.ZipFile(BytesIO(owner._calling.bytes(f"/sweeps/{sweep['id']}/results.zip")))
    assert archive.read("2_x=2/output/out.txt") == b"2"


def test_a_single_run_begins_in_the_middle_of_a_sweep_and_all_is_cancelled(
    own: Bench, owner: Client, tmp_path: Path
) -> None:
    """Of one's own: with a higher priority it waits for what runs, and for nothing else."""
    sweep = owner.sweep(notebook(tmp_path, "import time; time.sleep(1)"), typed={"x": "1..300"}, alone=True)
    wait_for(lambda: owner.get_sweep(sweep)["totals"]["running"] == 2, 100)
    (tmp_path / "other").mkdir()
    answer = own.run("run", notebook(tmp_path / "other"), "--wait", "--json")
    assert answer.returncode in (0, 1)
    for _ in range(2):
        owner.cancel_sweep(sweep)
    ended = owner.wait_sweep(sweep, timeout=120)
    assert ended["totals"]["running"] + ended["totals"]["waiting"] == 0
    assert ended["totals"]["stopped"] > 200


@pytest.mark.timeout(600)
def test_somebody_elses_run_begins_within_two_runs_time(tmp_path: Path) -> None:
    """On a machine with room for one."""
    with new_bench(TWO_PEOPLE) as bench:
        with Client(bench.url, token_of(bench, "ada")) as ada, Client(bench.url, token_of(bench, "bob")) as bob:
            sweep = ada.sweep(notebook(tmp_path, "import time; time.sleep(0.5)"), typed={"x": "1..1000"}, alone=True)
            wait_for(lambda: sum(marks(tmp_path).values()) >= 2, 100)
            (tmp_path / "bob").mkdir()
            looks = f"import shutil; shutil.copy({str(tmp_path / 'marks')!r}, {str(tmp_path / 'bob' / 'seen')!r})"
            run, before = bob.submit(notebook(tmp_path / "bob", looks), alone=True), sum(marks(tmp_path).values())
            assert bob.wait(run, timeout=100)["outcome"] == "done"
            assert len((tmp_path / "bob" / "seen").read_text().split()) - before <= 2
            ada.cancel_sweep(sweep)
            ada.wait_sweep(sweep, timeout=120)


def test_the_command_line_counts_asks_and_lists(own: Bench, tmp_path: Path) -> None:
    file = notebook(tmp_path).rename(tmp_path / "areas.ipynb")
    for name in ("a1.tif", "a2.tif", "a10.tif"):
        (tmp_path / name).touch()
    counted = own.run("sweep", file, "-p", "x=0..10", "--count")
    assert counted.stdout.startswith("11 runs (the most is 2,000)")
    refused = own.run("sweep", file, "-p", "x=1..1000000")
    assert refused.returncode == 2
    assert "1,000,000 runs" in refused.stderr
    files = own.run("sweep", file, "--files", f"x={tmp_path}/*.tif", "--count")
    assert "is a whole number" in files.stderr  # and a path is none
    asked = own.run("sweep", file, "-p", "x=1,2", "--wait")
    assert asked.returncode == 0, asked.stderr
    assert "2 done" in asked.stdout
    assert "areas" in own.run("sweeps").stdout
