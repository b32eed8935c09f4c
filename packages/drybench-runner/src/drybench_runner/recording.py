"""Where everything that happens in a run goes: into the notebook, the journal and the log."""

from __future__ import annotations

import re
from typing import Any

from drybench_runner import record
from drybench_runner.book import Book
from drybench_runner.caps import Allowance
from drybench_runner.journal import Journal, Log

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Recording:
    """The cell that runs is `cell`, counted `cell_number`; both are None before the first."""

    def __init__(self, book: Book, journal: Journal, log: Log) -> None:
        self._book = book
        self._journal = journal
        self._log = log
        self._allowance = Allowance()
        self._clear_first = False
        self.is_running = False
        self.cell: int | None = None
        self.cell_number: int | None = None
        self.cells = 0
        self.executed = 0

    def begin(self, at: str, cells: int) -> None:
        self.cells = cells
        self._tell(record.began(at, cells))

    def detail(self, text: str) -> None:
        self._tell(record.detail(record.moment(), text))
        self.say(text)

    def say(self, text: str) -> None:
        self._log.write(f"[{record.moment()[11:19]}] {text}\n")

    def start_cell(self, index: int) -> None:
        self.cell, self.cell_number = index, (self.cell_number or 0) + 1
        self._allowance, self._clear_first, self.is_running = Allowance(), False, True
        self._tell(record.cell(record.moment(), index, self.cell_number, self.cells))
        self.say(f"cell {self.cell_number} of {self.cells}")

    def output(self, index: int, output: dict[str, Any], display_id: str | None = None) -> None:
        if self._clear_first:
            self.clear(index)
        for kept in self._allowance.admit(output):
            self._tell(record.output(index, kept, display_id if kept is output else None))
            self._log.write(_as_text(kept))

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self._tell(record.update(display_id, data, metadata))

    def clear(self, index: int, wait: bool = False) -> None:
        """With `wait` it is cleared when something new is there to be shown."""
        self._clear_first = wait
        if not wait:
            self._allowance = Allowance()
            self._tell(record.clear(index))

    def end_cell(self, execution_count: int | None, failed: bool) -> None:
        if not self.is_running or self.cell is None:
            return
        self.is_running = False
        self.executed += 0 if failed else 1
        status = "error" if failed else "ok"
        self._tell(record.cell_ended(record.moment(), self.cell, execution_count, status))

    def end(self, outcome: str, sentence: str | None) -> str:
        """What still ran is over as well; the time that was written down."""
        self.end_cell(None, failed=True)
        at = record.moment()
        self._tell(record.ended(at, outcome))
        self.say(sentence or outcome)
        return at

    def _tell(self, event: record.Event) -> None:
        self._book.take(event)
        self._journal.add(event)


def _as_text(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return output["text"]
    if output["output_type"] == "error":
        return _COLOURS.sub("", "\n".join(output["traceback"])) + "\n"
    return ""
