"""Notebooks that wait for the test, and say by a file how far they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

_MARK = "with open({file!r}, 'a') as marks: marks.write({word!r} + '\\n')\nprint({word!r})"
_WAIT = "import os, time\nwhile not os.path.exists({gate!r}): time.sleep(0.02)"


class Notebook:
    """Each word adds a cell."""

    def __init__(self, folder: Path, name: str, kernel: str = "python3") -> None:
        self.file = folder / f"{name}.ipynb"
        self._marks, self._gate = folder / f"{name}.marks", folder / f"{name}.go"
        self._kernel = kernel
        self._sources: list[str] = []
        self._write()

    def does(self, source: str) -> Notebook:
        self._sources.append(source)
        self._write()
        return self

    def marks(self, word: str) -> Notebook:
        """A line in a file, and on the page."""
        return self.does(_MARK.format(file=str(self._marks), word=word))

    def waits(self) -> Notebook:
        """Until the test lets it go."""
        return self.does(_WAIT.format(gate=str(self._gate)))

    def let_go(self) -> None:
        self._gate.touch()

    @property
    def marked(self) -> list[str]:
        return self._marks.read_text().splitlines() if self._marks.exists() else []

    def has_marked(self, word: str) -> Callable[[], bool]:
        return lambda: word in self.marked

    def _write(self) -> None:
        cells = [
            {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
            for source in self._sources
        ]
        metadata = {"kernelspec": {"name": self._kernel, "display_name": self._kernel}}
        self.file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))


def text_of(notebook: bytes) -> str:
    """All that its cells printed."""
    cells = json.loads(notebook)["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))
