"""Start runners by fork, with what is slow already imported. What runs in a kernel is never forked.

`PYTHON/bin/python -I local_starter.py local_watcher.py`, with a socket as its standard input: an order a
line, answered by who watches. It belongs to one environment and one portal, and ends when nobody
has asked for a while, or with the portal. Each order becomes a watcher, and that a runner, as if both had been
started by themselves: of their starter they keep no descriptor, no variable and no thread.
"""

# it is run by the environment's Python, by path
from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

UP = b"up\n"
IDLE = 600.0  # seconds
IMPORTED = ("drybench_runner.__main__", "drybench_runner.carrying_out", "drybench_runner.kinds.notebook")
SLOW = ("drybench_runner.executing", "drybench_runner.ready")


def main(watcher_file: str) -> None:
    watcher = _load(watcher_file)
    for name in (*IMPORTED, *SLOW):
        importlib.import_module(name)
    if threading.active_count() > 1:  # a fork would break it
        return
    gc.freeze()
    portal = socket.socket(fileno=os.dup(0))
    portal.settimeout(IDLE)
    portal.sendall(UP)
    with suppress(TimeoutError), portal.makefile("rb") as orders:
        for line in orders:
            portal.sendall(_begin(watcher, json.loads(line)) + b"\n")


def _begin(watcher: ModuleType, asked: Mapping[str, Any]) -> bytes:
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        _become_the_watcher(watcher, asked, said)
    os.close(said)
    os.waitpid(child, 0)
    with open(heard, "rb") as answer:  # noqa: PTH123 - a descriptor
        return answer.read()


def _become_the_watcher(watcher: ModuleType, asked: Mapping[str, Any], said: int) -> NoReturn:
    try:
        os.setsid()
        if os.fork():
            os._exit(0)  # nobody's child, as one that was started by itself
        os.chdir("/")
        os.environ.clear()
        os.dup2(said, 1)
        _close_all_but(0, 1, 2)
        watcher.watch(Path(asked["folder"]), asked["order"], _run)
    finally:
        os._exit(0)


def _run(order: Mapping[str, Any], lock: int) -> NoReturn:
    """In place of exec: what that would take away is taken away by hand."""
    variables: dict[str, str] = order["env"]
    python = shutil.which(str(order["command"][0]), path=variables.get("PATH"))
    if python is None:
        raise FileNotFoundError(2, os.strerror(2), order["command"][0])
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_IGN)
    _close_all_but(0, 1, 2, lock)
    os.environ.clear()
    os.environ.update(variables)
    sys.executable = python
    sys.prefix = sys.exec_prefix = str(Path(python).parent.parent)
    sys.modules.pop("sysconfig", None)  # it has the other prefix by heart
    sys.argv = list(order["command"][2:])
    code = 1
    try:
        code = sys.modules["drybench_runner.__main__"].main()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(code)


def _close_all_but(*kept: int) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - between fork and exec
        if int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))


def _load(file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("local_watcher", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["local_watcher"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1])
