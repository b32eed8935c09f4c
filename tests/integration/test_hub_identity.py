"""Who asks, by a real Hub: OAuth, tokens, what they may do, and how soon a change counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from drybench.errors import HubAway, SignInBroken
from drybench.hub.identity import Identity
from tests.integration.hub_bench import SHARED, Browser, HubBench, hub_bench, sign_in


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("bench"), SHARED) as bench:
        yield bench


@pytest.fixture
async def identity(bench: HubBench) -> AsyncIterator[Identity]:
    identity = Identity(bench.addresses, bench.token, b"a key")
    yield identity
    await identity.close()


def code_for(browser: Browser, identity: Identity, state: str = "a state") -> str:
    """Through the Hub's consent, which asks nothing, to the portal's door."""
    answer = browser.get(identity.authorize_url(state), follow=False)
    back = urlsplit(answer.headers["Location"])
    assert back.path == "/oauth_callback"
    assert parse_qs(back.query)["state"] == [state]
    return parse_qs(back.query)["code"][0]


async def test_a_browser_comes_back_as_its_person(bench: HubBench, identity: Identity) -> None:
    browser, _ = sign_in(bench, "ada")
    with browser:
        token = await identity.exchange(code_for(browser, identity))
        known = await identity.of_token(token)
        assert known is not None
        assert (known.name, known.groups) == ("ada", frozenset())
        assert "custom:drybench:all" in known.scopes
        assert not any(scope.startswith(("tokens", "start:servers")) for scope in known.scopes)


async def test_a_code_is_good_once(bench: HubBench, identity: Identity) -> None:
    browser, _ = sign_in(bench, "ada")
    with browser:
        code = code_for(browser, identity)
        await identity.exchange(code)
        for wrong in (code, "made-up", ""):
            with pytest.raises(SignInBroken):
                await identity.exchange(wrong)


async def test_a_token_made_by_hand_is_its_person(bench: HubBench, identity: Identity) -> None:
    browser, _ = sign_in(bench, "bob")
    with browser:
        known = await identity.of_token(browser.make_token("bob"))
    assert known is not None
    assert known.name == "bob"
    assert {"custom:drybench:all", "custom:drybench:runs"} <= known.scopes


async def test_a_session_s_token_may_ask_for_runs_only(bench: HubBench, identity: Identity) -> None:
    sign_in(bench, "ada")[0].close()
    task = await asyncio.to_thread(bench.start, "narrow", "ada", "narrow")
    known = await identity.of_token(task.env["DRYBENCH_TOKEN"])
    assert known is not None
    assert {scope for scope in known.scopes if scope.startswith("custom:")} == {"custom:drybench:runs"}


@pytest.mark.parametrize("token", ["", "nonsense", "two words", "line\nbreak", "ü", "x" * 10_000])
async def test_what_is_no_token_is_nobody(identity: Identity, token: str) -> None:
    assert await identity.of_token(token) is None


async def test_a_service_is_nobody(bench: HubBench, identity: Identity) -> None:
    assert await identity.of_token(bench.token) is None


async def test_a_sign_out_and_a_lost_group_count_soon(bench: HubBench, identity: Identity) -> None:
    browser, _ = sign_in(bench, "cyd")
    boss, _ = sign_in(bench, "boss")
    with browser, boss:
        admin = boss.make_token("boss")
        bench.api("POST", "/groups/lab", admin).raise_for_status()
        bench.api("POST", "/groups/lab/users", admin, json={"users": ["cyd"]}).raise_for_status()
        token = await identity.exchange(code_for(browser, identity))
        known = await identity.of_token(token)
        assert known is not None
        assert known.groups == {"lab"}
        bench.api("DELETE", "/groups/lab/users", admin, json={"users": ["cyd"]}).raise_for_status()
        now = await identity.of_token(token, fresh=True)  # for what must not outlast it by five seconds
        assert now is not None
        assert now.groups == frozenset()
        forget(identity)
        known = await identity.of_token(token)
        assert known is not None
        assert known.groups == frozenset()
        browser.get("/hub/logout")
        assert await identity.of_token(token, fresh=True) is None
        forget(identity)
        assert await identity.of_token(token) is None


def forget(identity: Identity) -> None:
    """As if its five seconds were over."""
    assert identity._hub.cache.max_age == 5
    identity._hub.cache.clear()


async def test_a_hub_that_is_away_is_no_refusal(bench: HubBench, identity: Identity) -> None:
    browser, _ = sign_in(bench, "ada")
    with browser:
        code = code_for(browser, identity)
    bench.kill_hub()
    try:
        with pytest.raises(HubAway):
            await identity.of_token("a-token")
        with pytest.raises(HubAway):
            await identity.exchange(code)
    finally:
        bench.start_hub()
        bench.wait_until_up()


def test_the_hub_lists_people_page_by_page(bench: HubBench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ada", "bob", "cyd"):
        sign_in(bench, name)[0].close()
    monkeypatch.setattr("drybench.hub_client.PAGE", 2)
    assert {"ada", "bob", "cyd"} <= {person.name for person in bench.ask_hub("people")}


def test_the_hub_s_pages_wear_the_bench_s_header(bench: HubBench) -> None:
    browser, _ = sign_in(bench, "ada")
    with browser, Browser(bench) as stranger:
        pages = [stranger.get("/hub/login"), stranger.get("/hub/ticket")]
        pages += [browser.get("/hub/token"), browser.get("/hub/no-such-page"), browser.get("/hub/error/503")]
    for page in pages:
        assert "/static/drybench.css" in page.text
        assert re.search(r'<a[^>]* href="/"[^>]*>\s*Drybench', page.text), page.text
