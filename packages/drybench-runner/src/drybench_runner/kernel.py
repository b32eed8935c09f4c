"""One kernel's process, and where it is spoken to.

Standard library only: it is started before anything slow is imported, and starts up meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from drybench_runner.kernelspecs import KernelSpec

_CHANNELS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
_LONGEST_SOCKET_PATH = 100  # the system allows 107
_TCP_TRIES = 5
_LOOK_AGAIN = 0.005


class Kernel:
    """Started when made; `close` ends it and leaves nothing behind."""

    def __init__(self, spec: KernelSpec, cwd: Path) -> None:
        self.spec = spec
        self._cwd = cwd
        self._folder = _private_folder()
        self._tries = 0
        try:
            self.start()
        except OSError:
            self.remove_sockets()
            raise

    def start(self) -> None:
        """Start it, with ports of its own where it does not speak through socket files."""
        self._tries += 1
        self.connection = _connection(self._folder, self.spec.speaks_ipc)
        file = self._folder / "kernel.json"
        file.write_text(json.dumps(self.connection))
        # A session of its own, so that an interrupt reaches what a cell has started, and not the runner.
        self.process = subprocess.Popen(
            self.spec.command(file),
            cwd=self._cwd,
            env=self.spec.environ(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def may_try_again(self) -> bool:
        """Another may have taken the ports between choosing and binding; socket files have no such gap."""
        return not self.spec.speaks_ipc and self._tries < _TCP_TRIES

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """To the kernel and what its cells have started."""
        if self.alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    async def ended(self, seconds: float) -> bool:
        """Whether it ends within this time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.alive:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(_LOOK_AGAIN)
        return True

    async def close(self, patience: float) -> None:
        """Give it this long to end by itself, then less and less kindly."""
        if not await self.ended(patience):
            self.signal(signal.SIGTERM)
        if not await self.ended(min(patience, 1)):
            self.kill()
        self.remove_sockets()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    def remove_sockets(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _private_folder() -> Path:
    """Short, for a socket's path has an end; in the task's own folder if that is short enough."""
    task = os.environ.get("DRYBENCH_TASK_DIR", "")
    for place in (task, tempfile.gettempdir()):
        if place and len(place) + len("/k-12345678/k-5") <= _LONGEST_SOCKET_PATH and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="k-", dir=place))
    return Path(tempfile.mkdtemp(prefix="k-", dir="/tmp"))


def _connection(folder: Path, ipc: bool) -> Mapping[str, Any]:
    how = {"transport": "ipc", "ip": str(folder / "k")} if ipc else {"transport": "tcp", "ip": "127.0.0.1"}
    ports = range(1, 6) if ipc else _free_ports(len(_CHANNELS))
    key = {"key": secrets.token_hex(32), "signature_scheme": "hmac-sha256"}
    return {**how, **dict(zip(_CHANNELS, ports, strict=True)), **key}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as open_until_all_are_chosen:
        sockets = [open_until_all_are_chosen.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
