"""One run, from its folder to an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drybench_runner.causes import disk_is_full
from drybench_runner.kinds import kind
from drybench_runner.places import Places
from drybench_runner.record import NO_ROOM, read_run

if TYPE_CHECKING:
    from drybench_runner.ready import ReadyKernel


async def carry_out(folder: str, attempt: int, ready: ReadyKernel | None = None) -> int:
    """0 whenever there is a result.json, whatever became of the run."""
    places = Places(Path(folder), attempt)
    try:
        run = read_run((places.given / "run.json").read_bytes())
        await kind(run.kind)(places, run, ready)
    except (OSError, ValueError) as problem:
        print(f"This run could not be carried out: {problem}", file=sys.stderr)
        return NO_ROOM if disk_is_full(problem) else 1
    return 0
