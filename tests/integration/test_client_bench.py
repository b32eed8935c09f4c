"""`Bench` against a small server over TCP and a Unix socket: what it sends, and how it takes trouble."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse

import drybench_client.bench
from drybench_client import Bench, BenchAway, Conflict, NotAllowed, NotFound, Refused
from drybench_client.errors import BenchError
from tests.integration.client_bench import ENDED, ID, OTHER, SmallBench, problem


@pytest.fixture
def small() -> SmallBench:
    return SmallBench()


@pytest.fixture
def bench(small: SmallBench) -> Iterator[Bench]:
    with small.listening() as url, Bench(url, "secret") as bench:
        yield bench


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    file = tmp_path / "analysis.ipynb"
    file.write_text('{"nbformat": 4}')
    return file


class TestSending:
    def test_a_notebook_with_its_wishes(self, bench: Bench, small: SmallBench, notebook: Path) -> None:
        run = bench.submit(notebook, {"a": 1}, name="n", environment="e", size="s", timeout=9, cwd="/tmp")
        assert run["id"] == ID
        assert small.notebooks == [("analysis.ipynb", b'{"nbformat": 4}')]
        wishes = {"name": "n", "environment": "e", "size": "s", "timeout": 9, "cwd": "/tmp"}
        assert small.requests == [{"parameters": {"a": 1}, **wishes}]

    def test_the_token_and_a_key(self, bench: Bench, small: SmallBench, notebook: Path) -> None:
        bench.submit(notebook)
        assert small.headers[0]["authorization"] == "token secret"
        assert len(small.headers[0]["idempotency-key"]) == 32

    def test_another_machine_is_told_no_folder(self, bench: Bench, small: SmallBench, notebook: Path) -> None:
        bench.submit(notebook)
        assert "folder" not in small.requests[0]

    def test_a_session_s_bench_is_told_the_folder(
        self, small: SmallBench, notebook: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with small.listening() as url:
            monkeypatch.setenv("DRYBENCH_URL", url)
            monkeypatch.setenv("DRYBENCH_TASK", "t")
            with Bench() as bench:
                bench.submit(notebook)
                bench.submit(notebook, alone=True)
        assert small.requests[0]["folder"] == str(notebook.parent)
        assert small.requests[1] == {"parameters": {}, "alone": True}

    def test_what_is_no_json_is_refused_here(self, bench: Bench, small: SmallBench, notebook: Path) -> None:
        with pytest.raises(Refused, match="not plain JSON"):
            bench.submit(notebook, {"a": float("nan")})
        assert not small.asked

    @pytest.mark.parametrize("path", ["nowhere.ipynb", "."])
    def test_a_file_that_cannot_be_read(self, bench: Bench, tmp_path: Path, path: str) -> None:
        with pytest.raises(Refused, match="cannot be read"):
            bench.submit(tmp_path / path)

    def test_inspect(self, bench: Bench, notebook: Path) -> None:
        assert bench.inspect(notebook)["parameters"][0]["name"] == "alpha"

    def test_a_session(self, bench: Bench, small: SmallBench) -> None:
        assert bench.start_session("python", name="x")["name"] == "python"
        assert small.requests == [{"environment": "python", "name": "x"}]


class TestFinding:
    def test_a_list_is_read_part_by_part(self, bench: Bench, small: SmallBench) -> None:
        small.all = [f"{n:032x}" for n in range(5)]
        assert [run["id"] for run in bench.runs()] == small.all
        assert [run["id"] for run in bench.runs(most=3)] == small.all[:3]
        assert len(small.asked) == 3 + 2

    @pytest.mark.parametrize("part", ["ccddee", "00aabbccddee", ID])
    def test_a_run_by_a_part_of_its_id(self, bench: Bench, part: str) -> None:
        assert bench.get(part)["id"] == ID

    def test_a_part_that_several_have(self, bench: Bench) -> None:
        with pytest.raises(Refused, match="2 runs have 0192f0") as refused:
            bench.get("0192f0")
        assert ID in refused.value.next_step

    @pytest.mark.parametrize("part", ["", "nothing", "../me", "a?b"])
    def test_a_part_that_none_has(self, bench: Bench, part: str) -> None:
        with pytest.raises(NotFound, match="You have no run"):
            bench.get(part)

    def test_a_session_by_its_name(self, bench: Bench) -> None:
        assert bench.stop_session("python-2")["id"] == OTHER
        assert bench.stop_session("python")["id"] == ID

    def test_what_it_gave_it_takes(self, bench: Bench) -> None:
        run = next(bench.runs())
        assert bench.cancel(run)["wanted"] == "stop"
        assert bench.notebook(run) == b'{"cells": []}'


class TestFollowing:
    def test_wait_tells_every_look(self, bench: Bench, small: SmallBench) -> None:
        small.looks = [{}, {"phase": "running", "cell": 1, "cells": 2}, ENDED]
        seen: list[str] = []
        run = bench.wait(ID, tell=lambda run: seen.append(run["phase"]))
        assert seen == ["waiting", "running", "ended"]
        assert run["outcome"] == "done"
        assert small.known == ["waiting:0", "running:1"]

    def test_wait_looks_now_and_again_where_the_bench_is_older(
        self, bench: Bench, small: SmallBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drybench_client.bench, "_PAUSE", 0.01)
        small.tells_news = False
        small.looks = [{}, {"phase": "running"}, {"phase": "running"}, ENDED]
        assert bench.wait(ID)["outcome"] == "done"
        assert small.asked == [("GET", f"/runs/{ID}"), ("GET", f"/runs/{ID}/wait"), *[("GET", f"/runs/{ID}")] * 3]

    def test_wait_has_a_limit_of_its_own(self, bench: Bench, small: SmallBench) -> None:
        small.looks = [{}]
        with pytest.raises(TimeoutError, match="it goes on"):
            bench.wait(ID, timeout=0.01)

    def test_wait_outlives_a_hub_that_is_away(self, bench: Bench, small: SmallBench) -> None:
        small.trouble = [problem(503, "hub_away"), HTMLResponse("Bad Gateway", 502)]
        assert bench.wait(ID)["outcome"] == "done"

    def test_a_log_is_read_to_its_end(self, bench: Bench, small: SmallBench) -> None:
        small.log = b"abcdefghij"
        assert b"".join(bench.log(ID)) == small.log

    def test_a_followed_log_goes_on_where_it_broke_off(self, bench: Bench, small: SmallBench) -> None:
        small.log = b"abcdefghij"
        small.looks = [{"phase": "running"}, ENDED]
        log = bench.log(ID, follow=True)
        first = next(log)
        small.trouble = [HTMLResponse("Bad Gateway", 502)]
        assert first + b"".join(log) == small.log


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, NotAllowed),
            (403, NotAllowed),
            (404, NotFound),
            (409, Conflict),
            (413, Refused),
            (422, Refused),
            (500, BenchError),
        ],
    )
    def test_the_bench_s_words_come_through(
        self, bench: Bench, small: SmallBench, status: int, kind: type[BenchError]
    ) -> None:
        small.trouble = [problem(status)]
        with pytest.raises(kind) as raised:
            bench.get(ID)
        assert raised.value.as_json() == {
            "code": "some_code",
            "sentence": "What some_code says.",
            "next_step": "Do this.",
        }

    def test_a_request_is_made_again_with_the_same_key(self, bench: Bench, small: SmallBench, notebook: Path) -> None:
        small.trouble = [HTMLResponse("Bad Gateway", 502)]
        bench.submit(notebook)
        first, second = small.headers
        assert first["idempotency-key"] == second["idempotency-key"]

    @pytest.mark.parametrize("answer", [HTMLResponse("hello", 200), HTMLResponse("no", 404)])
    def test_something_else_answers(self, small: SmallBench, answer: HTMLResponse) -> None:
        with small.listening() as url, Bench(url) as bench:
            small.trouble = [answer] * 99
            with pytest.raises(BenchAway, match="what answers there is no bench"):
                bench.get(ID)

    def test_nobody_answers(self) -> None:
        with Bench("http://127.0.0.1:1") as bench, pytest.raises(BenchAway, match="nothing listens there") as away:
            bench.get(ID)
        assert "drybench up" in away.value.next_step

    @pytest.mark.parametrize("address", ["bench.example", "ftp://x", "http://"])
    def test_what_is_no_address(self, address: str) -> None:
        with pytest.raises(Refused, match="no address of a bench"):
            Bench(address)


class TestUnixSocket:
    def test_by_the_data_directory(self, small: SmallBench, tmp_path: Path, notebook: Path) -> None:
        with small.listening(tmp_path / "portal.sock"), Bench(data=tmp_path) as bench:
            bench.submit(notebook)
        assert small.requests[0]["folder"] == str(notebook.parent)
        assert "authorization" not in small.headers[0]

    def test_by_a_path_that_is_too_long_for_a_socket(self, small: SmallBench, tmp_path: Path) -> None:
        folder = tmp_path / ("long" * 30)
        folder.mkdir()
        opened = os.open(folder, os.O_PATH)
        try:
            with small.listening(Path(f"/proc/self/fd/{opened}/portal.sock")), Bench(data=folder) as bench:
                assert bench.get(ID)["id"] == ID
        finally:
            os.close(opened)

    def test_a_long_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(BenchAway, match="no such folder"):
            Bench(data=tmp_path / ("long" * 30))


def test_a_name_below_localhost_needs_no_resolver(small: SmallBench) -> None:
    with small.listening() as url:
        port = url.rsplit(":", 1)[1]
        with Bench(f"http://bench.localhost:{port}") as bench:
            bench.get(ID)
    assert small.headers[0]["host"] == f"bench.localhost:{port}"
