"""Who is let in, as whom, and what a foreign page, a narrow token or another address can not do."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from drybench.web.door import cookie_name, own_path
from tests.unit.web.little_bench import (
    ADA,
    BOB,
    FROM_SESSION,
    SERVICE_SCOPES,
    LittleBench,
    little_bench,
    notebook,
    xsrf,
)


@pytest.mark.parametrize(
    "wanted",
    ["//evil", "/\\evil", "\\\\evil", "https://evil", "javascript:alert(1)", "/a\nb", "/\t/evil", "evil", "", None],
)
def test_afterwards_leads_nowhere_else(wanted: str | None) -> None:
    assert own_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/runs/new", "/runs?search=a%20b", "/user/ada/x/lab/tree/Ä.ipynb"])
def test_afterwards_leads_back(wanted: str) -> None:
    assert own_path(wanted) == wanted


async def test_a_stranger_is_sent_to_the_sign_in_and_comes_back_where_they_were(bench: LittleBench) -> None:
    async with bench.client(None) as browser:
        sent = await browser.get("/runs?search=wing")
        assert sent.headers["location"] == "/sign-in?next=%2Fruns%3Fsearch%3Dwing"
        to_hub = await browser.get(sent.headers["location"])
        state = parse_qs(urlsplit(to_hub.headers["location"]).query)["state"][0]
        back = await browser.get("/oauth_callback", params={"state": state, "code": "code-of-ada"})
        assert back.headers["location"] == "/runs?search=wing"
        assert (await browser.get("/runs")).status_code == 200
        assert (await browser.get("/api/v1/me")).json()["name"] == "ada"


async def test_two_tabs_may_sign_in_at_once(bench: LittleBench) -> None:
    async with bench.client(None) as browser:
        states = []
        for path in ("/runs", "/engines"):
            to_hub = await browser.get("/sign-in", params={"next": path})
            states.append(parse_qs(urlsplit(to_hub.headers["location"]).query)["state"][0])
        for state, path in zip(states, ("/runs", "/engines"), strict=True):
            back = await browser.get("/oauth_callback", params={"state": state, "code": "code-of-ada"})
            assert back.headers["location"] == path


async def test_nobody_is_signed_in_by_somebody_elses_way_back(bench: LittleBench) -> None:
    async with bench.client(None) as attacker, bench.client(None) as victim:
        to_hub = await attacker.get("/sign-in")
        state = parse_qs(urlsplit(to_hub.headers["location"]).query)["state"][0]
        back = await victim.get("/oauth_callback", params={"state": state, "code": "code-of-ada"})
        assert back.status_code == 403
        assert "set-cookie" not in back.headers
        for wrong in ({"state": state}, {"code": "code-of-ada"}, {"state": "x", "code": "y"}, {}):
            assert (await attacker.get("/oauth_callback", params=wrong)).status_code == 403


async def test_the_cookie_is_bound_to_this_bench(tmp_path: Path, bench: LittleBench) -> None:
    secure = little_bench(tmp_path / "tls", "https://bench.test")
    assert cookie_name(secure.portal.addresses) == "__Host-drybench"
    assert cookie_name(bench.portal.addresses) == "drybench-8000"
    async with secure.client(None) as browser:
        to_hub = await browser.get("/sign-in")
    cookie = to_hub.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "secure"))
    assert "domain" not in cookie
    secure.ledger.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),  # no XSRF token
        ({"x-xsrftoken": "xsrf-for-token-of-bob"}, 403),
        ({**xsrf(), "origin": "http://localhost:9999"}, 403),
        ({**xsrf(), "origin": "http://bob.localhost:8000"}, 403),
        ({**xsrf(), "origin": "null"}, 403),
        ({**xsrf(), "sec-fetch-site": "same-site"}, 403),
        ({**xsrf(), "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
        ({**xsrf(), "sec-fetch-site": "same-origin"}, 201),
        ({**xsrf()}, 201),
    ],
)
async def test_only_our_own_page_can_ask_in_somebodys_name(
    bench: LittleBench, headers: dict[str, str], status: int
) -> None:
    async with bench.client() as browser:
        answer = await browser.post("/api/v1/sessions", json={}, headers=headers)
    assert answer.status_code == status
    assert len(bench.portal.sessions.mine(bench.person())) == (status == 201)


async def test_a_post_without_origin_is_refused(bench: LittleBench) -> None:
    async with bench.client() as browser:
        del browser.headers["origin"]
        answer = await browser.post("/api/v1/sessions", json={}, headers=xsrf())
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
async def test_a_neighbour_reads_nothing_but_may_link_here(bench: LittleBench, site: str) -> None:
    async with bench.client() as browser:
        del browser.headers["origin"]
        fetched = await browser.get("/api/v1/me", headers={"sec-fetch-site": site, "sec-fetch-mode": "cors"})
        framed = await browser.get("/", headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
        followed = await browser.get("/", headers={"sec-fetch-site": site, "sec-fetch-mode": "navigate"})
    assert (fetched.status_code, framed.status_code, followed.status_code) == (403, 403, 200)


async def test_a_form_carries_its_token_in_a_field(bench: LittleBench) -> None:
    session = bench.session("lab")
    async with bench.client() as browser:
        refused = await browser.post(f"/sessions/{session.id}/stop")
        done = await browser.post(f"/sessions/{session.id}/stop", data={"_xsrf": f"xsrf-for-{ADA}"})
    assert refused.status_code == 403
    assert "older than your sign-in" in refused.text
    assert done.status_code == 303


async def test_sign_out_takes_the_cookie_and_goes_to_the_hubs(bench: LittleBench) -> None:
    async with bench.client() as browser:
        assert (await browser.get("/sign-out")).status_code == 404
        out = await browser.post("/sign-out", headers=xsrf())
        assert out.headers["location"] == "/hub/logout"
        assert 'drybench-8000=""' in out.headers["set-cookie"]


async def test_a_sign_out_at_the_hub_counts(bench: LittleBench) -> None:
    async with bench.client() as browser:
        del bench.tokens.known[ADA]
        assert (await browser.get("/")).headers["location"].startswith("/sign-in")
        assert (await browser.get("/api/v1/me")).json()["code"] == "not_signed_in"


@pytest.mark.parametrize("token", ["unknown", "", "x" * 1000])
async def test_a_token_that_nobody_knows_opens_nothing(bench: LittleBench, token: str) -> None:
    async with bench.program(token) as program:
        assert (await program.get("/me")).status_code == 401


async def test_without_a_scope_of_ours_a_token_opens_nothing(bench: LittleBench) -> None:
    async with bench.program(SERVICE_SCOPES) as program:
        assert (await program.get("/me")).status_code == 403


async def test_a_session_may_ask_for_runs_and_read_them_and_nothing_else(bench: LittleBench) -> None:
    session, old = bench.session("lab"), bench.run()
    files = {"notebook": ("a.ipynb", notebook("1"))}
    async with bench.program(FROM_SESSION) as program:
        assert (await program.post("/runs", files=files)).status_code == 201
        assert (await program.post("/notebooks/inspect", files=files)).status_code == 200
        for path in ("/me", "/runs", f"/runs/{old.id}", f"/runs/{old.id}/log", f"/runs/{old.id}/journal"):
            assert (await program.get(path)).status_code == 200, path
        for path in ("/sessions", "/machine", "/engines", f"/sessions/{session.id}"):
            assert (await program.get(path)).json()["code"] == "token_too_narrow", path
        for path in ("/sessions", f"/sessions/{session.id}/stop", f"/runs/{old.id}/cancel", f"/runs/{old.id}/again"):
            assert (await program.post(path, json={})).status_code == 403, path
        for path in ("/", "/runs", "/live"):
            assert (await program.get(f"{bench.public}{path}")).status_code == 403, path


async def test_what_is_anothers_does_not_exist(bench: LittleBench) -> None:
    run, session = bench.run(person="bob"), bench.session("lab", person="bob")
    async with bench.program() as ada, bench.program(BOB) as bob, bench.client() as browser:
        paths = [f"/runs/{run.id}{rest}" for rest in ("", "/notebook", "/log", "/journal", "/files", "/files/a")]
        for path in [*paths, f"/sessions/{session.id}"]:
            assert (await ada.get(path)).status_code == 404, path
        for path in (f"/runs/{run.id}/cancel", f"/runs/{run.id}/again", f"/sessions/{session.id}/stop"):
            assert (await ada.post(path)).status_code == 404, path
        for path in (f"/runs/{run.id}", f"/runs/{run.id}/notebook.html", f"/start/{session.id}", "/user/bob/lab/lab"):
            assert (await browser.get(path)).status_code == 404, path
        assert (await ada.get("/runs")).json()["items"] == []
        assert (await bob.get(f"/runs/{run.id}")).status_code == 200


async def test_the_bench_has_one_address(bench: LittleBench) -> None:
    transport = httpx.ASGITransport(bench.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as elsewhere:
        moved = await elsewhere.get("/runs/new?a=%2F")
        assert moved.headers["location"] == "http://localhost:8000/runs/new?a=%2F"
        refused = await elsewhere.post("/api/v1/sessions", json={})
        assert (refused.status_code, refused.json()["code"]) == (421, "wrong_address")
        with_token = await elsewhere.get("/api/v1/me", headers={"authorization": f"token {ADA}"})
        assert with_token.status_code == 200
        assert (await elsewhere.get("/health")).status_code == 200


async def test_every_answer_is_armoured(bench: LittleBench) -> None:
    async with bench.client() as browser:
        for path in ("/", "/nowhere", "/api/v1/me", "/static/drybench.css", "/health"):
            headers = (await browser.get(path)).headers
            assert "default-src 'self'" in headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
        assert (await browser.get("/")).headers["cache-control"] == "no-store"
