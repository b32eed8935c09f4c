"""progress.jsonl and log.txt while they are written: only ever appended, at a bounded rate."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drybench_runner.record import Event, is_stream, lines, merged
from drybench_runner.terminal_text import Screen

SHORTEST_PAUSE = 0.05
_LARGE = 32 << 20

Later = Callable[[float, Callable[[], None]], Any]
Clock = Callable[[], float]
_GOES_BACK = re.compile(r"[\r\b]|\x1b\[\d*[A-DGJK]")


class Journal:
    """What comes after a quiet moment is written at once; what follows close behind is written together.

    `later` calls a function after some seconds. When the disk is full `broken` is called, once.
    """

    def __init__(self, file: Path, later: Later, broken: Callable[[], None], now: Clock = time.monotonic) -> None:
        self._fd = _open_to_append(file)
        self._later = later
        self._now = now
        self._tell_broken = broken
        self._waiting: list[Event] = []
        self._streams: dict[int, tuple[str, Screen]] = {}  # the text that goes on, of each cell
        self._is_due = False
        self._is_torn = False
        self._size = 0
        self._not_before = 0.0
        self.is_whole = True

    def add(self, event: Event) -> None:
        self._waiting.append(event)
        if not self._is_due:
            self._is_due = True
            self._later(max(0.0, self._not_before - self._now()), self._flush_when_due)

    def flush(self) -> None:
        """Write what waits. What cannot be written is left out: the notebook still has it."""
        due, self._waiting = merged(self._waiting), []
        try:
            for event in due:
                for line in lines(self._shortened(event)):
                    self._write(line)
        except OSError:
            self._is_torn = True
            if self.is_whole:
                self.is_whole = False
                self._tell_broken()
        self._not_before = self._now() + self._pause()

    def close(self) -> None:
        self.flush()
        os.close(self._fd)

    def _shortened(self, event: Event) -> Event:
        """A line that was written over many times goes in once."""
        if not is_stream(event):
            if event["event"] in ("cell", "clear", "output", "cell_ended"):
                self._streams.pop(event["index"], None)
            return event
        index, output = event["index"], event["output"]
        name, screen = self._streams.get(index, ("", Screen()))
        if name != output["name"]:
            _, screen = self._streams[index] = output["name"], Screen()
        return {**event, "output": {**output, "text": screen.changed(output["text"])}}

    def _pause(self) -> float:
        # An animation of many hours writes less and less often, else its journal would fill the disk.
        return SHORTEST_PAUSE * (1 + (self._size / _LARGE) ** 3)

    def _flush_when_due(self) -> None:
        self._is_due = False
        if self._waiting:
            self.flush()

    def _write(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line
        write_all(self._fd, line)
        self._is_torn = False
        self._size += len(line)


class Log:
    """What the run has to say to a person: its steps and what its cells print. Never stops a run."""

    def __init__(self, file: Path) -> None:
        self._fd = _open_to_append(file)
        self._moving: Screen | None = None  # lines that are still being written over
        self._is_within_a_line = False

    def say(self, text: str) -> None:
        self.end_lines()
        self._write(f"\n{text}\n" if self._is_within_a_line else f"{text}\n")

    def print(self, text: str) -> None:
        """A progress bar is written when it is over."""
        if self._moving is None and not _GOES_BACK.search(text):
            self._write(text)
            return
        self._moving = self._moving or Screen()
        self._moving.write(text)
        if text.endswith("\n"):
            self.end_lines()

    def end_lines(self) -> None:
        if self._moving is not None:
            self._write(self._moving.text())
        self._moving = None

    def close(self) -> None:
        self.end_lines()
        os.close(self._fd)

    def _write(self, text: str) -> None:
        self._is_within_a_line = not text.endswith("\n") if text else self._is_within_a_line
        try:
            write_all(self._fd, text.encode("utf-8", "replace"))
        except OSError:
            return


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _open_to_append(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
