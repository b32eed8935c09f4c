"""How long runs are kept: the page, its JSON twin, and taking a run away by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from drybench.model import Run
from drybench.phases import Outcome, Phase
from drybench.runs.retention import Rule
from tests.unit.web.little_bench import BOB, FROM_SESSION, LittleBench, now, xsrf


def ended(bench: LittleBench, name: str = "analysis") -> Run:
    run = bench.run(name=name)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    bench.ledger.settle(run, None, None, lambda *_: None)
    bench.ledger.forgotten(run.task.id)
    return run


async def test_the_page_teaches_shows_what_goes_and_takes_a_rule(bench: LittleBench) -> None:
    async with bench.client() as browser:
        page = (await browser.get("/runs/kept")).text
        assert "runs stay until you remove them" in page
        assert "Nothing of yours goes within the next thirty days." in page
        run = ended(bench)
        assert 'href="/runs/kept"' in (await browser.get("/runs")).text
        answer = await browser.post("/runs/kept", data={"days": " 8 "}, headers=xsrf())
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs/kept")
        page = (await browser.get("/runs/kept")).text
        assert f'href="/runs/{run.id}"' in page
        assert 'value="8"' in page
        await browser.post("/runs/kept", data={"days": ""}, headers=xsrf())
        assert f'href="/runs/{run.id}"' not in (await browser.get("/runs/kept")).text


async def test_the_keepers_rule_is_said_and_counts_for_all(bench: LittleBench) -> None:
    bench.portal.keeping.bench_rule = Rule(1, now() - timedelta(days=30))
    run = ended(bench)
    async with bench.client() as browser:
        page = (await browser.get("/runs/kept")).text
        assert "<strong>1 day</strong>" in page
        assert f'href="/runs/{run.id}"' in page
        await browser.post(f"/runs/{run.id}/star", headers=xsrf())
        assert f'href="/runs/{run.id}"' not in (await browser.get("/runs/kept")).text


@pytest.mark.parametrize("days", ["-1", "1.5", "a week", "36501", "<b>7", "٣"])
async def test_a_wrong_number_of_days_is_refused_and_stays_in_its_field(bench: LittleBench, days: str) -> None:
    async with bench.client() as browser:
        answer = await browser.post("/runs/kept", data={"days": days}, headers=xsrf())
        assert answer.status_code == 422
        assert "a whole number of days, at most 36500" in answer.text
        assert f'value="{days.replace("<", "&lt;").replace(">", "&gt;")}"' in answer.text
    assert bench.portal.keeping.wish(bench.person()) is None


async def test_the_json_twin(bench: LittleBench) -> None:
    run = ended(bench)
    async with bench.program() as ada, bench.program(BOB) as bob, bench.program(FROM_SESSION) as session:
        assert (await ada.get("/retention")).json() == {"days": 0, "bench_days": 0, "going": []}
        answer = (await ada.put("/retention", json={"days": 10})).json()
        assert (answer["days"], [one["id"] for one in answer["going"]]) == (10, [run.id])
        assert (await session.get("/retention")).json() == answer
        assert (await session.put("/retention", json={"days": 1})).status_code == 403
        for wrong in ({"days": -1}, {"days": 10**9}, {"days": None}, {}, {"days": 1, "more": 1}):
            assert (await ada.put("/retention", json=wrong)).status_code == 422
        assert (await bob.get("/retention")).json()["going"] == []
        assert (await ada.get("/retention")).json()["days"] == 10


async def test_a_run_is_removed_by_hand_once_it_has_ended(bench: LittleBench) -> None:
    open_run, over, other = bench.run(), ended(bench), ended(bench)
    async with bench.program() as ada, bench.program(BOB) as bob, bench.program(FROM_SESSION) as session:
        assert (await ada.delete(f"/runs/{open_run.id}")).json()["code"] == "still_open"
        assert (await bob.delete(f"/runs/{over.id}")).status_code == 404
        assert (await session.delete(f"/runs/{over.id}")).status_code == 403
        assert (await ada.delete(f"/runs/{over.id}")).status_code == 204
        assert (await ada.delete(f"/runs/{over.id}")).status_code == 404
    async with bench.client() as browser:
        assert "Remove the run" not in (await browser.get(f"/runs/{open_run.id}")).text
        page = (await browser.get(f"/runs/{other.id}")).text
        assert "Its notebook and all the files that it made go with it" in page
        answer = await browser.post(f"/runs/{other.id}/remove", headers=xsrf())
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
        assert (await browser.get(f"/runs/{other.id}")).status_code == 404
    assert [folder.name for folder in bench.data.runs.iterdir()] == [open_run.id]


async def test_a_foreign_page_removes_nothing_and_makes_no_rule(bench: LittleBench) -> None:
    run = ended(bench)
    async with bench.client() as browser:
        for address, said in ((f"/runs/{run.id}/remove", {}), ("/runs/kept", {"days": "1"})):
            assert (await browser.post(address, data=said)).status_code == 403
            foreign = {**xsrf(), "origin": "https://evil.example"}
            assert (await browser.post(address, data=said, headers=foreign)).status_code == 403
    assert bench.ledger.run(run.id)
    assert bench.portal.keeping.wish(bench.person()) is None
