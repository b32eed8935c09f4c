"""All routes at once, also those that come later: nobody without a sign-in, no foreign page, nobody else's things."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from drybench.ids import uuid7
from drybench.images.bringing import Bringing
from drybench.notices.messages import Channel
from drybench.phases import Outcome, Phase
from drybench.runs.requests import RunRequest
from drybench.runs.sweep_reading import SweepSaid
from drybench.schedules.asking import ScheduleRequest
from drybench.sharing.book import ShareBook
from drybench.sharing.rules import GROUP, Share
from drybench.web.door import asking
from tests.unit.web.little_bench import ADA, BOB, FROM_SESSION, LittleBench, little_bench, notebook, now, xsrf

ANYBODY = {"/health", "/sign-in", "/oauth_callback", "/sign-out", "/user/{rest:path}"}
NOTEBOOK = notebook("print(x)", parameters="x = 1")
FIELDS: dict[str, Any] = {"on": "both", "next": "yes", "environment": "newer"}  # what some forms must have
ASKS: dict[str, Any] = {
    "on": {"on": "both"},
    "offer": {"everybody": True},
    "shares": {"person": "bob"},
}  # what some calls must say


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path, with_containers=True, own_host_names=True, sharing={"teachers": {"course": ["ada"]}})
    assert made.containers
    yield made
    made.containers.building.close()
    made.ledger.close()


@dataclass(frozen=True)
class Call:
    method: str
    path: str

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def of_the_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def kind(self) -> str:
        return self.path.removeprefix("/api/v1").split("/")[1]

    def to(self, id: str) -> str:
        return re.sub(r"{path:path}", "a.txt", self.path.replace("{id}", id))


def routes(bench: LittleBench) -> Iterator[Any]:
    """FastAPI keeps what is included in routers of its own, which have no public name."""
    for part in bench.app.routes:
        found: list[Any] = [part] if isinstance(part, APIRoute) else getattr(part, "effective_candidates", list)()
        yield from (route for route in found if hasattr(route, "dependant"))


def calls(bench: LittleBench) -> list[Call]:
    return [Call(method, route.path) for route in routes(bench) for method in route.methods - {"HEAD"}]


def asks_who_it_is(dependant: Dependant) -> bool:
    return dependant.call is asking or any(map(asks_who_it_is, dependant.dependencies))


async def called(client: httpx.AsyncClient, call: Call, path: str, **more: Any) -> httpx.Response:
    """With something to say, so that it is not refused for saying nothing."""
    said: dict[str, Any] = {}
    if call.changes:
        said = {"json": ASKS.get(call.path.rpartition("/")[2])} if call.of_the_api else {"data": FIELDS}
    return await client.request(call.method, path, **said, **more)


@dataclass(frozen=True)
class Things:
    """One of everything that has an id."""

    ids: dict[str, str]

    def of(self, call: Call) -> str:
        return self.ids[call.kind]


def next_week() -> datetime:
    return now() + timedelta(days=7)


def things_of(bench: LittleBench, person: str) -> Things:
    whose, request = bench.person(person), RunRequest(NOTEBOOK, "disc.ipynb")
    run = bench.run("1 + 1", person=person)
    bench.made(run, "output/a.txt", "mine")
    bench.made(run, "whole/a.txt", "mine")
    bench.made(run, "picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    sweep = bench.portal.sweeps.submit(whose, request, SweepSaid(typed={"x": "1..2"}))
    schedule = bench.portal.schedules.ask(whose, ScheduleRequest(request, cron="0 6 * * *"))
    channel = Channel(f"0-channel-of-{person}", whose.id, "mine", "mail", "sealed", "both", now())
    bench.told.telling._book.add(channel)  # pyright: ignore[reportPrivateUsage]
    session = bench.session("lab", person)
    share = ShareBook(bench.ledger).put(
        Share(uuid7(), session.id, "desktop", whose.id, person, GROUP, None, "nobody's", False, now(), next_week())
    )
    own = bench.portal.workshop.own.add(whose, Bringing(f"of-{person}", files={"requirements.txt": b"numpy"}))
    assert bench.containers
    build = bench.containers.building.begin(own.name)
    wish = bench.portal.workshop.wishes.ask(whose, "ilastik", "to segment")
    ids = {"runs": run.id, "sweeps": sweep.id, "schedules": schedule.id, "channels": channel.id, "sessions": session.id}
    return Things(
        {
            **ids,
            "notices": channel.id,
            "start": session.id,
            "environments": own.name,
            "builds": build.id,
            "wishes": wish.id,
            "shared": share.id,
            "shares": share.id,
            "wall": "course",
            "walls": "course",
        }
    )


def test_every_route_asks_who_it_is(bench: LittleBench) -> None:
    open_to_all = {route.path for route in routes(bench) if not asks_who_it_is(route.dependant)}
    assert open_to_all <= ANYBODY
    assert len(calls(bench)) > 100


async def test_they_are_there_for_whose_they_are(bench: LittleBench) -> None:
    """Else the next test would say nothing."""
    things = things_of(bench, "ada")
    seen = [call for call in calls(bench) if "{id}" in call.path and not call.changes]
    async with bench.client(ADA) as browser:
        missing = [call.path for call in seen if (await browser.get(call.to(things.of(call)))).status_code >= 400]
    assert set(missing) <= {
        "/runs/{id}/picture/{path:path}",
        "/runs/{id}/notebook.html",
        "/environments/{id}/picture",
    }  # a text is no picture


async def test_nothing_of_somebody_elses_is_there(bench: LittleBench) -> None:
    """The same answer as for what nobody has, and nothing is changed by it."""
    things = things_of(bench, "ada")
    named = [call for call in calls(bench) if "{id}" in call.path]
    assert {call.kind for call in named} == things.ids.keys()
    before = [bench.ledger.run(things.ids["runs"]), bench.ledger.session(things.ids["sessions"])]
    async with bench.client(BOB) as browser, bench.program(BOB) as program:
        for call in named:
            found: list[httpx.Response] = []
            for id in (things.of(call), "0" * 32):
                client = program if call.of_the_api else browser
                path = f"{bench.public}{call.to(id)}"
                found.append(await called(client, call, path, headers=xsrf(BOB)))
            mine, nobodys = found
            assert (mine.status_code, nobodys.status_code) == (404, 404), call
            assert mine.text.replace(things.of(call), "") == nobodys.text.replace("0" * 32, ""), call
        a, b = things.ids["runs"], things_of(bench, "bob").ids["runs"]
        for query in (f"a={a}&b={b}", f"a={b}&b={a}"):
            assert (await browser.get(f"/runs/differences?{query}")).status_code == 404
            assert (await program.get(f"/runs/differences?{query}")).status_code == 404
        for wish in (f"again={a}", f"from_sweep={things.ids['sweeps']}"):
            assert (await browser.get(f"/runs/new?{wish}")).status_code == 404
        asked = await program.post("/runs", files={"request": (None, f'{{"from_run": "{a}"}}')})
        assert asked.status_code == 404
    assert [bench.ledger.run(things.ids["runs"]), bench.ledger.session(things.ids["sessions"])] == before


async def test_nothing_is_changed_without_the_word_of_the_sign_in(bench: LittleBench) -> None:
    things = things_of(bench, "ada")
    changing = [call for call in calls(bench) if call.changes and call.path not in ANYBODY - {"/sign-out"}]
    assert len(changing) > 40
    async with bench.client(ADA) as browser:
        for call in changing:
            path = call.to(things.of(call) if "{id}" in call.path else "")
            assert (await called(browser, call, path)).status_code == 403, call
            planted = {**xsrf(), "origin": "http://bob.localhost:8000"}
            assert (await called(browser, call, path, headers=planted)).status_code == 403, call


@pytest.mark.parametrize("path", ["", "/api/v1"])
async def test_a_sessions_own_token_can_ask_for_runs_and_change_nothing_else(bench: LittleBench, path: str) -> None:
    things = things_of(bench, "ada")
    may = {"runs", "notebooks/inspect", "notebooks/check", "sweeps", "sweeps/count"}
    changing = [call for call in calls(bench) if call.changes and call.of_the_api == bool(path)]
    async with bench.program(FROM_SESSION) as program:
        for call in changing:
            if call.path.removeprefix("/api/v1/") in may or call.path in ANYBODY:
                continue
            there = f"{bench.public}{call.to(things.of(call) if '{id}' in call.path else '')}"
            assert (await called(program, call, there)).status_code == 403, call


@pytest.mark.parametrize("folder", ["/" + "x" * 300, "/" + "x/" * 3000, "/\0", "/\ud800"])
@pytest.mark.parametrize("which", ["folder", "cwd"])
async def test_a_folder_that_can_be_none_is_refused_in_words(bench: LittleBench, folder: str, which: str) -> None:
    async with bench.program(ADA) as program:
        request = json.dumps({which: folder})
        files = {"notebook": ("a.ipynb", NOTEBOOK), "request": (None, request)}
        assert (await program.post("/runs", files=files)).status_code in (404, 422)
