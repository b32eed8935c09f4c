"""The JSON of sweeps: what is asked for, and what their page shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from drybench.runs.sweep_matrix import Row
from drybench.runs.sweep_reading import Files, SweepSaid
from drybench.sweep_book import Sweep, Totals
from drybench.web.shapes import RunAsk, Time

Grid = dict[str, Any]
_MOST = 10**9  # of what is counted: more is no number for a program that reads it


class FilesAsk(BaseModel):
    """One run for each file of a folder on the bench's machine: this parameter gets its path."""

    model_config = ConfigDict(extra="forbid")

    parameter: str = Field(max_length=200)
    folder: str = Field(max_length=4000)
    pattern: str = Field(default="*", max_length=200)


class SweepPart(BaseModel):
    """Parts are combined, each with each. `grid`: a list of values, {from, to, step} or {from, to, count} for each
    parameter. `typed`: the same as people write it: `1, 2, 3`, `0..1 by 0.1`, `0..1 in 11`. `list`: whole sets.
    `csv`: a table whose header names parameters."""

    model_config = ConfigDict(extra="forbid")

    grid: Grid = {}
    typed: dict[str, str] = {}
    list: Sequence[dict[str, Any]] | None = None
    csv: str | None = None
    folder: FilesAsk | Sequence[FilesAsk] = ()

    def said(self) -> SweepSaid:
        folders = [self.folder] if isinstance(self.folder, FilesAsk) else self.folder
        files = [Files(one.parameter, Path(one.folder), one.pattern) for one in folders]
        return SweepSaid(self.list, self.csv, files, self.grid, self.typed)


class SweepAsk(RunAsk):
    """As for one run, with what is to differ; `parameters` are the same in all of them."""

    sweep: SweepPart


class CountedJson(BaseModel):
    count: int
    limit: int
    first: Sequence[Mapping[str, Any]] = Field(description="The first sets of parameters")


class TotalsJson(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    done: int
    failed: int
    stopped: int
    lost: int
    running: int
    waiting: int


class SweepJson(BaseModel):
    id: str
    name: str
    person: str
    environment: str
    size: str
    notebook_name: str
    parameters: Sequence[str] = Field(description="Those that differ")
    runs: int
    wanted: str
    totals: TotalsJson
    median_seconds: float | None = None
    seconds_left: float | None = None
    trouble: str = Field(default="", description="Why it does not go on at the moment")
    created_at: Time
    url: str

    @classmethod
    def of(cls, sweep: Sweep, totals: Totals, url: str, **more: Any) -> SweepJson:
        return cls(
            id=sweep.id,
            name=sweep.name,
            person=sweep.person,
            environment=sweep.environment,
            size=sweep.size,
            notebook_name=sweep.notebook_name,
            parameters=sweep.axes,
            runs=sweep.planned,
            wanted=sweep.wanted.value,
            totals=TotalsJson.model_validate(totals),
            created_at=sweep.created_at,
            url=url,
            **more,
        )


class PlaceJson(BaseModel):
    """One row of the matrix. `run` is null as long as it is planned only."""

    number: int
    run: str | None
    state: str
    parameters: Mapping[str, Any]
    values: Mapping[str, Any]
    seconds: float | None
    detail: str
    picture: str | None

    @classmethod
    def of(cls, row: Row, picture: str | None) -> PlaceJson:
        return cls(
            number=row.number,
            run=row.place.run if row.place else None,
            state=row.state,
            parameters=row.chosen,
            values=plain(row.values),
            seconds=row.seconds,
            detail=row.place.detail if row.place else "",
            picture=picture,
        )


def plain(value: Any) -> Any:
    """What JSON has no word for becomes null: a task wrote it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: plain(one) for name, one in cast("dict[str, Any]", value).items()}
    return [plain(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value
