"""The portal as a process."""

from __future__ import annotations

import subprocess
import sys

SAYS = """
import structlog
from drybench.serving import _plain_log
_plain_log()
structlog.get_logger("portal").error("the disk is full")
raise SystemExit(7)
"""


def test_a_log_on_a_full_disk_stops_nobody() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-c", SAYS], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert b"Traceback" not in done.stderr.partition(b"Exception ignored")[0]
    assert done.returncode in (7, 120)  # 120: at its end Python tries once more to write what is left
