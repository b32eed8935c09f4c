"""What this machine may give to tasks: what the keeper says, else all but what the machine needs itself."""

from __future__ import annotations

import os

FOR_THE_MACHINE = 3 << 28  # 768 MiB: the bench and the system, on a laptop of 4 GiB


def cores(chosen: float) -> float:
    """0: every core that this process may use."""
    return chosen or float(len(os.sched_getaffinity(0)))


def memory(chosen: int) -> int:
    """0: all but a little; what others use at this moment is not asked, for it changes while a task waits."""
    return chosen or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") - FOR_THE_MACHINE
