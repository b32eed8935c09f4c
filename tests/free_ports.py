"""Ports for what the tests start: each is given once, and each worker of a test run has ports of its own to give."""

from __future__ import annotations

import os
import random
import re

from drybench.ports import is_free

FIRST, LAST = 26_000, 32_000  # below those that the kernel gives away by itself, above those of a bench
WORKERS = 8  # as many as have their own

_given: set[int] = set()


def free_port() -> int:
    worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % WORKERS
    while True:
        port = random.randrange(FIRST + worker, LAST, WORKERS)
        if port not in _given and is_free("127.0.0.1", port):
            _given.add(port)
            return port
