"""The Runs page: filters that can be shared by address, sweeps as one row, two to compare."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from drybench.phases import Outcome, Phase
from drybench.runs.requests import RunRequest
from drybench.sweep_book import Sweep, SweepBook
from drybench.tables import runs
from drybench.web.run_list import Filter
from tests.unit.web.little_bench import LittleBench, notebook


@pytest.mark.parametrize(
    ("search", "name", "tag"),
    [
        ("wing", "wing", ""),
        ("tag:drift", "", "drift"),
        ('wing tag:"two words" disc', "wing disc", "two words"),
        ("notatag:x", "notatag:x", ""),
    ],
)
def test_a_search_is_a_name_and_a_tag(search: str, name: str, tag: str) -> None:
    wanted = Filter(search)
    assert (wanted.name, wanted.tag) == (name, tag)


def test_another_choice_begins_at_the_newest_again() -> None:
    wanted = Filter("a b", "failed", cursor="c")
    assert wanted.at(state="done") == "/runs?search=a+b&state=done"
    assert wanted.at(cursor="d") == "/runs?search=a+b&state=failed&cursor=d"
    assert Filter().at() == "/runs"


async def test_tags_are_shown_and_found(bench: LittleBench) -> None:
    for name, tags in (("one", ("drift",)), ("two", ("drift-free",))):
        bench.portal.runs.submit(bench.person(), RunRequest(notebook("1"), f"{name}.ipynb", tags=tags))
    async with bench.client() as browser:
        all_of_them = (await browser.get("/runs")).text
        found = (await browser.get("/runs?tag=drift")).text
    assert 'href="/runs?tag=drift-free"' in all_of_them
    assert ">one</a>" in found
    assert ">two</a>" not in found
    assert "tag:&#34;drift&#34;" in found


async def test_a_sweep_is_one_row_among_the_runs(bench: LittleBench) -> None:
    person, first = bench.person(), bench.run("1", name="before")
    sweep = Sweep(
        "0" * 32, person.id, person.name, "thresholds", "python", "default", "a.ipynb", ["x"], 1000, first.created_at
    )
    SweepBook(bench.ledger).add(sweep, None)
    part = bench.run("1", name="thresholds-1")
    with bench.ledger.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == part.id).values(sweep_id=sweep.id, place=0))
    bench.move(part, Phase.ENDED, Outcome.DONE)
    async with bench.client() as browser:
        everything = (await browser.get("/runs")).text
        done = (await browser.get("/runs?state=done")).text
        other = (await browser.get("/runs?search=before")).text
    assert f'href="/sweeps/{sweep.id}"' in everything
    assert "sweep of 1,000" in everything
    assert "thresholds-1" not in everything
    assert "thresholds-1" in done
    assert "/sweeps/" not in other


async def test_two_can_be_compared_and_only_two(bench: LittleBench) -> None:
    ids = [bench.run("1").id for _ in range(3)]
    async with bench.client() as browser:
        two = await browser.get("/runs/compare", params={"run": ids[:2]})
        one = await browser.get("/runs/compare", params={"run": ids[:1]})
        none = await browser.get("/runs/compare")
    assert two.headers["location"] == f"/runs/differences?a={ids[1]}&b={ids[0]}"
    assert (one.status_code, none.status_code) == (422, 422)
    assert "two can be compared" in one.text
