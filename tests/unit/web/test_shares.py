"""Pages and API around shared desktops: share, see with whom, end it, find what is shared with one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drybench.model import Person, Session
from drybench.phases import Outcome, Phase
from drybench.sharing.teaching import Teaching
from tests.integration.shared_screens import running
from tests.unit.web.little_bench import (
    BOB,
    FROM_SESSION,
    Identified,
    LittleBench,
    little_bench,
    now,
    permissions,
    xsrf,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path, own_host_names=True)
    made.person("bob")
    yield made
    made.ledger.close()


@pytest.fixture
def session(bench: LittleBench) -> Session:
    return running(bench, 1)


async def shared(bench: LittleBench, session: Session, **asked: Any) -> dict[str, Any]:
    async with bench.program() as program:
        answer = await program.post(f"/sessions/{session.id}/shares", json={"person": "bob"} | asked)
        assert answer.status_code == 201, answer.text
        return answer.json()


async def test_it_is_shared_by_a_form_and_ended_by_a_button(bench: LittleBench, session: Session) -> None:
    page = f"/sessions/{session.id}/shares"
    async with bench.client() as browser:
        form = {"kind": "person", "whom": " bob ", "rights": "control", "length": "today", "zone": "Europe/Berlin"}
        answer = await browser.post(page, data=form, headers=xsrf())
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        text = (await browser.get(page)).text
        assert "May work in it" in text
        assert "Nobody is watching" in text
        [seen] = bench.portal.shares.of_session(bench.person(), session.id)
        assert (await browser.post(f"/shared/{seen.share.id}/end", headers=xsrf())).status_code == 303
        assert "Nobody but you sees it" in (await browser.get(page)).text


async def test_what_is_wrong_is_said_beside_what_was_typed(bench: LittleBench, session: Session) -> None:
    async with bench.client() as browser:
        form = {"kind": "person", "whom": "bobb", "own": "2 h"}
        answer = await browser.post(f"/sessions/{session.id}/shares", data=form, headers=xsrf())
        assert answer.status_code == 422
        assert "Nobody named “bobb” can sign in here." in answer.text
        assert 'value="bobb"' in answer.text
        assert 'value="2 h"' in answer.text


async def test_the_guest_finds_it_on_home_and_on_a_page_of_the_bench(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session)
    async with bench.client(BOB) as browser:
        home = (await browser.get("/")).text
        assert "Desktop of ada" in home
        assert f'href="/shared/{share["id"]}"' in home
        answer = await browser.get(f"/shared/{share['id']}")
        assert "You only see it" in answer.text
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'self' ws://localhost:8000" in policy
        assert "default-src 'self'" in policy
        assert bench.portal.sessions.root(session) not in answer.text
        assert bench.portal.guest_key(session.task.id) not in answer.text
    async with bench.client() as owner:
        assert "This is your own session" in (await owner.get(f"/shared/{share['id']}")).text
        assert "Shared with bob" in (await owner.get("/")).text


async def test_the_page_says_how_it_stands(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session)
    async with bench.client(BOB) as browser:
        there = f"/shared/{share['id']}"
        bench.move(session, Phase.ENDED, Outcome.STOPPED)
        assert "The session is stopped" in (await browser.get(there)).text
        bench.portal.sessions.start(bench.person(), session.id)
        assert "The session is not there yet" in (await browser.get(there)).text
        bench.portal.shares.end(bench.person(), share["id"])
        ended = (await browser.get(there)).text
        assert "no longer shares it" in ended
        assert "You only see it" not in ended
        assert "Desktop of ada" not in (await browser.get("/")).text


async def test_whom_it_is_not_for_there_is_nothing(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session, person="carl")
    async with bench.client(BOB) as browser:
        answer = await browser.get(f"/shared/{share['id']}")
        assert answer.status_code == 404
        assert "ada" not in answer.text
        assert (await browser.post(f"/shared/{share['id']}/end", headers=xsrf(BOB))).status_code == 404
        assert "Desktop of ada" not in (await browser.get("/")).text


async def test_a_guest_ends_nothing(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session)
    async with bench.client(BOB) as browser, bench.program(BOB) as program:
        assert (await browser.post(f"/shared/{share['id']}/end", headers=xsrf(BOB))).status_code == 404
        assert (await program.delete(f"/shares/{share['id']}")).status_code == 404
        assert (await program.get(f"/shares/{share['id']}")).json()["standing"] == "open"


async def test_the_api_says_the_same(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session, control=True, length="2 h")
    assert share["session"] == session.id
    assert (share["with_kind"], share["with_name"], share["control"]) == ("person", "bob", True)
    assert share["url"] == f"{bench.public}/shared/{share['id']}"
    async with bench.program() as program, bench.program(BOB) as bobs:
        assert (await program.get("/shares")).json()["items"] == [share]
        assert (await program.get(f"/sessions/{session.id}/shares")).json()["items"] == [share]
        assert [one["id"] for one in (await bobs.get("/shares?whose=others")).json()["items"]] == [share["id"]]
        assert (await bobs.get("/shares")).json()["items"] == []
        assert (await bobs.get(f"/sessions/{session.id}/shares")).status_code == 404
        assert (await program.delete(f"/sessions/{session.id}/shares")).status_code == 204
        assert (await program.get("/shares")).json()["items"] == []
        assert (await program.delete(f"/shares/{share['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"person": "nobody"}, "nobody_of_that_name"),
        ({"person": "ada"}, "shared_with_oneself"),
        ({"group": "nobodys"}, "no_group_of_that_name"),
        ({}, "with_whom"),
        ({"person": "bob", "group": "lab"}, "with_whom"),
        ({"person": "bob", "length": "for ever"}, "no_such_length"),
        ({"person": "bob", "app": "napari"}, "no_such_screen"),
        ({"person": "bob", "length": "today", "zone": "Mars"}, "no_such_zone"),
    ],
)
async def test_what_cannot_be_is_refused_at_once(
    bench: LittleBench, session: Session, asked: dict[str, Any], code: str
) -> None:
    async with bench.program() as program:
        answer = await program.post(f"/sessions/{session.id}/shares", json=asked)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["next_step"]
        assert (await program.get("/shares")).json()["items"] == []


async def test_a_colleague_whom_only_the_hub_knows(bench: LittleBench, session: Session) -> None:
    assert (await shared(bench, session, person="carl"))["with_name"] == "carl"
    assert (await shared(bench, session, person="", group="course"))["with_name"] == "course"


async def test_who_comes_after_a_deleted_name_gets_nothing(bench: LittleBench, session: Session) -> None:
    share = await shared(bench, session)
    bench.ledger.person_gone("bob")
    bench.ledger._now = lambda: now() + timedelta(hours=2)  # pyright: ignore[reportPrivateUsage]
    async with bench.program(BOB) as program:
        assert (await program.get(f"/shares/{share['id']}")).status_code == 404


async def test_only_what_runs_and_has_a_desktop(bench: LittleBench) -> None:
    waits = bench.session("waits")
    async with bench.program() as program, bench.client() as browser:
        asked = {"json": {"person": "bob"}}
        answer = await program.post(f"/sessions/{waits.id}/shares", **asked)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (409, "not_running_yet")
        bench.move(waits, Phase.RUNNING)
        answer = await program.post(f"/sessions/{waits.id}/shares", **asked)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (422, "nothing_to_see")
        assert "has no desktop that could be shared" in (await browser.get(f"/sessions/{waits.id}/shares")).text
        assert "/shares" not in (await browser.get("/")).text


async def test_without_own_host_names_it_is_said_why_not(tmp_path: Path) -> None:
    bench = little_bench(tmp_path)
    session, why = running(bench, 1), "Sessions cannot be shared on this bench"
    async with bench.program() as program, bench.client() as browser:
        answer = await program.post(f"/sessions/{session.id}/shares", json={"person": "bob"})
        assert (answer.status_code, answer.json()["code"]) == (403, "sharing_off")
        page = (await browser.get(f"/sessions/{session.id}/shares")).text
        assert why in page
        assert "own_host_names = true" in page
        assert "<legend>" not in page  # no form
        assert f"/sessions/{session.id}/shares" in (await browser.get("/")).text
        assert (await browser.get(f"/shared/{'0' * 32}")).status_code == 403
    bench.ledger.close()


async def test_a_sessions_own_token_shares_nothing(bench: LittleBench, session: Session) -> None:
    async with bench.program(FROM_SESSION) as program:
        assert (await program.post(f"/sessions/{session.id}/shares", json={"person": "bob"})).status_code == 403
        assert (await program.get("/shares?whose=others")).status_code == 403


async def test_guests_get_the_modules_that_draw_and_nothing_beside(bench: LittleBench) -> None:
    async with bench.client(None) as browser:
        assert (await browser.get("/static/screen/screen.js")).status_code == 200
        assert (await browser.get("/static/screen/frame.html")).status_code == 404
        assert (await browser.get("/static/screen/..%2ferrors.py")).status_code == 404


async def test_the_pages_hear_of_it(bench: LittleBench, session: Session) -> None:
    with bench.portal.changes.listen() as told:
        await shared(bench, session)
        people = {bench.person(name).id for name in ("ada", "bob")}
        heard: set[str] = set()
        while not people <= heard:
            change = await told.get()
            assert change
            heard |= {change.person_id} if change.kind == "share" else set()


class TestTheWall:
    """Of a course: those in it show their desktops to who teaches it, each by a click of their own."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[LittleBench]:
        made = little_bench(tmp_path, own_host_names=True, sharing={"teachers": {"lab": ["bob"], "course": ["bob"]}})
        made.tokens.known["token-of-eve"] = Identified("eve", frozenset({"lab"}), frozenset({permissions.ALL}))
        made.portal.shares.teaching = Teaching({"lab": ["bob"], "course": ["bob"]})  # without a keeper
        yield made
        made.ledger.close()

    async def test_one_click_shows_it(self, bench: LittleBench, session: Session) -> None:
        async with bench.client() as ada, bench.client(BOB) as bob:
            home = (await ada.get("/")).text
            assert "Show it to who teaches lab" in home
            assert "Show it to who teaches course" not in home  # she is not in it
            assert "Nobody shows theirs" in (await bob.get("/wall/lab")).text
            form = {"kind": "teachers", "whom": "lab", "length": "8 h"}
            assert (await ada.post(f"/sessions/{session.id}/shares", data=form, headers=xsrf())).status_code == 303
            assert "Show it to who teaches lab" not in (await ada.get("/")).text
            assert "those who teach it" in (await ada.get(f"/sessions/{session.id}/shares")).text
            [seen] = bench.portal.shares.wall(bench.person("bob"), "lab")
            wall = (await bob.get("/wall/lab")).text
            assert f'address="/shared/{seen.share.id}/stream"' in wall
            assert not seen.share.control
            assert (await bob.get(f"/shared/{seen.share.id}")).status_code == 200
            assert 'href="/wall/lab"' in (await bob.get("/")).text

    async def test_it_is_for_who_teaches_and_nobody_else(self, bench: LittleBench, session: Session) -> None:
        async with bench.program() as ada, bench.program(BOB) as bob, bench.program("token-of-eve") as eve:
            answer = await ada.post(f"/sessions/{session.id}/shares", json={"teachers": "lab"})
            share = answer.json()["id"]
            assert [one["id"] for one in (await bob.get("/walls/lab")).json()["items"]] == [share]
            for who in (ada, eve):
                assert (await who.get("/walls/lab")).status_code == 404
            assert (await eve.get(f"/shares/{share}")).status_code == 404
            assert (await bob.get(f"/shares/{share}")).json()["standing"] == "open"
            assert (await bob.get("/walls/nobodys")).status_code == 404

    async def test_only_to_who_teaches_a_group_of_ones_own(self, bench: LittleBench, session: Session) -> None:
        async with bench.program() as ada:
            answer = await ada.post(f"/sessions/{session.id}/shares", json={"teachers": "course"})
            assert (answer.status_code, answer.json()["code"]) == (422, "nobody_teaches")

    async def test_nobody_controls_by_it(self, bench: LittleBench, session: Session) -> None:
        async with bench.program() as ada:
            asked = {"teachers": "lab", "control": True}
            assert not (await ada.post(f"/sessions/{session.id}/shares", json=asked)).json()["control"]


def test_the_keeper_looks_where_a_teacher_may() -> None:
    teaching = Teaching({"course": ["anna"]}, lambda: "keeper")
    anna, keeper = Person("1", "anna", frozenset({"course"})), Person("2", "keeper")
    student = Person("3", "carl", frozenset({"course", "lab"}))
    assert teaching.by(anna) == teaching.by(keeper) == {"course"}
    assert teaching.by(student) == set()
    assert teaching.of(student) == ["course"]
    assert list(teaching.of(anna)) == list(teaching.of(keeper)) == []
