"""What the page of a sweep and its JSON twin both show. Read from ledger and folders, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from drybench.errors import DrybenchError
from drybench.phases import Phase
from drybench.runs.sweep_matrix import Matrix, Row, matrix, median_seconds, seconds_left
from drybench.sweep_book import Place, Sweep, Totals
from drybench.web.pictures import picture_of
from drybench.web.portal import Portal
from drybench.web.sweep_shapes import PlaceJson, SweepJson


@dataclass(frozen=True)
class ShownSweep:
    sweep: Sweep
    totals: Totals
    places: Sequence[Place]
    median: float | None
    left: float | None
    trouble: DrybenchError | None

    def table(self, portal: Portal, state: str, sort: str) -> Matrix:
        whole = matrix(self.sweep, portal.sweeps.plan_of(self.sweep), self.places, datetime.now(UTC))
        return whole.only(state).sorted(sort or "number")


def shown_sweep(portal: Portal, sweep: Sweep) -> ShownSweep:
    totals, places = portal.sweeps.totals([sweep])[sweep.id], portal.sweeps.places(sweep)
    usual = median_seconds(places)
    left = seconds_left(usual, totals.open, totals.running)
    return ShownSweep(sweep, totals, places, usual, left, portal.sweeps.troubles.get(sweep.id))


def sweep_json(portal: Portal, sweep: Sweep) -> SweepJson:
    shown = shown_sweep(portal, sweep)
    trouble = shown.trouble.sentence if shown.trouble else ""
    return SweepJson.of(
        sweep,
        shown.totals,
        url_of(portal, sweep),
        median_seconds=shown.median,
        seconds_left=shown.left,
        trouble=trouble,
    )


def listed(portal: Portal, sweeps: Sequence[Sweep]) -> Sequence[SweepJson]:
    """Without what takes a look at each run."""
    totals = portal.sweeps.totals(sweeps)
    return [SweepJson.of(sweep, totals[sweep.id], url_of(portal, sweep)) for sweep in sweeps]


def place_json(portal: Portal, row: Row) -> PlaceJson:
    return PlaceJson.of(row, picture(portal, row))


def picture(portal: Portal, row: Row) -> str | None:
    """The address of its last figure, where it left one. With the attempt in it, so that browsers may keep it."""
    place = row.place
    if place is None or place.phase is not Phase.ENDED or not picture_of(portal, place.run, place.attempt):
        return None
    return f"/runs/{place.run}/picture?attempt={place.attempt}"


def url_of(portal: Portal, sweep: Sweep) -> str:
    return f"{portal.addresses.public}/sweeps/{sweep.id}"
