"""The bench as a session's server asks it: a real portal, without a network between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from drybench_session.bench import Bench
from drybench_session.errors import BenchAway
from tests.unit.web.little_bench import FROM_SESSION, LittleBench, little_bench, notebook


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def bench(portal: LittleBench) -> Bench:
    return Bench(portal.public, FROM_SESSION, httpx.ASGITransport(portal.app))


async def test_it_asks_as_the_sessions_owner(bench: Bench) -> None:
    answer = await bench.ask("GET", "/me")
    assert (answer.status, answer.said["name"], answer.said["scopes"]) == (200, "ada", ["custom:drybench:runs"])


async def test_the_same_key_twice_is_one_run(bench: Bench, portal: LittleBench) -> None:
    sent = [await bench.send_notebook("/runs", "wing.ipynb", notebook("1 + 1"), {"name": "one"}, "key") for _ in "ab"]
    assert [answer.status for answer in sent] == [201, 201]
    assert sent[0].said["id"] == sent[1].said["id"]
    assert sent[0].said["url"] == f"{portal.public}/runs/{sent[0].said['id']}"


async def test_a_refusal_comes_in_the_benchs_own_words(bench: Bench) -> None:
    refused = await bench.send_notebook("/runs", "wing.ipynb", b"no notebook", {})
    assert (refused.status, refused.said["code"]) == (422, "not_a_notebook")
    assert refused.said["next_step"]


async def test_a_session_cancels_nothing(bench: Bench, portal: LittleBench) -> None:
    run = portal.run()
    refused = await bench.ask("POST", f"/runs/{run.id}/cancel")
    assert (refused.status, refused.said["code"]) == (403, "token_too_narrow")


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<h1>Login</h1>"), httpx.Response(302, json={}), httpx.Response(200, json=[1])]
)
async def test_what_is_no_bench_is_not_believed(answer: httpx.Response) -> None:
    bench = Bench("http://localhost", "secret", httpx.MockTransport(lambda _: answer))
    with pytest.raises(BenchAway, match="no bench"):
        await bench.ask("GET", "/me")


async def test_a_bench_that_is_away_is_said_without_the_token() -> None:
    with pytest.raises(BenchAway) as away:
        await Bench("http://127.0.0.1:1", "secret").ask("GET", "/me")
    assert away.value.as_json()["code"] == "bench_away"
    assert "secret" not in json.dumps(away.value.as_json())
