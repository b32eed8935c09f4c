"""What differs between two runs. Pure: two receipts, two notebooks and the hashes of their files go in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from drybench.runs.notebooks import Notebook
from drybench.runs.receipts import Input, Receipt

MOST_ROWS = 1000  # of one subject
MOST_CELLS = 1000  # beyond so many, cells are compared by their place
MOST_LINES = 1000  # of a cell that is compared line by line
MOST_SOURCE = 200_000  # characters of one
MOST_SHOWN = 200  # cells with their lines
INJECTED = "injected-parameters"  # the portal's own cell, told as parameters


@dataclass(frozen=True)
class Difference:
    """`name` is the parameter, package or file; None on a side where it is not."""

    name: str
    a: Any = None
    b: Any = None


@dataclass(frozen=True)
class CellDifference:
    """Places count all cells from 1; None where a side does not have it. The lines are a unified diff."""

    a: int | None
    b: int | None
    lines: Sequence[str]


@dataclass(frozen=True)
class Subject:
    name: str  # in words, for a heading
    rows: Sequence[Difference]
    left_out: int = 0  # rows beyond MOST_ROWS


@dataclass(frozen=True)
class Differences:
    a: str
    b: str
    subjects: Sequence[Subject]  # only those that differ
    cells: Sequence[CellDifference]
    same: Sequence[str]  # the names of what was compared and is the same


@dataclass(frozen=True)
class Side:
    receipt: Receipt
    notebook: Notebook | None  # as it was handed in
    hashes: Mapping[str, str]  # of those of its files that were worth reading


def differences(a: Side, b: Side) -> Differences:
    compared = [Subject(name, *_bounded(rows)) for name, rows in _subjects(a, b)]
    cells = list(islice(_cells(_sources(a.notebook), _sources(b.notebook)), MOST_SHOWN))
    same = [subject.name for subject in compared if not subject.rows]
    if not cells and a.notebook is not None and b.notebook is not None:
        same.append("cells")
    differing = [subject for subject in compared if subject.rows]
    return Differences(a.receipt.run, b.receipt.run, differing, cells, same)


def _subjects(a: Side, b: Side) -> Iterator[tuple[str, list[Difference]]]:
    one, other = a.receipt, b.receipt
    yield "outcome", _facts(one, other, outcome=_outcome, duration=_duration)
    yield "parameters", _mapped(one.parameters, other.parameters)
    yield "values", _mapped(one.values, other.values)
    yield "notebook", _facts(one, other, name=lambda r: r.notebook, sha256=lambda r: r.notebook_sha256)
    yield "inputs", _mapped(_inputs(one), _inputs(other))
    yield "git", _mapped(_git(one), _git(other))
    yield "environment", _facts(one, other, name=lambda r: r.environment, digest=lambda r: r.environment_digest)
    yield "requirements", _mapped(_listed(one.requirements), _listed(other.requirements))
    yield "packages", _mapped(one.packages, other.packages)
    yield "machine", _mapped(_machine(one), _machine(other))
    yield "files", _mapped(_files(a), _files(b))


def _facts(a: Receipt, b: Receipt, **facts: Callable[[Receipt], Any]) -> list[Difference]:
    return _mapped({name: fact(a) for name, fact in facts.items()}, {name: fact(b) for name, fact in facts.items()})


def _mapped(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """By name, in the order of the first and then of the second; 1 and True are not the same."""
    names = dict.fromkeys((*a, *b))
    rows = [Difference(name, a.get(name), b.get(name)) for name in names]
    return [row for row in rows if (row.name in a) != (row.name in b) or not _same(row.a, row.b)]


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or repr(a) == repr(b))


def _bounded(rows: list[Difference]) -> tuple[list[Difference], int]:
    return rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS)


def _outcome(receipt: Receipt) -> str | None:
    return f"{receipt.outcome} ({receipt.reason})" if receipt.reason else receipt.outcome


def _duration(receipt: Receipt) -> float | None:
    """Tenths of a second: no two runs take the same time, but not every difference is one."""
    return None if receipt.seconds is None else round(receipt.seconds, 1)


def _inputs(receipt: Receipt) -> Mapping[str, Any]:
    return {one.path: _content(one) for one in receipt.inputs}


def _content(one: Input) -> str:
    if one.sha256 is not None:
        return f"sha256 {one.sha256}"
    size = "" if one.size is None else f"{one.size} bytes, "
    return f"{size}{one.note or 'not hashed'}"


def _git(receipt: Receipt) -> Mapping[str, Any]:
    git = receipt.git
    if git is None:
        return {}
    return {"commit": git.commit, "changed since": git.dirty, "remote": git.remote}


def _listed(requirements: str | None) -> Mapping[str, str]:
    lines = (line.strip() for line in (requirements or "").splitlines())
    return {line: line for line in lines if line and not line.startswith("#")}


def _machine(receipt: Receipt) -> Mapping[str, Any]:
    machine, gpus = receipt.machine, receipt.gpus
    told: dict[str, Any] = {"python": receipt.python, "platform": receipt.platform}
    if machine is not None:
        told |= {"host": machine.host, "cpu": machine.cpu, "cores": machine.cores, "memory": machine.memory}
    asked = {"cores asked": receipt.cores, "memory asked": receipt.memory}
    return {**told, **asked, "gpus": [f"{gpu.name}, driver {gpu.driver}" for gpu in gpus]}


def _files(side: Side) -> Mapping[str, str]:
    return {
        file.path: f"{file.size} bytes" + (f", sha256 {side.hashes[file.path]}" if file.path in side.hashes else "")
        for file in side.receipt.outputs
    }


def _sources(notebook: Notebook | None) -> list[tuple[int, str]]:
    """Each cell's place and source, without the one that the bench put in."""
    cells: list[Any] = [] if notebook is None else notebook["cells"]
    return [(place, _source(cell)) for place, cell in enumerate(cells, 1) if INJECTED not in _tags(cell)]


def _source(cell: Mapping[str, Any]) -> str:
    source: Any = cell.get("source", "")
    return "".join(map(str, cast(list[Any], source))) if isinstance(source, list) else str(source)


def _tags(cell: Mapping[str, Any]) -> Sequence[Any]:
    metadata: Any = cell.get("metadata")
    tags: Any = cast(dict[str, Any], metadata).get("tags") if isinstance(metadata, dict) else None
    return cast(list[Any], tags) if isinstance(tags, list) else ()


def _cells(a: list[tuple[int, str]], b: list[tuple[int, str]]) -> Iterator[CellDifference]:
    """Cells that were moved in between or taken out do not make all that follow differ."""
    for kind, a1, a2, b1, b2 in _matched([source for _, source in a], [source for _, source in b]):
        if kind == "equal":
            continue
        for at in range(max(a2 - a1, b2 - b1)):
            one = a[a1 + at] if a1 + at < a2 else (None, "")
            other = b[b1 + at] if b1 + at < b2 else (None, "")
            if one[1] != other[1] or one[0] is None or other[0] is None:
                yield CellDifference(one[0], other[0], _lines(one[1], other[1]))


def _matched(a: list[str], b: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    if len(a) > MOST_CELLS or len(b) > MOST_CELLS:
        return [("replace", 0, len(a), 0, len(b))]
    return difflib.SequenceMatcher(None, a, b).get_opcodes()


def _lines(a: str, b: str) -> Sequence[str]:
    one, other = a.splitlines(), b.splitlines()
    if max(len(a), len(b)) > MOST_SOURCE or max(len(one), len(other)) > MOST_LINES:
        return ["[too long to be compared line by line]"]
    return list(difflib.unified_diff(one, other, n=2, lineterm=""))[2:]
