"""The portal's half of `local_starter.py`: one starter for each Python environment that is much used."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drybench.engines import local_starter, local_watcher

RUNNER = ["python", "-m", "drybench_runner"]
FORKED = ("run", "ready")
SOON = 600.0  # asked for again within this time, a starter is worth its memory
MOST = 2  # starters at a time
LONGEST_ANSWER = 1 << 16


class Starters:
    """May be called from any thread. Whatever goes wrong with a starter, the answer is None."""

    def __init__(self, answer_within: float) -> None:
        self._answer_within = answer_within
        self._known: dict[Path, _Starter] = {}
        self._asked: dict[Path, float] = {}
        self._turn = threading.Lock()

    def ask(self, python: Path | None, folder: Path, order: Mapping[str, Any]) -> bytes | None:
        """Who watches now; None where the watcher is to be started by itself, which may be tried at any time."""
        command = list(order["command"])
        if python is None or command[:3] != RUNNER or command[3] not in FORKED:
            return None
        with self._turn:
            starter = self._starter(python)
        if starter is None:
            return None
        try:
            return starter.ask(folder, order, self._answer_within)
        except OSError:
            with self._turn:
                self._let_go(python)
            return None

    def close(self) -> None:
        with self._turn:
            for python in list(self._known):
                self._let_go(python)

    def _starter(self, python: Path) -> _Starter | None:
        """The first time somebody asks is no sign that anybody will again."""
        before, self._asked[python] = self._asked.get(python), time.monotonic()
        if python in self._known:
            return self._known[python]
        if before is not None and self._asked[python] - before < SOON:
            if len(self._known) >= MOST:
                self._let_go(min(self._known, key=lambda known: self._asked[known]))
            with suppress(OSError):
                self._known[python] = _Starter(python)
        return None

    def _let_go(self, python: Path) -> None:
        if starter := self._known.pop(python, None):
            starter.close()


class _Starter:
    """It ends by itself when this end of its socket is closed, also by a kill -9."""

    def __init__(self, python: Path) -> None:
        self._socket, its_own = socket.socketpair()
        command = [python / "bin" / "python", "-I", "-X", "utf8", local_starter.__file__, local_watcher.__file__]
        with its_own:
            self._process = subprocess.Popen(
                command,
                stdin=its_own.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        self._is_up = False
        self._turn = threading.Lock()

    def ask(self, folder: Path, order: Mapping[str, Any], seconds: float) -> bytes | None:
        """None while it still imports; OSError when it has ended, or does not answer."""
        with self._turn:
            if not self._is_up and not self._has_come_up():
                return None
            self._socket.settimeout(seconds)
            self._socket.sendall(json.dumps({"folder": str(folder), "order": order}).encode() + b"\n")
            return self._line()

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _has_come_up(self) -> bool:
        try:
            said = self._socket.recv(len(local_starter.UP), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if said != local_starter.UP:
            raise ConnectionError("it ended while it came up")
        self._is_up = True
        return True

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            block = self._socket.recv(LONGEST_ANSWER)
            if not block or len(line) > LONGEST_ANSWER:
                raise ConnectionError("no whole answer")
            line += block
        return line
