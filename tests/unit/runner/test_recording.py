"""How much is kept, how often it is written, and what happens when it cannot be."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drybench_runner import caps, record, whole
from drybench_runner.book import Book
from drybench_runner.journal import Journal, Log
from drybench_runner.recording import Recording
from drybench_runner.whole import Whole


class Clock:
    """What `later` was asked for, done when the test says so; a second passes with each tick."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self.asked: list[float] = []
        self.time = 100.0

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.asked.append(seconds)
        self.due.append(call)

    def now(self) -> float:
        return self.time

    def tick(self) -> None:
        due, self.due = self.due, []
        self.time += 1
        for call in due:
            call()


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def display(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {k.replace("_", "/"): v for k, v in data.items()}, "metadata": {}}


def never() -> None:
    raise AssertionError("nothing is broken here")


def read(file: Path) -> list[record.Event]:
    return record.read_events(file.read_bytes())[0]


def test_many_events_in_a_moment_are_one_write(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "j", clock.later, never, clock.now)
    for n in range(1000):
        journal.add(record.output(0, stream(f"{n}\n")))
    assert (tmp_path / "j").read_bytes() == b""
    assert len(clock.due) == 1
    clock.tick()
    assert [event["output"]["text"] for event in read(tmp_path / "j")] == ["".join(f"{n}\n" for n in range(1000))]
    journal.close()


def test_after_a_quiet_moment_it_is_written_at_once_then_at_a_bounded_rate(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "j", clock.later, never, clock.now)
    journal.add(record.output(0, stream("first\n")))
    clock.tick()
    journal.add(record.output(0, stream("close behind\n")))
    clock.tick()
    clock.time += 10
    journal.add(record.output(0, stream("after quiet\n")))
    assert clock.asked == [0, pytest.approx(0.05), 0]
    journal.close()


def test_a_bar_takes_a_line_in_the_journal_however_often_it_moves(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "j", clock.later, never, clock.now)
    for n in range(10_000):
        journal.add(record.output(0, stream(f"\r{n / 100:5.1f}% |{'#' * (n // 500):20}|", "stderr")))
        if n % 1000 == 999:
            clock.tick()
    journal.close()
    assert (tmp_path / "j").stat().st_size < 2000
    given = {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": "1", "metadata": {}}]}
    (output,) = record.rebuild(given, read(tmp_path / "j"))["cells"][0]["outputs"]
    assert output["text"] == f"100.0% |{'#' * 19} |"


def test_a_full_disk_is_told_once_and_the_rest_goes_on() -> None:
    told: list[int] = []
    journal = Journal(Path("/dev/full"), Clock().later, lambda: told.append(1))
    for _ in range(3):
        journal.add(record.clear(0))
        journal.flush()
    assert told == [1]
    assert not journal.is_whole
    journal.close()


def test_a_line_that_was_torn_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j", Clock().later, lambda: None)

    def tear(fd: int, data: bytes) -> None:
        real(fd, data[:5])
        raise OSError(28, "No space left on device")

    from drybench_runner import journal as module

    real = module.write_all
    journal.add(record.clear(1))
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_all", tear)
        journal.flush()
    journal.add(record.clear(2))
    journal.close()
    assert read(tmp_path / "j") == [record.clear(2)]


def test_the_log_has_a_bar_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.print("plain\n")
    for n in range(101):
        log.print(f"\r{n}%")
    log.say("the end")
    log.close()
    assert (tmp_path / "log").read_text() == "plain\n100%\nthe end\n"


class Bench:
    """One cell that runs, and what is kept of it."""

    def __init__(self, place: Path) -> None:
        cell = {"cell_type": "code", "source": "1", "metadata": {}}
        self.place = place
        self.book = Book({"nbformat": 4, "metadata": {}, "cells": [cell]})
        self.journal = Journal(place / "j", Clock().later, never)
        self.recording = Recording(self.book, self.journal, Log(place / "log"), Whole(place / "whole"))
        self.recording.begin(record.moment(), 1)
        self.recording.start_cell(0)

    def show(self, *outputs: dict[str, Any]) -> None:
        for output in outputs:
            self.recording.output(0, output)

    def end(self) -> list[dict[str, Any]]:
        self.recording.end_cell(1, failed=False)
        self.recording.end("done", None)
        self.journal.close()
        return self.book.settled()["cells"][0]["outputs"]

    def whole(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted((self.place / "whole").iterdir())}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_clearing_waits_for_something_new(bench: Bench) -> None:
    bench.show(stream("old"))
    bench.recording.clear(0, wait=True)
    bench.show(stream("new"))
    assert bench.end() == [stream("new")]
    kinds = [event["event"] for event in read(bench.place / "j")]
    assert kinds == ["began", "cell", "clear", "output", "cell_ended", "ended"]
    assert "old" in (bench.place / "log").read_text()


def test_an_end_in_the_middle_of_a_cell_ends_the_cell(bench: Bench) -> None:
    bench.recording.end("stopped", "It was cancelled.")
    assert bench.recording.executed == 0
    assert not bench.recording.is_running


def test_text_beyond_the_limit_is_left_out_said_and_kept_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "TEXT_LIMIT", 1000)
    monkeypatch.setattr("drybench_runner.recording.LAST_WORDS", 50)
    text = "".join(f"line {n}\n" for n in range(1000))
    bench.show(
        *(stream(text[place : place + 100]) for place in range(0, len(text), 100)),
    )
    beginning, said, ending = bench.end()
    assert beginning["text"] == text[:1000]
    assert "All of it is in whole/1-stdout.txt." in said["text"]
    assert "0.0 MiB of stdout are left out here" in said["text"]
    assert ending == stream(text[-50:])
    assert bench.whole()["1-stdout.txt"].decode() == text
    assert record.rebuild(bench.book.settled(), read(bench.place / "j"))["cells"][0]["outputs"][0] == beginning


def test_what_is_written_over_counts_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "TEXT_LIMIT", 1000)
    bench.show(*(stream(f"\r{n:50}") for n in range(1000)))
    assert bench.end() == [stream(f"{999:50}")]


def test_clearing_gives_room_again_and_clears_the_file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "TEXT_LIMIT", 10)
    bench.show(stream("x" * 100))
    bench.recording.clear(0)
    bench.show(stream("fits"))
    assert bench.end() == [stream("fits")]
    assert not (bench.place / "whole").exists() or bench.whole() == {}


def test_an_error_is_always_kept_and_never_a_book(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "TEXT_LIMIT", 1)
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["a\x1b[31mb\x1b[0m"]}
    book = {**error, "evalue": "v" * (50 << 20), "traceback": ["first" + "t" * (50 << 20) + "last"]}
    bench.show(stream("much"), error, book)
    *_, one, other, _said, _last = bench.end()
    assert one == error
    assert len(json.dumps(other)) < 1 << 18
    assert other["traceback"][0].startswith("first")
    assert other["traceback"][0].endswith("last")
    assert "ab\n" in (bench.place / "log").read_text()


def test_things_beyond_the_count_are_left_out_and_said_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "COUNT_LIMIT", 3)
    bench.show(*(display(text_plain=str(n)) for n in range(10)))
    kept = bench.end()
    assert [output["data"]["text/plain"] for output in kept[:3]] == ["0", "1", "2"]
    assert len(kept) == 4
    assert "showed more than" in kept[3]["text"]


def test_a_thing_too_large_is_a_file(bench: Bench) -> None:
    picture = base64.b64encode(b"\x89PNG" + b"x" * (50 << 20)).decode()
    bench.show(display(image_png=picture, text_plain="<Figure>"), display(text_html="<b>" + "h" * (20 << 20)))
    png, html = bench.end()
    assert "image/png, text/plain of 66.7 MiB: too large to be kept here. It is in whole/1-1.png." in str(png)
    assert png["metadata"]["drybench"] == {"cut": len(picture) + 8, "whole": "1-1.png"}
    assert bench.whole()["1-1.png"].startswith(b"\x89PNG")
    assert html["metadata"]["drybench"]["whole"] == "1-2.html"
    assert (bench.place / "j").stat().st_size < 10_000


def test_a_thing_too_large_for_the_journal_only_is_in_the_notebook_too(bench: Bench) -> None:
    bench.show(display(text_html="h" * (2 << 20)))
    (output,) = bench.end()
    assert len(output["data"]["text/html"]) == 2 << 20
    assert bench.whole()["1-1.html"] == b"h" * (2 << 20)
    (shown,) = [event["output"] for event in read(bench.place / "j") if event["event"] == "output"]
    assert shown["metadata"]["drybench"]["whole"] == "1-1.html"


def test_an_animation_does_not_use_up_the_room(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "SHOWN_LIMIT", 1000)
    bench.recording.output(0, display(text_plain="first"), "d")
    for n in range(100):
        bench.recording.update("d", {"text/plain": f"{n:100}"}, {})
    for n in range(100):
        bench.recording.clear(0, wait=True)
        bench.show(display(text_plain=f"{n:900}"))
    assert bench.end() == [display(text_plain=f"{99:900}")]


def test_beside_the_notebook_too_there_is_a_limit(tmp_path: Path) -> None:
    kept = Whole(tmp_path / "whole", limit=1 << 20)
    for _ in range(30):
        kept.add_text("1-stdout.txt", "x" * (1 << 18))
    kept.flush()
    assert kept.keep(2, {"text/html": "x" * (1 << 20)}) is None
    assert (tmp_path / "whole/1-stdout.txt").stat().st_size == 1 << 20


def test_a_full_disk_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole, "write_all", full)
    assert Whole(tmp_path / "whole").keep(1, {"text/plain": "x"}) is None


def test_the_last_picture_that_is_small_and_one(bench: Bench) -> None:
    small = base64.b64encode(b"\x89PNG small").decode()
    bench.show(display(image_png=small + "\n"), display(image_png="A" * (3 << 20)), display(image_jpeg=None))
    assert bench.recording.picture.file() == ("picture.png", b"\x89PNG small")
    bench.show(display(image_jpeg=base64.b64encode(b"<script>").decode()))
    assert bench.recording.picture.file() is None
    bench.show(display(image_png="\x00not base64"))
    assert bench.recording.picture.file() is None
