"""The kernel of a failed run is kept: what its page and the API do with it, and for whom."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from drybench.model import Run
from drybench.phases import Outcome, Phase
from tests.unit.web.little_bench import BOB, FROM_SESSION, LittleBench, now, xsrf

WORDS = ("attach", "go-on", "let-go")


def held(bench: LittleBench) -> Run:
    run = bench.run("a = 1", "b", "c = 1", hold=600)
    bench.move(run, Phase.RUNNING)
    bench.ledger.note_progress(run.id, 2, 3, 1, now() + timedelta(minutes=10))
    return run


def told(bench: LittleBench, run: Run) -> dict[str, Any]:
    folder = bench.portal.run_folders.path(run.id) / "1" / "told"
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


async def test_the_page_offers_it_only_while_the_kernel_is_kept(bench: LittleBench) -> None:
    run = held(bench)
    async with bench.client() as browser:
        assert "It failed, and its kernel is kept" in (await browser.get(f"/runs/{run.id}")).text
        bench.move(run, Phase.ENDED, Outcome.FAILED)
        assert "its kernel is kept" not in (await browser.get(f"/runs/{run.id}")).text


async def test_attach_is_one_session_of_the_same_person_with_the_kernels_folder(bench: LittleBench) -> None:
    run = held(bench)
    async with bench.client() as browser:
        answers = [await browser.post(f"/runs/{run.id}/attach", headers=xsrf()) for _ in range(2)]
    (session,) = bench.portal.sessions.mine(bench.person())
    for answer in answers:
        assert answer.status_code == 303
        address, _, there = answer.headers["location"].partition("?")
        assert address == f"/start/{session.id}"
        assert re.match(r"next=lab%2Fworkspaces%2Fkernel-\w+%2Ftree%2Fdrybench-runs", there)
    assert [mount.source for mount in session.task.spec.mounts] == [bench.portal.run_folders.held(run.id, 1)]
    assert list(told(bench, run)) == ["attached"]


async def test_go_on_says_from_which_cell_each_time_anew_and_let_go_says_so(bench: LittleBench) -> None:
    run = held(bench)
    async with bench.client() as browser:
        for said in ({}, {"next": "yes"}):
            answer = await browser.post(f"/runs/{run.id}/go-on", data=said, headers=xsrf())
            assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run.id}")
        await browser.post(f"/runs/{run.id}/let-go", headers=xsrf())
    assert told(bench, run) == {
        "go_on-1": {"format": 1, "from": 1},
        "go_on-2": {"format": 1, "from": 2},
        "let_go": {"format": 1},
    }


async def test_the_json_twins(bench: LittleBench) -> None:
    run = held(bench)
    async with bench.program() as ada:
        assert (await ada.get(f"/runs/{run.id}")).json()["held_until"]
        attached = await ada.post(f"/runs/{run.id}/attach")
        assert (attached.status_code, attached.json()["environment"]) == (201, run.environment)
        for ask in (None, {"next": True}):
            assert (await ada.post(f"/runs/{run.id}/go-on", json=ask)).status_code == 202
        assert (await ada.post(f"/runs/{run.id}/go-on", json={"from": 3})).status_code == 422
        assert (await ada.post(f"/runs/{run.id}/let-go")).json()["id"] == run.id
    assert [word["from"] for name, word in told(bench, run).items() if name.startswith("go_on")] == [1, 2]


@pytest.mark.parametrize("word", WORDS)
async def test_what_is_not_kept_somebody_elses_or_asked_for_by_a_foreign_page(bench: LittleBench, word: str) -> None:
    kept, running = held(bench), bench.run()
    bench.move(running, Phase.RUNNING)
    async with bench.program() as ada, bench.program(BOB) as bob, bench.program(FROM_SESSION) as session:
        answer = await ada.post(f"/runs/{running.id}/{word}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_held")
        assert (await bob.post(f"/runs/{kept.id}/{word}")).status_code == 404
        assert (await session.post(f"/runs/{kept.id}/{word}")).status_code == 403
    async with bench.client() as browser:
        page = await browser.post(f"/runs/{running.id}/{word}", headers=xsrf())
        assert page.status_code == 409
        assert "is not kept, or not any more" in page.text
        assert (await browser.post(f"/runs/{kept.id}/{word}")).status_code == 403
        foreign = {**xsrf(), "origin": "https://evil.example"}
        assert (await browser.post(f"/runs/{kept.id}/{word}", headers=foreign)).status_code == 403
    assert told(bench, kept) == {}
    assert list(bench.portal.sessions.mine(bench.person())) == []


async def test_one_that_is_being_cancelled_is_kept_no_longer(bench: LittleBench) -> None:
    run = held(bench)
    async with bench.program() as ada:
        await ada.post(f"/runs/{run.id}/cancel")
        assert [(await ada.post(f"/runs/{run.id}/{word}")).status_code for word in WORDS] == [409] * 3
