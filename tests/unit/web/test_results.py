"""What a run left behind is there after every end, to be looked at, downloaded and opened."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Connection

from drybench.model import Run
from drybench.phases import Outcome, Phase, Reason
from tests.unit.web.little_bench import BOB, LittleBench, notebook, now, xsrf

ENDS = [
    (Outcome.DONE, None),
    (Outcome.FAILED, Reason.CELL_ERROR),
    (Outcome.FAILED, Reason.TIMED_OUT),
    (Outcome.FAILED, Reason.OUT_OF_MEMORY),
    (Outcome.FAILED, Reason.KERNEL_DIED),
    (Outcome.STOPPED, Reason.CANCELLED),
    (Outcome.LOST, Reason.MACHINE_GONE),
    (Outcome.LOST, Reason.WATCHER_DIED),
]


@pytest.mark.parametrize(("outcome", "reason"), ENDS)
async def test_every_end_keeps_notebook_log_and_files(
    bench: LittleBench, outcome: Outcome, reason: Reason | None
) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    output = {"output_type": "stream", "name": "stdout", "text": "so far\n"}
    bench.journal(run, {"event": "cell", "index": 0}, {"event": "output", "index": 0, "output": output})
    bench.made(run, "log.txt", "cell 1 of 1\n")
    bench.made(run, "output/areas.csv", "frame,area\n1,42\n")
    if outcome is Outcome.STOPPED:
        bench.portal.runs.cancel(bench.person(), run.id)
    bench.move(run, Phase.ENDED, outcome, reason=reason)
    async with bench.client() as browser, bench.program() as program:
        page = (await browser.get(f"/runs/{run.id}")).text
        frame = (await browser.get(f"/runs/{run.id}/notebook.html")).text
        files = zipfile.ZipFile(io.BytesIO((await program.get(f"/runs/{run.id}/output.zip")).content))
        log = (await program.get(f"/runs/{run.id}/log")).text
    assert "areas.csv" in page
    assert "Download the notebook" in page
    assert "so far" in frame
    assert log == "cell 1 of 1\n"
    assert sorted(files.namelist()) == ["log.txt", "notebook.ipynb", "output/areas.csv"]
    assert b"so far" in files.read("notebook.ipynb")


async def test_a_zip_follows_no_link_and_no_name_climbs(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    folder = bench.made(run, "output/real.txt", "x").parent
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / "..\\..\\evil\n.txt").write_text("y")
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/output.zip", params={"notebook": "false"})
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sorted(names) == ["output/evil/x0a.txt", "output/real.txt"]
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_pictures_are_shown_in_a_sandbox_and_only_as_what_they_are(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "output/a.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    bench.made(run, "output/b.png", "<script>alert(1)</script>")
    bench.made(run, "output/c.html", "<script>alert(1)</script>")
    async with bench.client() as browser:
        svg = await browser.get(f"/runs/{run.id}/picture/a.svg")
        others = [await browser.get(f"/runs/{run.id}/picture/{name}") for name in ("b.png", "c.html", "none.png")]
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert [answer.status_code for answer in others] == [404, 404, 404]


async def test_previews_show_tables_and_text_and_no_markup_of_a_task(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "output/deep in/a.csv", "name,area\n<b>x</b>,42\n")
    bench.made(run, "output/b.html", "<script>alert(1)</script>")
    async with bench.client() as browser:
        table = (await browser.get(f"/runs/{run.id}/preview/deep%20in/a.csv")).text
        text = (await browser.get(f"/runs/{run.id}/preview/b.html")).text
        gone = await browser.get(f"/runs/{run.id}/preview/none.txt")
    assert "&lt;b&gt;x&lt;/b&gt;" in table
    assert '<td class="number">42</td>' in table
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert gone.status_code == 404


async def test_whole_outputs_are_listed_and_downloaded(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "whole/3-stdout.txt", "all of it\n")
    async with bench.client() as browser, bench.program() as program:
        page = (await browser.get(f"/runs/{run.id}")).text
        listed = (await program.get(f"/runs/{run.id}/whole")).json()["items"]
        whole = await program.get(f"/runs/{run.id}/whole/3-stdout.txt")
        climbing = await program.get(f"/runs/{run.id}/whole/..%2Flog.txt")
    assert f"/api/v1/runs/{run.id}/whole/3-stdout.txt" in page
    assert [one["path"] for one in listed] == ["3-stdout.txt"]
    assert whole.text == "all of it\n"
    assert climbing.status_code == 404


async def test_nobody_else_sees_any_of_it(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "output/a.png", b"\x89PNG\r\n\x1a\n")
    async with bench.client(BOB) as browser, bench.program(BOB) as program:
        for place in ("preview/a.png", "picture/a.png", "now"):
            assert (await browser.get(f"/runs/{run.id}/{place}")).status_code == 404
        for deed in ("star", "unstar", "open"):
            assert (await browser.post(f"/runs/{run.id}/{deed}", headers=xsrf(BOB))).status_code == 404
        for place in ("output.zip", "whole", "whole/a"):
            assert (await program.get(f"/runs/{run.id}/{place}")).status_code == 404


async def test_a_star_comes_and_goes_and_is_found(bench: LittleBench) -> None:
    run = bench.run("1", name="kept")
    bench.run("1", name="other")
    async with bench.client() as browser:
        for _ in range(2):
            await browser.post(f"/runs/{run.id}/star", headers=xsrf())
        starred = (await browser.get("/runs?starred=1")).text
        await browser.post(f"/runs/{run.id}/unstar", headers=xsrf())
        none = (await browser.get("/runs?starred=1")).text
    assert "kept" in starred
    assert "other" not in starred
    assert "kept" not in none
    deeds = [deed.deed for deed in bench.ledger.deeds(bench.person().id).rows]
    assert (deeds.count("starred"), deeds.count("unstarred")) == (1, 1)


async def test_it_opens_in_a_session_of_its_environment(bench: LittleBench) -> None:
    run = bench.run("1", name="wing disc")
    bench.move(run, Phase.RUNNING)
    bench.made(run, "notebook.ipynb", notebook("1"))
    bench.move(run, Phase.ENDED, Outcome.DONE)
    async with bench.client() as browser:
        answer = await browser.post(f"/runs/{run.id}/open", headers=xsrf())
        where = answer.headers["location"]
        session = bench.portal.sessions.mine(bench.person())[0]
        bench.move(session, Phase.RUNNING, answers=True)
        start = (await browser.get(where)).text
        again = await browser.post(f"/runs/{run.id}/open", headers=xsrf())
    there = parse_qs(urlsplit(where).query)["next"][0]
    assert (
        there == f"lab/tree/drybench-runs/{run.created_at:%Y-%m-%d}%20wing%20disc%20{run.id[-6:]}/1/made/notebook.ipynb"
    )
    assert f'<go-to href="{bench.portal.sessions.url(session)}{there}">' in start
    assert again.headers["location"] == where


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example", "../../hub/logout", "lab/%2e%2e/%2E%2E/hub", "\\evil", "lab?x=1", "a b"],
)
async def test_start_leads_nowhere_but_into_its_session(bench: LittleBench, place: str) -> None:
    session = bench.session("lab")
    bench.move(session, Phase.RUNNING, answers=True)
    async with bench.client() as browser:
        page = (await browser.get(f"/start/{session.id}", params={"next": place})).text
    assert f'<go-to href="{bench.portal.sessions.url(session)}">' in page


async def test_a_running_run_says_what_it_takes_and_still_needs(bench: LittleBench) -> None:
    before = bench.run("1")
    began = now() - timedelta(hours=1)
    at = [(began + timedelta(seconds=seconds)).isoformat() for seconds in (0, 1, 301)]
    bench.move(before, Phase.RUNNING)
    bench.journal(before, {"event": "began", "at": at[0]}, {"event": "cell", "index": 0, "n": 1, "at": at[1]})
    bench.journal(before, {"event": "ended", "at": at[2]})
    bench.move(before, Phase.ENDED, Outcome.DONE)
    bench.ledger.settle(bench.portal.runs.get(bench.person(), before.id), None, 301.0, _nothing_else)
    run = bench.portal.runs.again(bench.person(), before.id)
    bench.move(run, Phase.RUNNING, memory_used=1288490188, cpu_used=0.94)
    bench.journal(run, {"event": "began", "at": now().isoformat()})
    bench.journal(run, {"event": "cell", "index": 0, "n": 1, "at": now().isoformat()})
    async with bench.client() as browser:
        told = (await browser.get(f"/runs/{run.id}/now")).text
        bench.move(run, Phase.ENDED, Outcome.DONE)
        ended = (await browser.get(f"/runs/{run.id}/now")).text
    assert "about 5 min left, as last time" in told
    assert "1.2 of 1.5 GiB · 0.9 cores" in told
    assert "hx-trigger" in told
    assert "hx-trigger" not in ended


async def test_a_missing_module_and_missing_memory_offer_a_way_on(bench: LittleBench) -> None:
    module, memory = bench.run("import skimage"), bench.run("[0] * 10**12")
    error: dict[str, Any] = {"name": "ModuleNotFoundError", "value": "No module named 'skimage'", "traceback": []}
    result: dict[str, Any] = {
        "format": 1,
        "outcome": "failed",
        "reason": "cell_error",
        "error": error,
        "missing_module": "skimage",
    }
    bench.fail(module, Reason.CELL_ERROR, {**result, "started_at": "", "ended_at": "", "cells": 1, "executed": 0})
    bench.fail(memory, Reason.OUT_OF_MEMORY)
    async with bench.client() as browser:
        pages = [(await browser.get(f"/runs/{run.id}")).text for run in (module, memory)]
    assert f"/runs/new?again={module.id}&amp;add=scikit-image" in pages[0]
    assert f"/runs/new?again={memory.id}&amp;size=large" in pages[1]
    assert "Run again in size Large" in pages[1]


async def test_cancel_twice_and_while_it_starts_and_again_while_it_runs(bench: LittleBench) -> None:
    run = bench.run("1")
    bench.move(run, Phase.STARTING)
    async with bench.client() as browser:
        answers = [await browser.post(f"/runs/{run.id}/cancel", headers=xsrf()) for _ in range(2)]
        answers.append(await browser.post(f"/runs/{run.id}/again", headers=xsrf()))
        page = (await browser.get(f"/runs/{run.id}")).text
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert answers[2].headers["location"] != f"/runs/{run.id}"
    assert "stopping" in page


async def test_a_program_opens_a_run_in_jupyterlab(bench: LittleBench) -> None:
    run = bench.run("1")
    async with bench.program() as program:
        opened = await program.post(f"/runs/{run.id}/open")
        there = await program.post(f"/runs/{'0' * 32}/open")
    assert (opened.status_code, there.status_code) == (201, 404)
    assert opened.json()["url"].startswith(f"{bench.public}/start/{opened.json()['id']}?next=lab")


async def test_a_run_is_removed_only_when_nothing_works_on_it(bench: LittleBench) -> None:
    run = bench.run("1")
    async with bench.program() as program:
        refused = []
        for phase in (Phase.WAITING, Phase.STARTING, Phase.RUNNING):
            bench.move(run, phase)
            refused.append(await program.delete(f"/runs/{run.id}"))
        still = await program.get(f"/runs/{run.id}")
    assert [answer.status_code for answer in refused] == [409, 409, 409]
    assert refused[0].json().keys() == {"code", "sentence", "next_step"}
    assert still.json()["phase"] == "running"


async def test_cancelling_twice_by_a_program_is_asked_for_once(bench: LittleBench) -> None:
    run = bench.run("1")
    async with bench.program() as program:
        bench.move(run, Phase.STARTING)
        first = await program.post(f"/runs/{run.id}/cancel")
        second = await program.post(f"/runs/{run.id}/cancel")
        again = await program.post(f"/runs/{run.id}/again")
        bench.move(run, Phase.ENDED, Outcome.STOPPED)
        third = await program.post(f"/runs/{run.id}/cancel")
    assert [one.status_code for one in (first, second, again, third)] == [202, 202, 201, 202]
    assert (first.json()["wanted"], second.json()["wanted"]) == ("stop", "stop")
    assert (again.json()["again_of"], again.json()["phase"], again.json()["wanted"]) == (run.id, "waiting", "run")
    assert (third.json()["phase"], third.json()["outcome"]) == ("ended", "stopped")


async def test_runs_are_found_by_tag_and_star(bench: LittleBench) -> None:
    tagged, plain = bench.run("1", tags=("wing",)), bench.run("2")
    async with bench.program() as program:
        await program.post(f"/runs/{plain.id}/star")
        found = [(await program.get(f"/runs?{asked}")).json()["items"] for asked in ("tag=wing", "starred=true", "")]
    assert [[run["id"] for run in part] for part in found] == [[tagged.id], [plain.id], [plain.id, tagged.id]]


def _nothing_else(connection: Connection, run: Run) -> None: ...
