"""How much is kept, how often it is written, and what happens when it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drybench_runner import caps, record
from drybench_runner.book import Book
from drybench_runner.journal import Journal, Log
from drybench_runner.recording import Recording


class Clock:
    """What `later` was asked for, done when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds >= 0.05
        self.due.append(call)

    def tick(self) -> None:
        due, self.due = self.due, []
        for call in due:
            call()


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def never() -> None:
    raise AssertionError("nothing is broken here")


def test_many_events_in_a_moment_are_one_write(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path / "j", clock.later, never)
    for n in range(1000):
        journal.add(record.output(0, stream(f"{n}\n")))
    assert (tmp_path / "j").read_bytes() == b""
    assert len(clock.due) == 1
    clock.tick()
    events, _ = record.read_events((tmp_path / "j").read_bytes())
    assert [event["output"]["text"] for event in events] == ["".join(f"{n}\n" for n in range(1000))]
    journal.close()


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
    assert record.read_events((tmp_path / "j").read_bytes())[0] == [record.clear(2)]


def test_text_beyond_the_limit_is_cut_and_said_once() -> None:
    allowance = caps.Allowance()
    half = "x" * (caps.TEXT_LIMIT // 2 + 1)
    assert allowance.admit(stream(half)) == [stream(half)]
    cut, said = allowance.admit(stream(half))
    assert len(cut["text"]) == caps.TEXT_LIMIT - len(half)
    assert said["name"] == "stderr"
    assert "10 MiB" in said["text"]
    assert allowance.admit(stream("more")) == []


def test_an_error_is_always_kept() -> None:
    allowance = caps.Allowance()
    allowance.admit(stream("x" * (caps.TEXT_LIMIT + 1)))
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    assert allowance.admit(error) == [error]


def test_things_beyond_the_count_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "COUNT_LIMIT", 3)
    allowance = caps.Allowance()
    names = ["stdout", "stdout", "stderr", "stdout", "stderr", "stdout"]
    kept = [len(allowance.admit(stream("x", name))) for name in names]
    assert kept == [1, 1, 1, 1, 1, 0]  # the fifth are the words


def test_pictures_beyond_the_limit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "SHOWN_LIMIT", 2 << 20)
    allowance = caps.Allowance()
    picture = {"output_type": "display_data", "data": {"image/png": "x" * (1 << 20), "a/json": {}}, "metadata": {}}
    assert allowance.admit(picture) == [picture]
    assert "more than 2 MiB" in allowance.admit(picture)[0]["text"]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    cell = {"cell_type": "code", "source": "1", "metadata": {}}
    book = Book({"nbformat": 4, "metadata": {}, "cells": [cell]})
    return Recording(book, Journal(tmp_path / "j", Clock().later, never), Log(tmp_path / "log"))


def test_clearing_waits_for_something_new(recording: Recording, tmp_path: Path) -> None:
    recording.begin(record.moment(), 1)
    recording.start_cell(0)
    recording.output(0, stream("old"))
    recording.clear(0, wait=True)
    recording.output(0, stream("new"))
    recording.end_cell(1, failed=False)
    recording.end("done", None)
    recording._journal.close()  # pyright: ignore[reportPrivateUsage]
    events, _ = record.read_events((tmp_path / "j").read_bytes())
    assert [event["event"] for event in events] == ["began", "cell", "clear", "output", "cell_ended", "ended"]
    assert "old" in (tmp_path / "log").read_text()


def test_an_end_in_the_middle_of_a_cell_ends_the_cell(recording: Recording) -> None:
    recording.begin(record.moment(), 1)
    recording.start_cell(0)
    recording.end("stopped", "It was cancelled.")
    assert recording.executed == 0
    assert not recording.is_running
