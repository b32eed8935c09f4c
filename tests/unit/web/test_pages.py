"""Every page answers, says what is there, and teaches where nothing is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from drybench.catalogue import Desktops
from drybench.environment_folders import Read
from drybench.phases import Outcome, Phase, Reason
from drybench.web import sandbox
from tests.unit.web.little_bench import LittleBench, little_bench, notebook, now, xsrf


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


async def test_each_app_of_a_session_is_one_click_away(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.portal.catalogue, "_desktops", Desktops(shows_here=lambda app: True))
    async with bench.client() as browser:
        home = (await browser.get("/")).text
        for app, kind in (("lab", "primary"), ("desktop", "quiet"), ("terminal", "quiet")):
            assert f'<button class="button {kind}" name="app" value="{app}">' in home
        form = {"environment": "python", "app": "desktop", "_xsrf": xsrf()["x-xsrftoken"]}
        asked = await browser.post("/sessions", data=form)
        session = bench.portal.sessions.mine(bench.person())[0]
        assert asked.headers["location"] == f"/start/{session.id}"
        other = await browser.post("/sessions", data={**form, "app": "terminal"})
        assert other.headers["location"] == f"/start/{session.id}?next=terminal/"
        bench.move(session, Phase.RUNNING, answers=True)
        started = (await browser.get(other.headers["location"])).text
        home = (await browser.get("/")).text
        root = bench.portal.sessions.root(session)
    assert f'href="{root}terminal/"' in started
    assert f'<a class="button primary" href="{root}desktop/">Open</a>' in home
    assert f'<a class="button quiet" href="{root}">JupyterLab</a>' in home
    assert f'<a class="button quiet" href="{root}terminal/">Terminal</a>' in home
    async with bench.program() as program:
        shown = (await program.get(f"/sessions/{session.id}")).json()
        assert [(app["name"], app["url"]) for app in shown["apps"]] == [
            ("desktop", f"{root}desktop/"), ("lab", root), ("terminal", f"{root}terminal/")
        ]  # fmt: skip
        again = (await program.post("/sessions", json={"environment": "python", "app": "terminal"})).json()
    assert (again["id"], again["app"], again["url"]) == (session.id, "terminal", f"{root}terminal/")


async def test_what_the_bench_has_no_more_is_called_by_its_name(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bench.session("my-lab")
    async with bench.client() as browser:
        assert "JupyterLab in Python · 1 core, 1.5 GiB" in (await browser.get(f"/start/{session.id}")).text
        monkeypatch.setattr(bench.portal.catalogue, "_read", Read({}, ()))
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
        assert 'name="next" value="lab/tree/a%20b.ipynb"' in page.text
        for method in ("GET", "POST", "DELETE"):
            answer = await browser.request(method, "/user/ada/lab/api/kernels", headers={"accept": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (424, "session_not_running")
        assert (await browser.get("/user/ada/")).headers["location"] == "/"
        assert (await browser.get("/user/ada/never/lab")).headers["location"] == "/"


async def test_started_again_it_leads_back_to_where_one_was_and_nowhere_else(bench: LittleBench) -> None:
    session = bench.session("lab")
    bench.move(session, Phase.ENDED, Outcome.STOPPED)
    async with bench.client() as browser:
        for next, there in (("lab/tree/a%20b.ipynb", "?next=lab/tree/a%2520b.ipynb"), ("//evil.example", ""), ("", "")):
            answer = await browser.post(f"/sessions/{session.id}/start", data={"next": next}, headers=xsrf())
            assert answer.headers["location"] == f"/start/{session.id}{there}"


async def test_the_page_of_a_session_that_does_not_run_keeps_the_place_when_it_looks_again(bench: LittleBench) -> None:
    """The app that was open here may be another than the session's own."""
    session = bench.session("lab")
    async with bench.client() as browser:
        page = (await browser.get("/user/ada/lab/lab/tree/a%20b.ipynb")).text
        again = re.search(r'hx-get="([^"]+)"', page)
        assert again
        bench.move(session, Phase.RUNNING, answers=True)
        running = (await browser.get(again[1])).text
        bench.move(session, Phase.ENDED, Outcome.STOPPED)
        stopped = (await browser.get(again[1])).text
        elsewhere = (await browser.get(f"/start/{session.id}", params={"next": "//evil.example"})).text
    assert '<go-to href="http://localhost:8000/user/ada/lab/lab/tree/a%20b.ipynb">' in running
    assert 'name="next" value="lab/tree/a%20b.ipynb"' in stopped
    assert f'hx-get="{again[1]}"' in stopped
    assert 'name="next"' not in elsewhere


async def test_a_session_whose_way_is_being_opened_leads_there_by_itself(bench: LittleBench) -> None:
    session = bench.session("lab")
    bench.move(session, Phase.RUNNING, answers=True)
    async with bench.client() as browser:
        page = await browser.get("/user/ada/lab/lab/tree/a%20b.ipynb?reset")
    assert 'content="1; url=http://localhost:8000/user/ada/lab/lab/tree/a%20b.ipynb?reset"' in page.text


async def test_the_page_of_a_session_asks_only_the_portal_and_goes_there_once(bench: LittleBench) -> None:
    session = bench.session("lab")
    async with bench.client() as browser:
        on_its_way = (await browser.get("/user/ada/lab/lab/tree")).text
        bench.move(session, Phase.RUNNING, answers=True)
        ready = (await browser.get("/user/ada/lab/lab/tree")).text
        start = (await browser.get(f"/start/{session.id}")).text
    assert f'id="start" hx-get="/start/{session.id}?next=lab/tree" hx-select="#start"' in on_its_way
    assert 'http-equiv="refresh"' not in on_its_way
    assert "hx-get" not in ready
    assert '<div class="narrow" id="start"' in start
    assert start.count("<go-to ") == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bench": {"own_host_names": True, "address": "https://bench.example"}},
        {"bench": {"people_share_one_host_name": True}},
    ],
)
async def test_engines_says_the_same_on_its_page_and_in_json(tmp_path: Path, settings: dict[str, Any]) -> None:
    bench = little_bench(tmp_path, **settings)
    async with bench.client() as browser, bench.program() as program:
        page = (await browser.get("/engines")).text
        told = (await program.get("/engines")).json()["items"]
    assert re.findall("<dt>(.*)</dt>", page) == [str(escape(limit["what"])) for limit in told]
    assert told[-1]["what"] == "Protection of a record from its own run"
    assert [limit["on"] for limit in told] == [True, False, False, False, False][: len(told)]


async def test_engines_tells_of_containers_that_are_there_and_what_is_off_in_them(tmp_path: Path) -> None:
    bench = little_bench(tmp_path, with_containers=True, accounts={"of": "shared", "shared_uid": 20_000})
    async with bench.program() as program:
        told = (await program.get("/engines")).json()["items"]
    assert [limit["what"] for limit in told if limit["on"]] == ["Work in containers", "Work on this machine itself"]
    off = [limit["what"] for limit in told if not limit["on"]]
    assert "Environments without an image: Base, napari" in off
    assert "Accounts of their own for people in containers" in off


async def test_engines_says_why_there_are_no_containers(tmp_path: Path) -> None:
    bench = little_bench(tmp_path, with_containers=True)
    assert bench.containers
    bench.containers.shelf.away = "the settings say so"
    async with bench.program() as program, bench.client() as browser:
        told = (await program.get("/engines")).json()["items"]
        page = (await browser.get("/environments")).text
    assert [limit["what"] for limit in told if limit["on"]] == ["Work on this machine itself"]
    off = next(limit for limit in told if limit["what"] == "Work in containers")
    assert off["why"].startswith("The settings say so. ")
    assert "the settings say so" in page


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/new", "/engines", "/user/ada/lab/lab", "/runs/none", "/sign-in"])
async def test_head_is_answered_like_get_without_a_body(bench: LittleBench, path: str) -> None:
    bench.session("lab")
    async with bench.client() as browser:
        get, head = await browser.get(path), await browser.head(path)
    assert (head.status_code, head.headers.get("content-type")) == (get.status_code, get.headers.get("content-type"))
    assert head.content == b""


async def test_a_sentence_sets_commands_apart_and_escapes_names(bench: LittleBench) -> None:
    async with bench.client() as browser:
        asked = {"environment": "<b>`x`</b>", "app": "lab"}
        page = await browser.post("/sessions", data=asked, headers=xsrf())
        form = {"limit": "<b>`x`</b>"}
        run = await browser.post("/runs/new", data=form, files={"notebook": ("a.ipynb", notebook("1"))}, headers=xsrf())
    assert page.status_code == 422
    for answer in (page, run):
        assert "&lt;b&gt;<code>x</code>&lt;/b&gt;" in answer.text
    assert "`" not in page.text


async def test_a_name_leads_to_the_tokens(bench: LittleBench) -> None:
    async with bench.client() as browser:
        assert '<a class="person" href="/hub/token" title="Tokens">ada</a>' in (await browser.get("/")).text


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
