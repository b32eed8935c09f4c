"""A whole bench: a time comes once, also when the portal is killed in that second; and its end is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from drybench_client import Bench as Client
from drybench_client import Refused
from drybench_client.schedules import Schedule
from tests.bench import Bench, new_bench
from tests.integration.notebooks import Notebook
from tests.waiting import wait_for

SETTINGS = """
[notices]
may_reach = ["127.0.0.0/8"]
"""
PATIENCE = 90


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        yield bench


@pytest.fixture(autouse=True)
def whole(bench: Bench) -> None:
    bench.be_whole()


@pytest.fixture
def hand(bench: Bench) -> Iterator[Client]:
    with bench.owner() as hand:
        yield hand


def soon(hand: Client, notebook: Path) -> tuple[Schedule, datetime]:
    """As soon as it can be asked for: on a busy machine three seconds may be over by then."""
    for seconds in (3, 15, 60):
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        with suppress(Refused):
            return hand.schedule(notebook, at=due.isoformat(), zone="UTC"), due
    raise AssertionError("a minute was over before it was asked for")


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1])
def test_a_time_brings_one_run_when_the_portal_is_killed_in_that_second(
    bench: Bench, hand: Client, tmp_path: Path, moment: float
) -> None:
    notebook = Notebook(tmp_path, f"killed{int(moment * 100)}").marks("went")
    made, due = soon(hand, notebook.file)
    portal = bench.pids()["portal"]
    wait_for(lambda: datetime.now(UTC) >= due + timedelta(seconds=moment) or time.sleep(0.001))
    bench.kill("portal")
    wait_for(lambda: bench.pids().get("portal") not in (None, portal) and bench.answers(), PATIENCE)
    wait_for(lambda: schedule(hand, made["id"])["last_run"], PATIENCE)
    run = hand.wait(str(schedule(hand, made["id"])["last_run"]), timeout=PATIENCE)
    assert run["outcome"] == "done"
    assert notebook.marked == ["went"]
    assert [one["id"] for one in hand.runs() if one["name"] == run["name"]] == [run["id"]]
    seen = schedule(hand, made["id"])
    assert (seen["next_at"], seen["problem"]) == (None, "")
    assert datetime.fromisoformat(str(seen["last_at"])) == due
    hand.remove_schedule(made)


def test_the_end_of_a_run_is_told_by_a_signed_message(bench: Bench, hand: Client, tmp_path: Path) -> None:
    got: list[tuple[dict[str, str], dict[str, Any]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *words: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        channel = hand.add_channel("webhook", f"http://127.0.0.1:{server.server_address[1]}/key-of-mine", on="never")
        assert channel["secret"]
        quiet = hand.wait(hand.submit(Notebook(tmp_path, "quiet").marks("x").file), timeout=PATIENCE)
        run = hand.wait(hand.submit(Notebook(tmp_path, "loud").marks("x").file, tell="both"), timeout=PATIENCE)
        wait_for(lambda: [one["state"] for one in notices(bench, run["id"])] == ["sent"], PATIENCE)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    [(headers, told)] = got
    assert headers["drybench-signature"].startswith("t=")
    assert (told["kind"], told["run"]["id"], told["run"]["outcome"]) == ("run", run["id"], "done")
    assert told["run"]["url"] == f"{bench.url}/runs/{run['id']}"
    assert quiet["outcome"] == "done"
    assert "key-of-mine" not in bench.logs() + str(list(hand.channels()))
    hand.remove_channel(channel)


def test_the_command_line_asks_for_schedules(bench: Bench, tmp_path: Path) -> None:
    file = Notebook(tmp_path, "nightly").marks("went").file
    made = bench.run("run", file, "--cron", "30 7 * * 1-5", "--zone", "Europe/Berlin", "--missed", "skip")
    assert made.returncode == 0, made.stderr
    assert "Every weekday at 07:30 (Europe/Berlin)" in made.stdout
    assert len([line for line in made.stdout.splitlines() if line.startswith("  ")]) == 5
    assert "nightly" in bench.run("schedules").stdout
    assert "paused" in bench.run("schedules", "pause", "nightly").stdout
    assert "paused" not in bench.run("schedules", "resume", "nightly").stdout
    assert bench.run("schedules", "run", "nightly").stdout.startswith("Run ")
    assert bench.run("schedules", "remove", "nightly").returncode == 0
    assert "No schedules" in bench.run("schedules").stdout
    for words, sentence in (
        (("--cron", "* * * * * *"), "every minute"),
        (("--cron", "0 0 31 2 *"), "never comes"),
        (("--at", "2020-01-01 07:30", "--zone", "UTC"), "is over already"),
        (("--at", "2090-01-01 07:30", "--zone", "Europe/Atlantis"), "no time zone"),
    ):
        refused = bench.run("run", file, *words)
        assert refused.returncode == 2
        assert sentence in refused.stderr


def test_the_bench_is_not_made_to_call_the_network_around_it(hand: Client) -> None:
    for address in ("http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::ffff:a00:1]/"):
        with pytest.raises(Refused, match="may_reach"):
            hand.add_channel("webhook", address)


def schedule(hand: Client, id: str) -> dict[str, Any]:
    return dict(next(one for one in hand.schedules() if one["id"] == id))


def notices(bench: Bench, run: str) -> list[dict[str, Any]]:
    with bench.api(bench.token()) as api:
        return api.get(f"/runs/{run}/notices").raise_for_status().json()["items"]
