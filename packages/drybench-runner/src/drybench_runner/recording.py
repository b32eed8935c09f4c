"""Where everything that happens in a run goes: into the notebook, the journal and the log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drybench_runner import record
from drybench_runner.book import Book
from drybench_runner.caps import (
    ALL_WIDGETS_LIMIT,
    COUNT_LIMIT,
    ITEM_LIMIT,
    WIDGET_LIMIT,
    Allowance,
    Shares,
    short_error,
    size_of,
)
from drybench_runner.journal import Journal, Log
from drybench_runner.picture import Picture
from drybench_runner.values import Values
from drybench_runner.whole import Whole

LAST_WORDS = 16 << 10  # characters that are shown of the end of what was left out
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_MIB = 1 << 20


class Recording:
    """The cell that runs is `cell`, counted `cell_number`; both are None before the first."""

    def __init__(self, book: Book, journal: Journal, log: Log, whole: Whole) -> None:
        self._book = book
        self._journal = journal
        self._log = log
        self._whole = whole
        self._shares = Shares()
        self._allowance = Allowance(self._shares)
        self._left_for_widgets = ALL_WIDGETS_LIMIT
        self._left_out: dict[str, tuple[int, str]] = {}  # of each stream, how much and how it ends
        self._clear_first = False
        self._has_too_many = False
        self.values = Values()
        self.picture = Picture()
        self.is_running = False
        self.cell: int | None = None
        self.cell_number: int | None = None
        self.cells = 0
        self.executed = 0
        self.allowed_errors = 0
        self.numbers: dict[int, int] = {}  # the number of the cell that a kernel calls In[…]

    def begin(self, at: str, cells: int, **paths: str) -> None:
        self.cells = cells
        self._tell(record.began(at, cells, **paths))

    def detail(self, text: str) -> None:
        self._tell(record.detail(record.moment(), text))
        self.say(text)

    def say(self, text: str) -> None:
        self._log.say(f"[{record.moment()[11:19]}] {text}")

    def start_cell(self, index: int) -> None:
        self.cell, self.cell_number = index, (self.cell_number or 0) + 1
        self._allowance, self._left_out = Allowance(self._shares), {}
        self._clear_first = self._has_too_many = False
        self.is_running = True
        self._tell(record.cell(record.moment(), index, self.cell_number, self.cells))
        self.say(f"cell {self.cell_number} of {self.cells}")

    def output(self, index: int, output: dict[str, Any], display_id: str | None = None) -> None:
        if self._clear_first:
            self.clear(index)
        match output["output_type"]:
            case "stream":
                for piece in _pieces(output["text"]):
                    self._print(index, output["name"], piece)
            case "error":
                error = short_error(output)
                self._tell(record.output(index, error))
                self._log.print(_ESCAPES.sub("", "\n".join(error["traceback"])) + "\n")
            case _:
                self._notice(output["data"])
                self._show(index, output, display_id)

    def widget(self, id: str, model: dict[str, Any]) -> None:
        """A widget of many small steps is told of; one that carries pictures or data comes whole at the end."""
        size = size_of(model["state"])
        if size <= WIDGET_LIMIT and size <= self._left_for_widgets:
            self._left_for_widgets -= size
            self._tell(record.widgets({id: model}))

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self._notice(data)
        shown = {"data": data, "metadata": metadata}
        shown = self._within_limits(shown, size_of(data) <= ITEM_LIMIT)
        self._tell(record.update(display_id, shown["data"], shown["metadata"]))

    def clear(self, index: int, wait: bool = False) -> None:
        """With `wait` it is cleared when something new is there to be shown."""
        self._clear_first = wait
        if wait:
            return
        for name in self._left_out:
            self._whole.forget(self._file(name))
        self._allowance.give_back()
        self._allowance, self._left_out = Allowance(self._shares), {}
        self._tell(record.clear(index))

    def end_cell(self, execution_count: int | None, failed: bool) -> None:
        if not self.is_running or self.cell is None:
            return
        self._show_what_came_last(self.cell)
        self._log.end_lines()
        self._whole.flush()
        self.is_running = False
        self.executed += 0 if failed else 1
        if execution_count is not None and self.cell_number is not None:
            self.numbers[execution_count] = self.cell_number
        status = "error" if failed else "ok"
        self._tell(record.cell_ended(record.moment(), self.cell, execution_count, status))

    def hold(self, until: str) -> None:
        self._tell(record.held(record.moment(), until, self.cell))
        self.say(f"its kernel is kept until {until[11:16]} UTC")

    def release(self) -> None:
        self._tell(record.released(record.moment()))

    def go_on(self, index: int, cells: Sequence[Any], before: int, of: int) -> None:
        """`before` code cells stand before that one, `of` in all."""
        event = record.went_on(record.moment(), index, cells, of)
        self._journal.add(event)
        self._book.take({**event, "cells": cells})  # these very cells: they are what is executed
        self.cell_number, self.cells = before or None, of
        self.executed = min(self.executed, before)
        self.say(f"going on by hand, from code cell {before + 1}")

    def end(self, outcome: str, sentence: str | None) -> str:
        """What still ran is over as well; the time that was written down."""
        self.end_cell(None, failed=True)
        at = record.moment()
        self._tell(record.ended(at, outcome))
        self.say(sentence or outcome)
        return at

    def _print(self, index: int, name: str, text: str) -> None:
        kept = "" if name in self._left_out else text[: self._allowance.of_text(name, text)]
        if kept:
            self._tell(record.output(index, _stream(name, kept)))
            self._log.print(kept)
        if len(kept) < len(text):
            self._leave_out(index, name, text[len(kept) :])

    def _leave_out(self, index: int, name: str, text: str) -> None:
        """Before the first of it, what is shown already goes into the file that is to be whole."""
        if name not in self._left_out:
            self._whole.add_text(self._file(name), self._book.printed(index, name))
            self._note(index, f"This cell printed more than is kept here. All of it is in whole/{self._file(name)}.")
        size, last = self._left_out.get(name, (0, ""))
        self._left_out[name] = size + len(text), (last + text)[-LAST_WORDS:]
        self._whole.add_text(self._file(name), text)

    def _show_what_came_last(self, index: int) -> None:
        for name, (size, last) in self._left_out.items():
            self._note(index, f"{size / _MIB:.1f} MiB of {name} are left out here; it ended like this:")
            self._tell(record.output(index, _stream(name, last)))

    def _show(self, index: int, output: dict[str, Any], display_id: str | None) -> None:
        if self._allowance.counts():
            shown = self._within_limits(output, self._allowance.of_data(output["data"]))
            self._tell(record.output(index, shown, display_id))
        elif not self._has_too_many:
            self._has_too_many = True
            self._note(
                index, f"This cell showed more than {COUNT_LIMIT} things: what came after that is left out here."
            )

    def _within_limits(self, shown: dict[str, Any], fits: bool) -> dict[str, Any]:
        """As it is; where it is too large for notebook or journal, with the name of a file that has it."""
        if fits and record.fits_a_line(shown):
            return shown
        size, name = size_of(shown["data"]), self._whole.keep(self.cell_number or 0, shown["data"])
        told = {"drybench": {"cut": size} | ({"whole": name} if name else {})}
        if fits:
            return {**shown, "metadata": {**shown["metadata"], **told}}
        where = f" It is in whole/{name}." if name else ""
        words = f"[{', '.join(shown['data'])} of {size / _MIB:.1f} MiB: too large to be kept here.{where}]"
        return {**shown, "data": {"text/plain": words}, "metadata": told}

    def _notice(self, data: Mapping[str, Any]) -> None:
        for name in self.values.take(data):
            self.say(f"There is no room for the value {name}: all values together may have 64 KiB.")
        self.picture.take(data)

    def _note(self, index: int, words: str) -> None:
        self._tell(record.output(index, _stream("stderr", f"\n[{words}]\n")))

    def _file(self, name: str) -> str:
        return f"{self.cell_number or 0}-{name}.txt"

    def _tell(self, event: record.Event) -> None:
        self._book.take(event)
        self._journal.add(event)


def _pieces(text: str) -> Iterator[str]:
    """A kernel may send all that it printed in one message, and each step with that costs its size again."""
    return (text[start : start + _MIB] for start in range(0, len(text), _MIB))


def _stream(name: str, text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}
