"""Every page answers, says what is there, and teaches where nothing is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from drybench.phases import Outcome, Phase, Reason
from drybench.web import sandbox
from tests.unit.web.little_bench import LittleBench, now


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/new", "/engines"])
async def test_pages_answer_and_teach_while_nothing_is_there(bench: LittleBench, path: str) -> None:
    async with bench.client() as browser:
        page = await browser.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_home_shows_sessions_runs_and_environments(bench: LittleBench) -> None:
    session, run = bench.session("my-lab"), bench.run(name="analysis")
    bench.move(session, Phase.RUNNING, answers=True)
    bench.fail(run, Reason.OUT_OF_MEMORY)
    async with bench.client() as browser:
        page = (await browser.get("/")).text
    assert "my-lab" in page
    assert bench.portal.sessions.url(session) in page
    assert "analysis" in page
    assert "more memory" in page
    assert "JupyterLab in Python · 1 core, 1.5 GiB" in page


async def test_what_the_bench_has_no_more_is_called_by_its_name(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bench.session("my-lab")
    async with bench.client() as browser:
        assert "JupyterLab in Python · 1 core, 1.5 GiB" in (await browser.get(f"/start/{session.id}")).text
        monkeypatch.setattr(bench.portal.catalogue, "_environments", {})
        assert "lab in python · 1 core, 1.5 GiB" in (await browser.get(f"/start/{session.id}")).text


async def test_runs_by_state_keep_the_search_and_say_when_there_are_none(bench: LittleBench) -> None:
    bench.fail(bench.run(name="wing & disc"), Reason.CELL_ERROR)
    async with bench.client() as browser:
        failed = (await browser.get("/runs", params={"search": "wing & disc", "state": "failed"})).text
        none = (await browser.get("/runs", params={"search": "eye", "state": "lost"})).text
        wrong = await browser.get("/runs", params={"state": "broken"})
    assert "/runs?search=wing+%26+disc&amp;state=lost" in failed
    assert '<input type="hidden" name="state" value="failed">' in failed
    assert "No run with “eye” in its name is lost." in none
    assert '<a href="/runs">Show all</a>' in none
    assert wrong.status_code == 422
    assert "No run is ever “broken”." in wrong.text


async def test_run_page(bench: LittleBench) -> None:
    run = bench.run("x = 1", parameters={})
    bench.move(run, Phase.ENDED, Outcome.DONE)
    async with bench.client() as browser:
        page = await browser.get(f"/runs/{run.id}")
        frame = await browser.get(f"/runs/{run.id}/notebook.html")
    assert page.status_code == 200
    assert frame.status_code == 200
    assert "<iframe" in page.text


async def test_the_address_of_a_stopped_session_offers_the_start(bench: LittleBench) -> None:
    session = bench.session("lab")
    bench.move(session, Phase.ENDED, Outcome.STOPPED)
    async with bench.client() as browser:
        page = await browser.get("/user/ada/lab/lab/tree/a%20b.ipynb")
        assert f'action="/sessions/{session.id}/start"' in page.text
        for method in ("GET", "POST", "DELETE"):
            answer = await browser.request(method, "/user/ada/lab/api/kernels", headers={"accept": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (424, "session_not_running")
        assert (await browser.get("/user/ada/")).headers["location"] == "/"
        assert (await browser.get("/user/ada/never/lab")).headers["location"] == "/"


async def test_a_session_whose_way_is_being_opened_leads_there_by_itself(bench: LittleBench) -> None:
    session = bench.session("lab")
    bench.move(session, Phase.RUNNING, answers=True)
    async with bench.client() as browser:
        page = await browser.get("/user/ada/lab/lab/tree/a%20b.ipynb?reset")
    assert 'content="1; url=http://localhost:8000/user/ada/lab/lab/tree/a%20b.ipynb?reset"' in page.text


async def test_no_word_from_an_engine_is_said_and_nothing_is_taken_for_dead(bench: LittleBench) -> None:
    run = bench.run(name="far")
    bench.move(run, Phase.RUNNING)
    bench.ledger.write_task(run.task.id, {"silent_since": now()})
    async with bench.client() as browser:
        page = (await browser.get(f"/runs/{run.id}")).text
    assert "no word from the engine" in page
    assert "running" in page


async def test_a_notebook_too_large_to_show_is_for_downloading(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.run()
    async with bench.client() as browser:
        monkeypatch.setattr(sandbox, "MOST_SHOWN", 10)
        assert "Download it" in (await browser.get(f"/runs/{run.id}/notebook.html")).text
        monkeypatch.undo()
        bench.made(run, "notebook.ipynb", '{"cells": 7}')
        bench.move(run, Phase.ENDED, Outcome.DONE)
        frame = await browser.get(f"/runs/{run.id}/notebook.html")
    assert frame.status_code == 200
    assert "sandbox allow-scripts" in frame.headers["content-security-policy"]


def test_the_portal_starts_without_what_only_a_notebook_needs() -> None:
    code = (
        "import sys, drybench.web.app; print([m for m in ('nbconvert', 'papermill', 'nbformat') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
