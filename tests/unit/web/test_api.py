"""The JSON twins, what they refuse, and that their description is true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drybench.phases import Outcome, Phase, Reason
from drybench.web import api
from drybench.web.screen import rfc3339
from tests.unit.web.little_bench import ADA, FROM_SESSION, LittleBench, little_bench, notebook, xsrf

SENT = {"notebook": ("wing disc.ipynb", notebook("print(step)", parameters="step: int = 2  # how far; 1..9"))}


async def test_sessions_are_asked_for_stopped_started_and_removed(bench: LittleBench) -> None:
    async with bench.program() as program:
        asked = (await program.post("/sessions", json={"name": "lab"})).json()
        assert (asked["name"], asked["phase"], asked["ahead"]) == ("lab", "waiting", 0)
        assert asked["url"] == "http://localhost:8000/user/ada/lab/"
        path = f"/sessions/{asked['id']}"
        assert (await program.post(f"{path}/stop")).json()["wanted"] == "stop"
        assert (await program.delete(path)).json()["code"] == "still_open"
        bench.move(bench.portal.sessions.get(bench.person(), asked["id"]), Phase.ENDED, Outcome.STOPPED)
        assert (await program.post(f"{path}/start")).json()["phase"] == "waiting"
        bench.move(bench.portal.sessions.get(bench.person(), asked["id"]), Phase.ENDED, Outcome.STOPPED)
        assert (await program.delete(path)).status_code == 204
        assert (await program.get("/sessions")).json() == {"items": [], "next": None}


async def test_a_run_is_asked_for_with_typed_parameters(bench: LittleBench) -> None:
    request = {"parameters": {"step": 5}, "name": "wing"}
    async with bench.program() as program:
        asked = await program.post("/runs", files=SENT, data={"request": json.dumps(request)})
        assert asked.status_code == 201
        run = asked.json()
        assert (run["name"], run["parameters"], run["phase"]) == ("wing", {"step": 5}, "waiting")
        assert run["url"] == f"http://localhost:8000/runs/{run['id']}"
        assert (await program.get("/runs")).json()["items"][0]["id"] == run["id"]
        assert (await program.get("/runs", params={"search": "eye"})).json()["items"] == []


async def test_the_same_key_asks_once(bench: LittleBench) -> None:
    async with bench.program() as program:
        ids = {
            (await program.post("/runs", files=SENT, headers={"idempotency-key": "one"})).json()["id"] for _ in range(3)
        }
    assert len(ids) == 1
    assert len(bench.portal.runs.mine(bench.person()).rows) == 1


async def test_long_lists_come_in_parts(bench: LittleBench) -> None:
    made = [bench.run(name=f"run-{number}").id for number in range(5)]
    seen, cursor = list[str](), ""
    async with bench.program() as program:
        while cursor is not None:
            part = (await program.get("/runs", params={"limit": 2, "cursor": cursor})).json()
            seen += [run["id"] for run in part["items"]]
            cursor = part["next"]
    assert seen == made[::-1]


async def test_runs_are_found_by_their_state(bench: LittleBench) -> None:
    failed, waiting = bench.run(name="wing one"), bench.run(name="wing two")
    bench.fail(failed, Reason.CELL_ERROR)
    async with bench.program() as program:
        for asked, found in (("failed", [failed]), ("waiting", [waiting]), ("lost", []), ("", [waiting, failed])):
            items = (await program.get("/runs", params={"state": asked, "search": "wing"})).json()["items"]
            assert [run["id"] for run in items] == [run.id for run in found]
        refused = await program.get("/runs", params={"state": "broken"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_such_state")
    assert "waiting, running, done, failed, stopped, lost" in refused.json()["next_step"]


async def test_inspect_says_what_a_notebook_takes(bench: LittleBench) -> None:
    async with bench.program() as program:
        found = (await program.post("/notebooks/inspect", files=SENT)).json()
    assert found["parameters"] == [
        {
            "name": "step",
            "type": "int",
            "kind": "whole",
            "takes": "a whole number from 1 to 9",
            "default": "2",
            "start": "2",
            "label": "how far",
            "help": "how far; 1..9",
            "choices": [],
            "minimum": 1,
            "maximum": 9,
            "step": None,
            "optional": False,
        }
    ]
    assert (found["kernel"], found["has_cell"]) == ("python3", True)


@pytest.mark.parametrize(
    ("files", "request_field", "code"),
    [
        ({"notebook": ("a.ipynb", b"%PDF-1.4")}, "{}", "not_a_notebook"),
        ({"notebook": ("a.ipynb", b'{"nbformat": 3, "worksheets": []}')}, "{}", "notebook_too_old"),
        ({"notebook": ("a\x1b.ipynb", notebook("1"))}, "{}", "name_not_allowed"),
        (SENT, '{"parameters": {"stap": 1}}', "parameters_wrong"),
        (SENT, '{"parameters": {"step": "many"}}', "parameters_wrong"),
        (SENT, '{"parameters": {"step": 10}}', "parameters_wrong"),
        (SENT, '{"parameters": {"step": NaN}}', "parameters_wrong"),
        (SENT, '{"parameters": {"step": "\\ud800"}}', "request_wrong"),
        (SENT, '{"environment": "cobol"}', "no_such_environment"),
        (SENT, '{"unknown": 1}', "request_wrong"),
        (SENT, "no json", "request_wrong"),
        ({"another": ("a.ipynb", b"")}, "{}", "no_notebook_sent"),
    ],
)
async def test_bad_input_gets_a_sentence_and_is_not_queued(
    bench: LittleBench, files: dict[str, Any], request_field: str, code: str
) -> None:
    async with bench.program() as program:
        answer = await program.post("/runs", files=files, data={"request": request_field})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["sentence"]
    assert answer.json()["next_step"]
    assert bench.ledger.open_tasks() == []


async def test_too_large_is_refused_while_it_comes(tmp_path: Path) -> None:
    bench = little_bench(tmp_path, runs={"notebook_limit": "1 MB"})
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--x\r\nContent-Disposition: form-data; name="notebook"; filename="a.ipynb"\r\n\r\n'
        while True:
            read += 1 << 20
            yield bytes(1 << 20)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    async with bench.program() as program:
        announced = await program.post("/runs", content=bytes(5 << 20), headers=kind)
        streamed = await program.post("/notebooks/inspect", content=endless(), headers=kind)
        elsewhere = await program.post("/sessions", content=bytes(4 << 20))
    assert [answer.status_code for answer in (announced, streamed, elsewhere)] == [413, 413, 413]
    assert announced.json()["code"] == "too_large"
    assert read < 8 << 20
    bench.ledger.close()


async def test_a_failed_run_says_why(bench: LittleBench) -> None:
    run = bench.run()
    bench.fail(run, Reason.OUT_OF_MEMORY)
    async with bench.program() as program:
        said = (await program.get(f"/runs/{run.id}")).json()
    assert (said["phase"], said["outcome"], said["reason"]) == ("ended", "failed", "out_of_memory")
    assert "memory" in said["sentence"]
    assert said["next_step"]


async def test_journal_and_log_come_from_an_offset(bench: LittleBench) -> None:
    run = bench.run()
    bench.journal(run, {"format": 1, "event": "began", "at": "2026-01-01T00:00:00Z", "cells": 1})
    bench.made(run, "log.txt", "one\ntwo\n")
    async with bench.program() as program:
        first = (await program.get(f"/runs/{run.id}/journal")).json()
        again = (await program.get(f"/runs/{run.id}/journal", params={"since": first["next"]})).json()
        log = await program.get(f"/runs/{run.id}/log", params={"since": 4})
    assert [event["event"] for event in first["events"]] == ["began"]
    assert (again["events"], again["ended"]) == ([], False)
    assert (log.text, log.headers["drybench-next"]) == ("two\n", "8")


async def test_a_followed_log_ends_with_its_run(bench: LittleBench) -> None:
    run = bench.run()
    bench.made(run, "log.txt", "all of it\n")
    bench.move(run, Phase.ENDED, Outcome.DONE)
    async with bench.program() as program:
        assert (await program.get(f"/runs/{run.id}/log", params={"follow": 1})).text == "all of it\n"


@pytest.mark.parametrize("name", ["page.html", "pictures/Fläche 100%.svg", 'a"b;.txt'])
async def test_what_a_task_wrote_is_only_ever_downloaded(bench: LittleBench, name: str) -> None:
    run = bench.run()
    bench.made(run, f"output/{name}", "<script>alert(1)</script>")
    async with bench.client() as browser:
        listed = (await browser.get(f"/api/v1/runs/{run.id}/files")).json()["items"]
        file = await browser.get(f"/api/v1/runs/{run.id}/files/{name.replace('%', '%25')}")
        log = await browser.get(f"/api/v1/runs/{run.id}/log")
        whole = await browser.get(f"/api/v1/runs/{run.id}/notebook")
    assert [one["path"] for one in listed] == [name]
    assert file.text == "<script>alert(1)</script>"
    for answer in (file, whole):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; ")
    for answer in (file, whole, log):
        assert answer.headers["content-security-policy"].startswith("sandbox;")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert log.headers["content-type"].startswith("text/plain")
    assert 'filename="' in file.headers["content-disposition"]
    assert file.headers["content-disposition"].isascii()


@pytest.mark.parametrize("path", ["../result.json", "..%2Fresult.json", "link", "/etc/passwd", "no such"])
async def test_nothing_but_outputs_is_handed_out(bench: LittleBench, path: str) -> None:
    run = bench.run()
    bench.made(run, "result.json", "{}")
    bench.made(run, "output/there", "")
    (bench.portal.run_folders.path(run.id) / "1/made/output/link").symlink_to("/etc/passwd")
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/files/{path}")
    assert "root:" not in answer.text
    assert answer.status_code == 404


async def test_environments_machine_and_engines_have_their_twins(bench: LittleBench) -> None:
    bench.session()
    async with bench.program() as program:
        environments = (await program.get("/environments")).json()["items"]
        machine = (await program.get("/machine")).json()
        engines = (await program.get("/engines")).json()["items"]
    assert environments[0]["name"] == "python"
    assert "python3" in environments[0]["kernels"]
    assert (machine["waiting"], machine["working"]) == (1, 0)
    assert {limit["setting"] for limit in engines} >= {"engines.local.people_trust_each_other"}


async def test_a_session_learns_what_a_run_may_be_given(bench: LittleBench) -> None:
    session = bench.session()
    async with bench.program(FROM_SESSION) as program:
        sizes = (await program.get("/sizes")).json()["items"]
    assert [(size["name"], size["cores"], size["memory"]) for size in sizes] == [
        ("default", 1, 3 << 29),
        ("large", 4, 8 << 30),
    ]
    assert session.task.spec.env["DRYBENCH_ENVIRONMENT"] == "python"


async def test_the_description_names_every_address_and_every_answer_fits_it(bench: LittleBench) -> None:
    async with bench.program() as program:
        described = (await program.get("/openapi.json")).json()
    paths = described["paths"]
    assert {path for path in paths if not path.startswith("/api/v1/")} == set()
    assert {"get", "post"} == set(paths["/api/v1/runs"])
    form = paths["/api/v1/runs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"notebook", "requirements", "request"}
    for path, methods in paths.items():
        for method, told in methods.items():
            assert told["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem"), (
                path,
                method,
            )


async def test_a_page_can_do_by_script_what_a_program_does(bench: LittleBench) -> None:
    async with bench.client() as browser:
        asked = await browser.post("/api/v1/runs", files=SENT, headers=xsrf(ADA))
    assert asked.status_code == 201


async def test_an_error_nobody_foresaw_is_a_sentence_too(
    bench: LittleBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.portal.sessions, "mine", breaks)
    async with bench.program() as program, bench.client() as browser:
        answer, page = await program.get("/sessions"), await browser.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "drybench_error")
    assert page.status_code == 500
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in page.text


@pytest.mark.parametrize("odd", ["NaN", "-Infinity", "1e999"])
async def test_of_a_journal_is_shown_what_json_in_utf8_can_hold(bench: LittleBench, odd: str) -> None:
    run = bench.run()
    halves = '{"event": "halves", "at": "\\ud800"}\n{"event": "whole", "at": "\\ud83d\\ude00"}\n'
    bench.made(run, "progress.jsonl", f'{{"event": "odd", "at": {odd}}}\n{halves}')
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/journal")
    assert [event["at"] for event in answer.json()["events"]] == ["?", "\N{GRINNING FACE}"]


async def test_following_a_log_leaves_nothing_behind(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "BETWEEN_LOOKS", 0.01)
    run = bench.run()
    async with bench.program() as program:
        following = asyncio.create_task(program.get(f"/runs/{run.id}/log", params={"follow": True}))
        await asyncio.sleep(0.5)
        waiting = len(asyncio.all_tasks())
        bench.move(run, Phase.ENDED, Outcome.DONE)
        await following
    assert waiting < 10


async def test_a_session_started_again_tells_both_askings(bench: LittleBench) -> None:
    session = bench.session("lab")
    async with bench.program() as program:
        first = (await program.get(f"/sessions/{session.id}")).json()
        bench.move(session, Phase.ENDED, Outcome.STOPPED)
        bench.portal.sessions.start(bench.person(), session.id)
        again = (await program.get(f"/sessions/{session.id}")).json()
    task = bench.ledger.task(again["task"])
    assert task is not None
    assert task.created_at > session.created_at
    assert (first["asked_at"], again["created_at"]) == (first["created_at"], first["created_at"])
    assert again["asked_at"] == rfc3339(task.created_at)
