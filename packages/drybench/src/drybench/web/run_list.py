"""The Runs page's rows: one's runs, and each sweep as one row among them, the newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from drybench.ledger import Part
from drybench.model import Person, Run
from drybench.sweep_book import Sweep, SweepBook, Totals
from drybench.web.portal import Portal
from drybench.web.showing import ShownRun, shown_run

ON_A_PAGE = 50
MOST_SWEEPS = 200
_TAG = re.compile(r'(?:^|\s)tag:(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True)
class Filter:
    """What of the list is wanted. In `search`, `tag:x` stands for a tag and the rest for a part of the name."""

    search: str = ""
    state: str = ""
    starred: bool = False
    cursor: str = ""

    @property
    def tag(self) -> str:
        found = _TAG.search(self.search)
        return (found[1] or found[2] or "") if found else ""

    @property
    def name(self) -> str:
        return " ".join(_TAG.sub(" ", self.search).split())

    @property
    def is_narrow(self) -> bool:
        """A sweep has no state, star or tag of its own: then its runs are shown one by one."""
        return bool(self.state or self.starred or self.tag)

    @property
    def is_any(self) -> bool:
        return bool(self.search or self.is_narrow)

    def at(self, **changed: str | bool | None) -> str:
        """The address of the list with something else chosen; a cursor counts for one choice only."""
        other = replace(self, **{"cursor": "", **changed})  # type: ignore[arg-type] - each named as its field
        chosen = {
            "search": other.search,
            "state": other.state,
            "starred": "1" if other.starred else "",
            "cursor": other.cursor,
        }
        query = {name: value for name, value in chosen.items() if value}
        return f"/runs?{urlencode(query)}" if query else "/runs"


@dataclass(frozen=True)
class ShownSweep:
    sweep: Sweep
    totals: Totals


def rows(portal: Portal, person: Person, wanted: Filter) -> Part[ShownRun | ShownSweep]:
    part = portal.runs.mine(
        person, wanted.cursor or None, ON_A_PAGE, wanted.name, wanted.state,
        tag=wanted.tag, starred=wanted.starred, loose=not wanted.is_narrow,
    )  # fmt: skip
    shown: list[ShownRun | ShownSweep] = [shown_run(portal, run) for run in part.rows]
    if not wanted.is_narrow:
        shown += _sweeps(SweepBook(portal.ledger), person, wanted, part)
        shown.sort(key=lambda row: row.run.id if isinstance(row, ShownRun) else row.sweep.id, reverse=True)
    return Part(shown, part.next)


def _sweeps(book: SweepBook, person: Person, wanted: Filter, part: Part[Run]) -> Sequence[ShownSweep]:
    """Those that were asked for between the newest and the oldest run of this part of the list."""
    oldest = part.rows[-1].id if part.next else ""
    newest = book.of_person(person.id, wanted.cursor or None, MOST_SWEEPS).rows
    found = [one for one in newest if one.id > oldest and wanted.name.casefold() in one.name.casefold()]
    totals = book.totals(found)
    return [ShownSweep(sweep, totals[sweep.id]) for sweep in found]
