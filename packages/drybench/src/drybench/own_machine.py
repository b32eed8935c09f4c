"""What this machine may give to tasks: what the keeper says, else all but what the machine needs itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from threading import Thread

from drybench.model import Gpu

FOR_THE_MACHINE = 3 << 28  # 768 MiB: the bench and the system, on a laptop of 4 GiB
PATIENCE = 10.0  # seconds, for a driver that wakes many cards
MOST_OF_AN_ANSWER = 1 << 16
GIB = 1 << 30


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
    numbered = _numbered(_known(program, patience) or "")
    return [gpu for number, gpu in numbered if chosen == "auto" or number in chosen or gpu.id in chosen]


@cache
def _known(program: str, patience: float) -> str | None:
    """Asked once: engines and pages all want to know, and no card comes or goes while the machine is up."""
    return asked_of_driver(program, patience)


def asked_of_driver(program: str, patience: float = PATIENCE) -> str | None:
    """What nvidia-smi says of the GPUs; None where it fails or does not come back."""
    command = [program, "--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits"]
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        said, _ = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        Thread(target=_end, args=(child,), daemon=True).start()
        return None
    return said[:MOST_OF_AN_ANSWER].decode(errors="replace") if child.returncode == 0 else None


def _end(child: subprocess.Popen[bytes]) -> None:
    """One that hangs in the driver does not even end when it is killed."""
    with child:
        child.kill()


def _numbered(said: str) -> list[tuple[str, Gpu]]:
    """Memory up to the next whole GiB: the driver keeps some for itself, and a card of 24 GiB counts as one. Where it
    says [N/A], nobody knows."""
    found = list[tuple[str, Gpu]]()
    for line in said.splitlines():
        with suppress(ValueError):
            number, uuid, mebibytes, title = (word.strip() for word in line.split(",", 3))
            whole = -(-int(mebibytes) // 1024) * GIB if mebibytes.isdecimal() else 0
            found.append((number, Gpu(uuid, whole, title)))
    return found
