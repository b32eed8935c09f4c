"""What somebody asks a sweep for becomes its plan, checked set by set against the notebook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drybench.errors import ParametersWrong
from drybench.model import Surroundings
from drybench.runs import parameters
from drybench.runs.parameters import Parameters
from drybench.runs.sweep_files import files_of
from drybench.runs.sweep_text import UNSET, from_csv, from_typed
from drybench.runs.sweeps import Part, Plan, Rows, Values, from_grid, label, plan, refuse_if
from drybench.runs.typed_text import Problem, Unset, anything, from_text

TEXT_KINDS = frozenset({"text", "lines", "path", "choice"})
PLACES_NAMED = 5  # of those that have one and the same problem


@dataclass(frozen=True)
class Files:
    """One run for each file: this parameter gets its path."""

    parameter: str
    folder: Path
    pattern: str


@dataclass(frozen=True)
class SweepSaid:
    """Each of them is a part; they are combined, and what stands first changes slowest."""

    rows: Sequence[Mapping[str, Any]] | None = None
    csv: str | None = None
    files: Sequence[Files] = ()
    grid: Mapping[str, Any] = field(default_factory=dict[str, Any])
    typed: Mapping[str, str] = field(default_factory=dict[str, str])  # a grid, as it stands in fields


def read_plan(
    said: SweepSaid, fixed: Mapping[str, Any], known: Parameters, most: int, around: Surroundings | None = None
) -> Plan:
    """Counted and bounded before anything is built. `around`: as whose tasks see them folders are looked into."""
    return plan(list(_parts(said, known, most, around)), most, fixed)


def check(made: Plan, fixed: Mapping[str, Any], known: Parameters) -> None:
    """Every set, and every problem at once, with the runs that would have it."""
    parameters.check(known, fixed)
    places: dict[str, list[int]] = defaultdict(list)
    for place, chosen in enumerate(made.sets()):
        try:
            parameters.check(known, {**fixed, **chosen})
        except ParametersWrong as wrong:
            places[wrong.facts["problems"]].append(place)
    refuse_if(f"{_which(found, made)}: {problem}" for problem, found in places.items())


def _parts(said: SweepSaid, known: Parameters, most: int, around: Surroundings | None) -> Iterable[Part]:
    by_name = {parameter.name: parameter for parameter in known}

    def read(name: str, text: str) -> Any:
        value = from_text(by_name[name], text) if name in by_name else anything(text) if text else UNSET
        if isinstance(value, Problem):
            raise ValueError(value.sentence.removeprefix(f"`{name}` "))
        return UNSET if isinstance(value, Unset) else value

    def is_text(name: str) -> bool:
        return name in by_name and by_name[name].kind in TEXT_KINDS

    if said.rows is not None:
        yield Rows(said.rows)
    if said.csv is not None:
        yield from_csv(said.csv, read, tuple(by_name) if known.has_cell and not known.note else None)
    for one in said.files:
        yield Values(one.parameter, files_of(one.folder, one.pattern, most, around))
    yield from from_grid(said.grid)
    yield from from_typed(said.typed, read, is_text)


def _which(places: Sequence[int], made: Plan) -> str:
    """As people count: from 1."""
    if len(places) == made.count:
        return "each run"
    if len(places) == 1:
        return f"run {places[0] + 1:,} ({label(made.at(places[0]))})"
    more = f" and {len(places) - PLACES_NAMED:,} more" if len(places) > PLACES_NAMED else ""
    return "runs " + ", ".join(f"{place + 1:,}" for place in places[:PLACES_NAMED]) + more
