"""The kernel of a failed run is kept for a while, so that a hand can mend what was wrong and go on.

    made/held/kernels/kernel.json   how to speak to the kernel: what a session opens
    made/held/notebook.ipynb        a copy of the notebook to be mended
    told/attached.json              the portal's word: somebody has opened it
    told/go_on-N.json, let_go.json  the portal's word: go on from that cell, or end now

Both halves are read by nobody else; the folder `held/` is gone when the kernel is.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from drybench_runner import given_notebook
from drybench_runner.book import is_executed
from drybench_runner.kernel import Kernel
from drybench_runner.places import Places
from drybench_runner.reading import count, json_object

LOOK = 0.3  # seconds between two looks for the portal's word
_MOST_OF_A_WORD = 4096


@dataclass(frozen=True)
class GoOn:
    """From this cell, with these cells from there on."""

    index: int
    cells: Sequence[Any]


class Holding:
    """Of one run; it may be held again when it fails once more, until its time is over."""

    def __init__(self, places: Places, kernel: Kernel, seconds: float) -> None:
        self._places = places
        self._kernel = kernel
        self._until = time.monotonic() + seconds
        self._went_on: list[int] = []
        self._changed: set[int] = set()

    @property
    def seconds_left(self) -> float:
        return max(self._until - time.monotonic(), 0)

    def open(self, notebook: Mapping[str, Any]) -> None:
        kernels = self._places.held / "kernels"
        kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
        spec = self._kernel.spec
        shown = {**self._kernel.connection, "kernel_name": spec.name}
        named = {"kernelspec": {"name": spec.name, "display_name": spec.name, "language": spec.language}}
        copy = {**notebook, "metadata": named | notebook["metadata"]}  # or JupyterLab asks which kernel it wants
        (self._places.held / "notebook.ipynb").write_text(json.dumps(copy))
        (kernels / "kernel.json").write_text(json.dumps(shown))

    async def wait(self, notebook: Mapping[str, Any], listen: Callable[[float], Any], over: Callable[[], bool]) -> Any:
        """A GoOn, or None when the kernel is to go: let go, its time over, dead, or `over`. Closes what was opened.

        `listen` hears what the kernel says to others for some seconds, so that it does not pile up here.
        """
        try:
            while self.seconds_left > 0 and self._kernel.alive and not over():
                if self._told("let_go") is not None:
                    return None
                word = self._told(f"go_on-{len(self._went_on) + 1}")
                if word is not None and (go_on := self._go_on(notebook, word)):
                    return go_on
                await listen(LOOK)
            return None
        finally:
            shutil.rmtree(self._places.held, ignore_errors=True)

    def hand(self) -> Mapping[str, Any] | None:
        """What the result says of it; None where nobody touched the kernel."""
        attached = self._told("attached")
        if attached is None and not self._went_on:
            return None
        at = attached.get("at") if attached else None
        return {
            "attached_at": at if isinstance(at, str) else None,
            "went_on_from": self._went_on,
            "changed": sorted(self._changed),
        }

    def _told(self, word: str) -> Mapping[str, Any] | None:
        with suppress(OSError, ValueError):
            return json_object((self._places.told / f"{word}.json").read_bytes(), _MOST_OF_A_WORD)
        return None

    def _go_on(self, before: Mapping[str, Any], word: Mapping[str, Any]) -> GoOn | None:
        """What was mended is read again; a copy that is no notebook any more is passed over, and waited for."""
        index, cells = count(word.get("from")) or 0, before["cells"]
        with suppress(ValueError):
            cells = given_notebook.read(self._places.held / "notebook.ipynb")["cells"]
        self._went_on.append(index)
        self._changed |= {
            place
            for place, cell in enumerate(cells)
            if place >= len(before["cells"]) or cell["source"] != before["cells"][place]["source"]
        }
        return GoOn(index, [_bare(cell) for cell in cells[index:]])


def _bare(cell: Any) -> Any:
    """What is executed; what it showed before is shown no more."""
    return type(cell)({name: cell[name] for name in ("cell_type", "id", "metadata", "source") if name in cell})


def code_cells(cells: Sequence[Any]) -> int:
    return sum(map(is_executed, cells))


async def heard(client: Any, seconds: float) -> None:
    """Read away what the kernel says to somebody else."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        with suppress(Exception):
            await client.iopub_channel.get_msg(timeout=left)
