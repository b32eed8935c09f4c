"""What traefik sends where, with a real one: to the Hub, to sessions, and all the rest to the portal."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.hub_bench import HubBench, hub_bench
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubBench]:
    with hub_bench(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


def other_name(bench: HubBench) -> str:
    return f"127.0.0.1:{bench.addresses.port}"


def test_all_but_the_hub_and_running_sessions_is_the_portals(bench: HubBench) -> None:
    bench.start("one", "ada", "one")
    for path in ("/", "/runs", "/api/v1/me", "/user/ada/stopped/lab", "/hubble"):
        assert bench.get(path).json()["portal"] == path
    assert bench.get("/user/ada/one/lab?a=b").json()["session"] == "ada/one"
    assert "version" in bench.get("/hub/api/").json()


def test_a_page_under_another_name_leads_to_the_main_one(bench: HubBench) -> None:
    answer = bench.get("/runs?a=b%20c", host=other_name(bench), headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{bench.addresses.public}/runs?a=b%20c")


def test_a_program_gets_its_answer_under_another_name(bench: HubBench) -> None:
    assert bench.get("/api/v1/me", host=other_name(bench)).json()["portal"] == "/api/v1/me"


def test_nobody_is_believed_who_says_for_whom_it_forwards(bench: HubBench) -> None:
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https", "X_Real_Ip": "6"}
    seen = bench.get("/", headers=claims).json()["headers"]
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Host"] == f"localhost:{bench.addresses.port}"
    assert seen["X-Forwarded-Proto"] == "http"
    assert "X_Real_Ip" not in seen


def test_paths_arrive_as_they_were_sent(bench: HubBench) -> None:
    assert bench.get("/files/a%2Fb%20c%25").json()["portal"] == "/files/a%2Fb%20c%25"


def test_its_own_api_is_for_the_hub_only(bench: HubBench) -> None:
    answer = httpx.get(f"{bench.addresses.proxy_api}/api/overview", trust_env=False, timeout=PATIENCE)
    assert answer.status_code == 401
    assert bench.get("/api/overview").json()["portal"] == "/api/overview"
