"""The supervisor's children: started, written down, waited for and ended.

They are known by more than a pid, which is used again by somebody else: nothing is signalled
that is not the very process that was written down.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drybench.engines.processes import Identity

LAST_PATIENCE = 5  # seconds; even SIGKILL waits for a disk

# The child waits until it is written down: a supervisor killed in between leaves nothing behind.
_WHEN_TOLD = 'read -r go && exec "$@"'


@dataclass(frozen=True)
class Child:
    """What the supervisor keeps alive, as data."""

    name: str
    command: tuple[str, ...]
    log: Path
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    patience: float = 2  # seconds from being asked to end to being made to


class Children:
    """The book of living children, kept in a file, so that the next supervisor finds those of one that was killed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._alive: dict[str, Identity] = {}

    def start(self, child: Child) -> subprocess.Popen[bytes]:
        with child.log.open("ab") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _WHEN_TOLD, child.name, *child.command],
                cwd=child.cwd,
                env={**os.environ, **child.env},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the supervisor, which ends them in their order
            )
        try:
            self._write_down(child.name, process.pid)
        except OSError:
            process.communicate()  # what is not told to go ends by itself
            raise
        _tell_to_go(process)
        return process

    def alive(self) -> dict[str, Identity]:
        """Those written down that are still alive, whoever started them."""
        try:
            saved = json.loads(self._file.read_text())["children"]
        except (OSError, ValueError):
            return {}
        known = {name: Identity.from_json(record) for name, record in saved.items()}
        return {name: identity for name, identity in known.items() if identity and identity.is_alive}

    def _write_down(self, name: str, pid: int) -> None:
        identity = Identity.of(pid)
        if identity:
            self._alive[name] = identity
        new = self._file.with_suffix(".new")
        alive = {name: identity.as_json() for name, identity in self._alive.items()}
        new.write_text(json.dumps({"format": 1, "children": alive}))
        new.replace(self._file)


def _tell_to_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    try:
        with process.stdin as pipe:
            pipe.write(b"go\n")
    except BrokenPipeError:
        pass  # it has ended already, which its keeper is about to see


def end(identity: Identity, patience: float) -> bool:
    """Ask it to end, and after `patience` seconds make it; whether there was anything to end."""
    descriptor = identity.open()
    if descriptor is None:
        return False
    try:
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, LAST_PATIENCE)):
            identity.signal(number)
            if select.select([descriptor], [], [], seconds)[0]:
                break
    finally:
        os.close(descriptor)
    return True


async def ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code once it has ended, without a thread."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(process.pid)
    over = loop.create_future()
    loop.add_reader(descriptor, lambda: over.done() or over.set_result(None))
    try:
        await over
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()
