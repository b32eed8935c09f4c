"""`drybench up --detach`: the terminal is given back once the bench is ready, and the bench stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_READY = b"ready"


def go_behind(log: Path) -> Callable[[], None]:
    """Comes back in a process of its own, with what to call there once the bench is ready.

    Until then that one still speaks to this terminal; from then on to the log. The process that
    called waits for it and exits: 0 when it became ready, 2 when it ended before.
    Forked twice, so that it belongs to no terminal and to no parent; to be called before there are threads.
    """
    listening, telling = os.pipe()
    if child := os.fork():
        os.close(telling)
        os.waitpid(child, 0)
        with os.fdopen(listening, "rb") as pipe:
            raise SystemExit(0 if pipe.read() == _READY else 2)
    os.close(listening)
    os.setsid()
    if os.fork():
        os._exit(0)

    def ready() -> None:
        _let_go_of_the_terminal(log)
        os.write(telling, _READY)
        os.close(telling)

    return ready


def _let_go_of_the_terminal(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    own = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for target, source in ((0, nothing), (1, own), (2, own)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(own)
