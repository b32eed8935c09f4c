"""What this machine may give to tasks: what the keeper says, else all but what the machine needs itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from drybench.engines.local_environ import SYSTEM_PATH
from drybench.model import DESKTOP, App, Gpu
from drybench.programs import ask
from drybench_session.apps import X_SERVER
from drybench_session.desktop import commands

FOR_THE_MACHINE = 3 << 28  # 768 MiB: the bench and the system, on a laptop of 4 GiB
PATIENCE = 10.0  # seconds, for a driver that wakes many cards
GIB = 1 << 30
GPU_QUESTION = ("--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits")


def cores(chosen: float) -> float:
    """0: every core that this process may use."""
    return chosen or float(len(os.sched_getaffinity(0)))


def memory(chosen: int) -> int:
    """0: all but a little; what others use at this moment is not asked, for it changes while a task waits."""
    return chosen or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") - FOR_THE_MACHINE


def gpus(chosen: str | Sequence[str], patience: float = PATIENCE) -> list[Gpu]:
    """`auto`: all that the driver shows; `none`; or some of them, by number or UUID. A name that is not there is left
    out: `drybench doctor` says so, and the bench comes up without it."""
    program = shutil.which("nvidia-smi")
    if chosen == "none" or program is None:
        return []
    numbered = _shown(program, patience)
    return [gpu for number, gpu in numbered if chosen == "auto" or number in chosen or gpu.id in chosen]


def shows(app: App) -> bool:
    """Whether a session on this machine itself can show it."""
    return not app.has_screen or not lacks_for_screens(app.name == DESKTOP)


def lacks_for_screens(desktop: bool = True) -> list[str]:
    """In words. One program alone needs no window manager."""
    found = {"PATH": SYSTEM_PATH}  # as a task here has it
    lacks = [] if shutil.which(X_SERVER, path=SYSTEM_PATH) else [f"TigerVNC (no program `{X_SERVER}`)"]
    has_windows = commands.xfce(found) or commands.window_manager(found)
    return [*lacks, *(["window manager"] if desktop and not has_windows else [])]


def numbered_gpus(said: str) -> list[tuple[str, Gpu]]:
    """Memory up to the next whole GiB: the driver keeps some for itself, and a card of 24 GiB counts as one. Where it
    says [N/A], nobody knows."""
    found = list[tuple[str, Gpu]]()
    for line in said.splitlines():
        with suppress(ValueError):
            number, uuid, mebibytes, title = (word.strip() for word in line.split(",", 3))
            whole = -(-int(mebibytes) // 1024) * GIB if mebibytes.isdecimal() else 0
            found.append((number, Gpu(uuid, whole, title)))
    return found


@cache
def _shown(program: str, patience: float) -> list[tuple[str, Gpu]]:
    """Asked once: engines and pages all want to know, and no card comes or goes while the machine is up."""
    said = ask((program, *GPU_QUESTION), patience)
    return numbered_gpus(said.text) if said.well else []
