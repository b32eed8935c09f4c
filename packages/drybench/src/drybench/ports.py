"""Which ports of this machine are free."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Collection, Sequence

LOOPBACK = "127.0.0.1"
FIRST, LAST = 12_000, 26_000  # below those that the kernel gives to whoever asks for any: ours wait for us while we are
TRIES = 1000  # down, as sessions know them and live on


def is_free(listen: str, port: int) -> bool:
    """Also on the other loopback: a browser takes `localhost` for ::1 first, and would reach somebody else there."""
    if listen == LOOPBACK and socket.has_ipv6 and not _can_listen("::1", port, harmless=(errno.EADDRNOTAVAIL,)):
        return False
    return _can_listen(listen, port)


def inner(kept: Sequence[int], taken: int) -> list[int]:
    """As many loopback ports as are given: the same ones where they are still free, and never `taken`."""
    chosen: list[int] = []
    for port in kept:
        chosen.append(_one(LOOPBACK, port, (taken, *chosen)))
    return chosen


def on(host: str, kept: int, taken: int) -> int:
    """A port of that address of ours: the same one where it is still free, and never `taken`."""
    return _one(host, kept, (taken,))


def _one(host: str, kept: int, taken: Collection[int]) -> int:
    wanted = (kept, *random.sample(range(FIRST, LAST), TRIES))
    return next(port for port in wanted if port and port not in taken and _can_listen(host, port))


def _can_listen(host: str, port: int, harmless: Collection[int] = ()) -> bool:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, *harmless):
            raise
        return error.errno in harmless
    return True
