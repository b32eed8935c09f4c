"""How long the client waits for a bench that does not answer as it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import pytest

from drybench_client import calling, errors
from drybench_client.calling import Calling
from drybench_client.finding import Place


@dataclass
class Clock:
    """In place of the module `time`: whoever sleeps is there at once."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Portal(ThreadingHTTPServer):
    """Its Hub, or whatever `code` names, is away until `back`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.clock, self.code, self.back = clock, "hub_away", 0.0


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        portal = cast("Portal", self.server)
        away = portal.clock.now < portal.back
        said: dict[str, Any] = {"code": portal.code, "sentence": "It is away.", "next_step": "Wait."} if away else {}
        content = json.dumps(said).encode()
        self.send_response(503 if away else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """The test says enough."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(calling, "time", made)
    return made


@pytest.fixture
def portal(clock: Clock) -> Iterator[Portal]:
    with Portal(clock) as served:
        Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield served
        served.shutdown()


@pytest.fixture
def hand(portal: Portal) -> Iterator[Calling]:
    with closing(Calling(Place(url=f"http://127.0.0.1:{portal.server_port}"))) as made:
        yield made


def test_a_hub_that_comes_back_within_twenty_seconds_is_waited_for(hand: Calling, portal: Portal) -> None:
    portal.back = 19
    assert hand.json("GET", "/me") == {}


@pytest.mark.parametrize(("code", "waits"), [("hub_away", 20), ("docker_away", 3)])
def test_what_stays_away_is_said_in_the_end(
    hand: Calling, portal: Portal, clock: Clock, code: str, waits: float
) -> None:
    portal.back, portal.code = 1000, code
    with pytest.raises(errors.BenchAway, match="It is away"):
        hand.json("GET", "/me")
    assert waits <= clock.now < waits + 1


def test_a_bench_that_is_not_there_is_not_waited_for_longer(hand: Calling, portal: Portal, clock: Clock) -> None:
    portal.shutdown()
    portal.server_close()
    with pytest.raises(errors.BenchAway, match="nothing listens there"):
        hand.json("GET", "/me")
    assert 3 <= clock.now < 4
