"""What a builder says, line by line: Docker's older one, which every Docker and Podman has."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LINES_KEPT, LINES_TOLD = 12, 3  # of a step that failed
LONGEST = 64 << 10  # characters without the end of a line; then it is ended
_STEP = re.compile(r"^S(?:tep|TEP) (\d+)/(\d+) ?: ?(.*)")
_LAYER = re.compile(r"^(?: ---> |--> )([0-9a-f]{11,64})$")
_COMPLAINT = re.compile(r"(?i)(error|fatal|e):? ")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what is built must not give orders to a keeper's terminal


def plain(line: str) -> str:
    return _ODD.sub("", _COLOURS.sub("", line))


@dataclass
class Steps:
    """Where a build is."""

    step: int = 0
    steps: int = 0
    doing: str = ""
    layers: list[str] = field(default_factory=list[str])  # the last of each stage, and the last of all
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    _rest: str = ""
    _layer: str = ""

    def hear(self, said: Mapping[str, Any]) -> Iterator[str]:
        """Whole lines for the log."""
        if isinstance(text := said.get("stream"), str):
            *lines, self._rest = (self._rest + text).replace("\r\n", "\n").split("\n")
            yield from map(self._heard, lines)
            if len(self._rest) > LONGEST:
                yield self._heard(self._rest)
                self._rest = ""
        elif isinstance(status := said.get("status"), str) and "progressDetail" not in said:
            yield self._heard(" ".join(filter(None, (said.get("id"), status))))

    def end(self) -> Iterator[str]:
        if self._rest:
            yield self._heard(self._rest)
        self._rest = ""
        self._leave_layer()

    def telling(self) -> list[str]:
        """Of what the last step said: its complaints, or else its end."""
        complaints = [line for line in self.last if _COMPLAINT.match(line)]
        return (complaints or list(self.last))[-LINES_TOLD:]

    def _heard(self, line: str) -> str:
        line = plain(line.rpartition("\r")[2]).rstrip()
        if found := _STEP.match(line):
            self.step, self.steps, self.doing = int(found[1]), int(found[2]), found[3].strip()
            self.last.clear()
            if self.doing.upper().startswith("FROM "):
                self._leave_layer()
        elif layer := _LAYER.match(line):
            self._layer = layer[1]
        elif line.strip() and not line.startswith((" ---> ", "Removing intermediate container")):
            self.last.append(line.strip())
        return line

    def _leave_layer(self) -> None:
        if self._layer:
            self.layers.append(self._layer)
        self._layer = ""
