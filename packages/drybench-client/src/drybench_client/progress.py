"""One line that shows how far a run is: on a terminal, and in a notebook."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from drybench_client import printing
from drybench_client.answers import Run
from drybench_client.sweeps import Sweep

_WIDTH = 24
_FULL, _EMPTY = "█", "░"


class Bar:
    """Nothing is shown where nobody looks: in a pipe, in a log."""

    def __init__(self, shown: bool = True) -> None:
        self._shown = shown
        self._line = printing.Progress()
        self._cell: Any = None  # the place in a notebook's output

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._line.end()

    def run(self, run: Run) -> None:
        if not self._shown:
            return
        part = max(run["cell"] - 1, 0) / run["cells"] if run["cells"] else 0.0
        self._say(run["name"], 1.0 if run["outcome"] == "done" else part, printing.state(run))

    def sweep(self, sweep: Sweep) -> None:
        if not self._shown:
            return
        totals = sweep["totals"]
        over = sweep["runs"] - totals["running"] - totals["waiting"]
        self._say(sweep["name"], over / max(sweep["runs"], 1), f"{over:,} of {sweep['runs']:,}")

    def _say(self, name: str, part: float, words: str) -> None:
        full = round(_WIDTH * min(max(part, 0.0), 1.0))
        line = printing.plain(f"{name}  {_FULL * full}{_EMPTY * (_WIDTH - full)}  {words}")
        display = _notebook()
        if display is None:
            self._line.say(line)
        elif self._cell is None:
            self._cell = display.display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._cell.update({"text/plain": line}, raw=True)


def _notebook() -> Any:
    """IPython's display, where this is a notebook's kernel. IPython itself is never imported for it."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return ipython.display if hasattr(shell, "kernel") else None
