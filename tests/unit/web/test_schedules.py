"""Schedules and channels, over the API and on their pages."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench.errors import NotTaken
from drybench.notices.sending import Letter, Sending
from drybench.phases import Outcome, Phase
from drybench.web import tell_form, when_form
from tests.unit.web.little_bench import BOB, FROM_SESSION, LittleBench, little_bench, notebook, xsrf

WEBHOOK = {"kind": "webhook", "address": "https://93.184.215.14/key-of-ada", "name": "mine"}


def asked(schedule: Any, name: str = "nightly.ipynb", **request: Any) -> dict[str, Any]:
    return {
        "data": {"request": json.dumps(request), "schedule": schedule if schedule is None else json.dumps(schedule)},
        "files": {"notebook": (name, notebook("1"))},
    }


async def ask(program: httpx.AsyncClient, schedule: Any, **request: Any) -> httpx.Response:
    return await program.post("/schedules", **asked(schedule, **request))


WEEKDAYS = {"cron": "30 7 * * 1-5", "zone": "Europe/Berlin"}


async def test_a_schedule_over_the_api(bench: LittleBench) -> None:
    async with bench.program() as program:
        made = (await ask(program, {**WEEKDAYS, "missed": "skip"}, name="drift")).raise_for_status().json()
        assert (made["name"], made["words"]) == ("drift", "Every weekday at 07:30 (Europe/Berlin)")
        assert (made["missed"], made["notebook"], made["paused"], made["problem"]) == ("skip", "now", False, "")
        assert len(made["next"]) == 5
        assert made["next"][0] == made["next_at"]
        here = f"/schedules/{made['id']}"
        assert (await program.get("/schedules")).json()["items"][0]["id"] == made["id"]
        assert (await program.post(f"{here}/pause")).json()["paused"]
        assert (await program.get(here)).json()["next_at"] is None
        assert (await program.post(f"{here}/resume")).json()["next_at"] == made["next_at"]
        run = (await program.post(f"{here}/run-now")).raise_for_status().json()
        assert (await program.get(here)).json()["last_run"] == run["id"]
        assert (await program.delete(here)).status_code == 204
        assert (await program.get(here)).json()["code"] == "no_such_schedule"


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ({"cron": "* * * * * *"}, "cron_too_fine"),
        ({"cron": "0 0 31 2 *"}, "cron_never_comes"),
        ({"cron": "never"}, "cron_wrong"),
        ({"cron": "* * * * *", "zone": "Europe/Atlantis"}, "no_such_zone"),
        ({"at": "2020-01-01 00:00"}, "time_is_over"),
        ({"at": "soon"}, "no_time"),
        ({}, "two_times"),
        ({**WEEKDAYS, "at": "2090-01-01 00:00"}, "two_times"),
        ({**WEEKDAYS, "notebook": "then"}, "file_not_read_again"),
        ({**WEEKDAYS, "missed": "twice"}, "request_wrong"),
        ({**WEEKDAYS, "more": 1}, "request_wrong"),
    ],
)
async def test_what_is_refused(bench: LittleBench, schedule: Any, code: str) -> None:
    async with bench.program() as program:
        answer = await ask(program, schedule)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["next_step"]
        if code not in ("request_wrong", "file_not_read_again"):
            preview = await program.post("/schedules/preview", json=schedule)
            assert preview.json()["code"] == code
        assert (await program.get("/schedules")).json()["items"] == []


async def test_without_the_field_that_says_when(bench: LittleBench) -> None:
    async with bench.program() as program:
        sent = {"data": {"request": "{}"}, "files": {"notebook": ("a.ipynb", notebook("1"))}}
        assert (await program.post("/schedules", **sent)).json()["code"] == "request_wrong"  # type: ignore[arg-type]


async def test_the_same_request_twice_makes_one(bench: LittleBench) -> None:
    async with bench.program() as program:
        key = {"idempotency-key": "k1"}
        first = await program.post("/schedules", **asked(WEEKDAYS), headers=key)
        again = await program.post("/schedules", **asked(WEEKDAYS), headers=key)
        assert first.json()["id"] == again.json()["id"]
        assert len((await program.get("/schedules")).json()["items"]) == 1
        assert len(list(bench.data.schedules.iterdir())) == 1
        assert (await program.post("/runs", **asked(None), headers=key)).json()["code"] == "key_used_otherwise"


async def test_a_large_notebook_is_taken_as_for_a_run(bench: LittleBench) -> None:
    async with bench.program() as program:
        sent = asked(WEEKDAYS)
        sent["files"] = {"notebook": ("large.ipynb", notebook("x = 1  # " + "x" * (5 << 20)))}
        assert (await program.post("/schedules", **sent)).status_code == 201


async def test_a_session_makes_no_schedules_and_others_see_none(bench: LittleBench) -> None:
    async with bench.program() as ada, bench.program(FROM_SESSION) as session, bench.program(BOB) as bob:
        made = (await ask(ada, WEEKDAYS)).json()
        assert (await ask(session, WEEKDAYS)).json()["code"] == "token_too_narrow"
        assert (await session.post("/channels", json=WEBHOOK)).json()["code"] == "token_too_narrow"
        assert (await bob.get("/schedules")).json()["items"] == []
        for deed in ("pause", "resume", "run-now"):
            assert (await bob.post(f"/schedules/{made['id']}/{deed}")).status_code == 404
        assert (await bob.delete(f"/schedules/{made['id']}")).status_code == 404


async def test_the_page_of_schedules(bench: LittleBench) -> None:
    async with bench.client() as browser, bench.program() as program:
        assert "A schedule runs a notebook by itself" in (await browser.get("/schedules")).text
        made = (await ask(program, WEEKDAYS, name="<b>drift")).json()
        here = f"/schedules/{made['id']}"
        page = (await browser.get("/schedules")).text
        assert "&lt;b&gt;drift" in page
        assert "Every weekday at 07:30 (Europe/Berlin)" in page
        assert page.count("07:30</li>") == 4
        paused = await browser.post(f"{here}/pause", headers=xsrf())
        assert paused.headers["location"] == f"/schedules#schedule-{made['id']}"
        assert f'action="{here}/resume"' in (await browser.get("/schedules")).text
        await browser.post(f"{here}/resume", headers=xsrf())
        run = await browser.post(f"{here}/run-now", headers=xsrf())
        assert run.headers["location"] in (await browser.get("/schedules")).text
        bench.told.scheduling._book.write(made["id"], problem="It could not.")
        assert "It could not." in (await browser.get("/schedules")).text
        await browser.post(f"{here}/remove", headers=xsrf())
        assert "A schedule runs a notebook by itself" in (await browser.get("/schedules")).text


async def test_a_file_that_came_with_the_form_is_closed(bench: LittleBench) -> None:
    """The interpreter warns of one that is not, and a warning is an error here."""
    async with bench.client() as browser:
        sent = {"notebook": ("analysis.ipynb", b"{}")}
        answer = await browser.post("/schedules/preview", data={"cron": "0 2 * * *"}, files=sent, headers=xsrf())
        assert answer.status_code == 200
    gc.collect()


async def test_the_preview_of_a_form(bench: LittleBench) -> None:
    async with bench.client() as browser:
        form = {"when": "cron", "cron": "30 7 * * 1-5", "zone": "Europe/Berlin", "at": ""}
        part = (await browser.post("/schedules/preview", data=form, headers=xsrf())).text
        assert "Every weekday at 07:30 (Europe/Berlin)" in part
        assert part.count("<li>") == 5
        wrong = await browser.post("/schedules/preview", data={**form, "cron": "<b>*"}, headers=xsrf())
        assert wrong.status_code == 200
        assert "&lt;b&gt;" in wrong.text


async def test_a_channel_over_the_api(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    async def send(sending: Sending, letter: Letter) -> None:
        sent.append(letter.message.title)

    monkeypatch.setattr(Sending, "send", send)
    async with bench.program() as program:
        made = (await program.post("/channels", json=WEBHOOK)).raise_for_status().json()
        assert len(made["secret"]) > 30
        listed = (await program.get("/channels")).json()["items"]
        assert listed == [{name: value for name, value in made.items() if name != "secret"}]
        assert "key-of-ada" not in str(listed) + str(made)
        here = f"/channels/{made['id']}"
        assert (await program.post(f"{here}/on", json={"on": "never"})).json()["on"] == "never"
        assert (await program.post(f"{here}/on", json={"on": "sometimes"})).status_code == 422
        assert (await program.post(f"{here}/test")).status_code == 204
        assert sent == ["A test"]
        assert (await program.delete(here)).status_code == 204
        assert (await program.get("/channels")).json()["items"] == []


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"kind": "webhook", "address": "http://127.0.0.1:8000/"}, "place_not_allowed"),
        ({"kind": "webhook", "address": "http://localhost:8000/hub/api"}, "place_not_allowed"),
        ({"kind": "webhook", "address": "http://169.254.169.254/latest"}, "place_not_allowed"),
        ({"kind": "webhook", "address": "http://[::ffff:10.0.0.1]/"}, "place_not_allowed"),
        ({"kind": "webhook", "address": "gopher://hooks.example/"}, "channel_wrong"),
        ({"kind": "mail", "address": "ada@lab.example"}, "no_mail_here"),
        ({"kind": "slack", "address": "https://hooks.example/services/T/B/x"}, "channel_wrong"),
        ({"kind": "pigeon", "address": "coop"}, "channel_wrong"),
        ({"kind": "webhook", "address": "x" * 5000}, "request_wrong"),
    ],
)
async def test_a_channel_that_is_refused(bench: LittleBench, ask: dict[str, str], code: str) -> None:
    async with bench.program() as program, bench.client() as browser:
        answer = await program.post("/channels", json=ask)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        if code != "request_wrong":
            page = await browser.post("/notices", data=ask, headers=xsrf())
            assert page.status_code == 422
            assert 'id="error"' in page.text
        assert (await program.get("/channels")).json()["items"] == []


async def test_the_page_tell_me(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench.client() as browser:
        assert "You are not told anything yet." in (await browser.get("/notices")).text
        made = await browser.post("/notices", data={**WEBHOOK, "on": "both"}, headers=xsrf())
        assert "It is shown this once" in made.text
        page = (await browser.get("/notices")).text
        assert "It is shown this once" not in page
        assert "key-of-ada" not in page
        assert "93.184.215.14/…" in page
        [channel] = bench.portal.channels.mine(bench.person())
        assert channel.on == "both"
        await browser.post(f"/notices/{channel.id}/on", data={"on": "never"}, headers=xsrf())
        assert bench.portal.channels.get(bench.person(), channel.id).on == "never"

        async def refuse(sending: Sending, letter: Letter) -> None:
            raise NotTaken(where="The webhook", why="it answered HTTP 500")

        monkeypatch.setattr(Sending, "send", refuse)
        test = await browser.post(f"/notices/{channel.id}/test", headers=xsrf())
        assert "it answered HTTP 500" in test.text
        await browser.post(f"/notices/{channel.id}/remove", headers=xsrf())
        assert "You are not told anything yet." in (await browser.get("/notices")).text


async def test_mail_is_offered_where_the_keeper_has_named_a_server(tmp_path: Path) -> None:
    bench = little_bench(tmp_path, mail={"server": "mail.example", "sender": "bench@lab.example"})
    async with bench.client() as browser:
        made = await browser.post("/notices", data={"kind": "mail", "address": "ada@lab.example"}, headers=xsrf())
        assert made.status_code == 303
        assert "a…@lab.example" in (await browser.get("/notices")).text
    bench.ledger.close()


async def test_a_run_says_who_was_told(bench: LittleBench) -> None:
    async with bench.client() as browser, bench.program() as program:
        await program.post("/channels", json={**WEBHOOK, "on": "both"})
        run = bench.run()
        bench.move(run, Phase.ENDED, Outcome.DONE)
        seen = bench.ledger.run(run.id)
        assert seen
        bench.ledger.settle(seen, None, None, bench.told.run_ended)
        assert "on its way" in (await browser.get(f"/runs/{run.id}")).text
        [notice] = bench.portal.channels.of_run(run)
        bench.told.notices.not_sent(notice, "The webhook did not take the message: <b>.", notice.next_at)
        page = (await browser.get(f"/runs/{run.id}")).text
        assert "not sent yet, and tried again. The webhook did not take the message: &lt;b&gt;." in page
        told = (await program.get(f"/runs/{run.id}/notices")).json()["items"]
        assert [(one["state"], one["tries"]) for one in told] == [("waiting", 1)]
        async with bench.program(BOB) as bob:
            assert (await bob.get(f"/runs/{run.id}/notices")).status_code == 404


def test_what_a_form_says() -> None:
    form = {"when": "cron", "cron": " 0 7 * * * ", "at": "2090-01-01T07:30", "zone": "", "reads": "then", "x": object()}
    filled = when_form.filled(form)
    assert (filled.cron, filled.at, filled.missed, filled.reads) == ("0 7 * * *", None, "once", "then")
    assert when_form.filled({}).when == "now"
    told = tell_form.filled({"tell": "both", "channel.abc": "on", "channel.def": "on"})
    assert told.tell is not None
    assert (told.tell.on, told.tell.channels) == ("both", ("abc", "def"))
    assert tell_form.filled({"tell": ""}).tell is None
    assert tell_form.filled({"tell": "sometimes"}).tell is None
