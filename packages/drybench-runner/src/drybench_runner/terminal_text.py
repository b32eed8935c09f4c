"""Text as a terminal shows it: a progress bar that draws itself anew each second stays one line. Pure.

Carriage return, backspace, the cursor's simple moves and erasing are followed, as far as the last rows. Colours stay
with their text, other control sequences stay as they are.
"""

from __future__ import annotations

import re

REACH = 100  # rows above the last one to which the cursor can go
WIDEST = 10_000  # characters of a row within which it can go back

_STYLE = r"\x1b\[[0-?]{0,20}[ -/]{0,2}[@-~]"
_MOVE = r"\x1b\[(?:\d*[A-DGJK]|\?25[hl])"
_MOVES = re.compile(rf"[\r\b]|{_MOVE}")
_TOKENS = re.compile(rf"(\r+\n|[\r\n\b]|{_MOVE})")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]{0,20}[ -/]{0,2}|\][^\x07\x1b]{0,1000}\x1b?)?\Z")
_OTHER = re.compile(rf"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b(?!{_STYLE[4:]})")  # titles, links, escapes that are none
_CELLS = re.compile(rf"(?:{_STYLE})*[^\x1b](?:(?:{_STYLE})+\Z)?")
_ONLY_STYLE = re.compile(rf"(?:{_STYLE})+")
_STYLE_BEHIND = re.compile(rf"(?:{_STYLE})+\Z")


class Screen:
    """One stream of one cell, as far as it has been written."""

    def __init__(self) -> None:
        self._above: list[str] = []  # what the cursor cannot reach any more
        self._above_size = 0
        self._rows: list[str] = [""]
        self._row = 0
        self._column: int | None = None  # None is the end of the row
        self._colour = ""  # for what is written next
        self._unfinished = ""  # the beginning of a control sequence
        self._scrolled: list[str] = []  # rows that went out of reach by the last write
        self._was_too_wide = False

    def write(self, text: str) -> None:
        self._write(self._sound(text))

    def changed(self, text: str) -> str:
        """Write it, and say by the shorter text what changes another such screen in the same way."""
        before, row, colour = list(self._rows), self._row, self._colour
        text = self._sound(text)
        self._write(text)
        is_out_of_reach = self._scrolled and len(self._rows) <= REACH  # and what came below it was erased
        if colour or self._colour or self._was_too_wide or is_out_of_reach or not _MOVES.search(text):
            return text
        return min(text, self._repaint(before, row), key=len)

    @property
    def size(self) -> int:
        """Characters that are shown."""
        return self._above_size + sum(map(len, self._rows)) + len(self._rows) - 1

    def text(self) -> str:
        return "".join([*self._above, "\n".join(self._rows)])

    def _sound(self, text: str) -> str:
        """Without what is of no known kind; the beginning of a sequence is kept until the rest has come."""
        text = self._unfinished + text
        if "\x1b" not in text:
            return text
        cut = _UNFINISHED.search(text)
        self._unfinished = cut[0] if cut else ""
        return _OTHER.sub("", text[: len(text) - len(self._unfinished)])

    def _write(self, text: str) -> None:
        self._scrolled, self._was_too_wide = [], False
        if self._column is None and self._row == len(self._rows) - 1 and not self._colour and not _MOVES.search(text):
            self._append(text)
            return
        for token in _TOKENS.split(text):
            if token:
                self._take(token)
        if self._column is not None and self._column == _width(self._rows[self._row]):
            self._column = None

    def _append(self, text: str) -> None:
        first, *more = text.split("\n")
        self._rows[-1] += first
        self._narrow()
        for row in more:
            self._rows.append(row)
            self._narrow()
            if len(self._rows) > 2 * REACH:
                self._scroll()
        self._row = len(self._rows) - 1
        self._scroll()

    def _take(self, token: str) -> None:
        if token.endswith("\n") and len(token.strip("\r")) == 1:
            self._next_row()
        elif token == "\r":
            self._column = 0
        elif token == "\b":
            self._column = max(0, self._at() - 1)
        elif _MOVES.fullmatch(token):
            self._move(token[-1], token[2:-1])
        else:
            self._put(token)

    def _at(self) -> int:
        return _width(self._rows[self._row]) if self._column is None else self._column

    def _next_row(self) -> None:
        self._row, self._column = self._row + 1, 0
        if self._row == len(self._rows):
            self._rows.append("")
            self._scroll()

    def _move(self, kind: str, number: str) -> None:
        count = max(1, int(number[:4])) if number.isdecimal() else 1
        column = self._at()
        match kind:
            case "A":
                self._row, self._column = max(0, self._row - count), column
            case "B":
                self._row, self._column = min(len(self._rows) - 1, self._row + count), column
            case "C":
                self._column = min(column + count, WIDEST)
            case "D":
                self._column = max(0, column - count)
            case "G":
                self._column = min(count - 1, WIDEST)
            case "K" | "J":
                self._column = column
                self._erase(kind, number or "0", column)
            case _:
                pass  # the cursor is hidden or shown

    def _erase(self, kind: str, how: str, column: int) -> None:
        cells = _cells(self._rows[self._row])
        if how == "0":
            self._rows[self._row] = "".join(cells[:column])
        elif how == "1" and kind == "K":
            self._rows[self._row] = " " * min(column, len(cells)) + "".join(cells[column:])
        elif kind == "K":
            self._rows[self._row] = ""
        if kind == "J" and how == "0":
            del self._rows[self._row + 1 :]

    def _put(self, text: str) -> None:
        row, column = self._rows[self._row], self._at()
        new, cells = _cells(text), _cells(row)
        behind = ""
        if column >= len(cells):
            self._rows[self._row] = row + " " * (column - len(cells)) + self._colour + text
        elif not new:
            self._colour += text
            return
        else:
            new[0] = self._colour + new[0]
            if (found := _STYLE_BEHIND.search(new[-1])) and column + len(new) < len(cells):
                behind, new[-1] = found[0], new[-1][: found.start()]  # not for what was there before
            self._rows[self._row] = "".join([*cells[:column], *new, *cells[column + len(new) :]])
        self._colour, self._column = behind, column + len(new)
        self._narrow()

    def _narrow(self) -> None:
        """A line without an end goes out of reach piece by piece."""
        while len(self._rows[-1]) > WIDEST:
            *above, last = self._rows
            text = "\n".join([*above, last[:WIDEST]])
            self._above.append(text)
            self._above_size += len(text)
            self._rows, self._row, self._column = [last[WIDEST:]], 0, None
            self._was_too_wide = True

    def _scroll(self) -> None:
        gone = len(self._rows) - 1 - REACH
        if gone <= 0:
            return
        self._scrolled += self._rows[:gone]
        text = "".join(row + "\n" for row in self._rows[:gone])
        self._above.append(text)
        self._above_size += len(text)
        del self._rows[:gone]
        self._row = max(0, self._row - gone)

    def _repaint(self, before: list[str], row: int) -> str:
        """From the first row that is another one now; then back to where the cursor is."""
        after = [*self._scrolled, *self._rows]
        same = (one == other for one, other in zip(before, after, strict=False))
        first = min(
            next((n for n, is_same in enumerate(same) if not is_same), len(before)), len(before) - 1, len(after) - 1
        )
        there = "\r" + _steps(first - row) + "\x1b[J" + "\n".join(after[first:])
        if self._row == len(self._rows) - 1 and self._column is None:
            return there
        back = _steps(self._row - len(self._rows) + 1) + (f"\x1b[{self._at() + 1}G")
        return there + back


def _steps(rows: int) -> str:
    return "" if rows == 0 else f"\x1b[{abs(rows)}{'A' if rows < 0 else 'B'}"


def _width(row: str) -> int:
    return len(_cells(row))


def _cells(row: str) -> list[str]:
    """Its characters, each with the colours before it; the last one with those behind it as well."""
    return [] if _ONLY_STYLE.fullmatch(row) else [cell[0] for cell in _CELLS.finditer(row)]
