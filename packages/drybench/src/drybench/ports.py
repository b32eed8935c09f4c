"""Which ports of this machine are free."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Collection, Sequence

LOOPBACK = "127.0.0.1"


def is_free(listen: str, port: int) -> bool:
    """Also on the other loopback: a browser takes `localhost` for ::1 first, and would reach somebody else there."""
    if listen == LOOPBACK and socket.has_ipv6 and not _can_listen("::1", port, harmless=(errno.EADDRNOTAVAIL,)):
        return False
    return _can_listen(listen, port)


def inner(kept: Sequence[int], taken: int) -> list[int]:
    """As many loopback ports as are given: the same ones where they are still free, and never `taken`."""
    with contextlib.ExitStack() as held:
        return [_hold(port if port != taken else 0, held) for port in kept]


def on(host: str, kept: int, taken: int) -> int:
    """A port of that address of ours: the same one where it is still free, and never `taken`."""
    with contextlib.ExitStack() as held:
        return _hold(kept if kept != taken else 0, held, host)


def _hold(port: int, held: contextlib.ExitStack, host: str = LOOPBACK) -> int:
    """This port, or another one where it is 0 or taken; held until all are chosen, so that none is chosen twice."""
    holder = held.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((host, port))
    except OSError:
        holder.bind((host, 0))
    return holder.getsockname()[1]


def _can_listen(host: str, port: int, harmless: Collection[int] = ()) -> bool:
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, *harmless):
            raise
        return error.errno in harmless
    return True
