"""Ids sort by time, and a task comes back from its JSON as it went in."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.dialects import sqlite

from drybench.ids import uuid7
from drybench.ledger_rows import spec_as_json, spec_of
from drybench.model import Mount, Task
from drybench.tables import UtcTime

words = some.text(max_size=8)
paths = some.builds(lambda name: Path("/") / name.replace("\0", ""), words) | some.just(Path("/\udcff"))
tables = some.dictionaries(words, words, max_size=3)
tasks = some.builds(
    Task,
    id=words,
    person=words,
    kind=some.sampled_from(["session", "run"]),
    command=some.lists(words, max_size=3).map(tuple),
    workdir=some.none() | paths,
    python=some.none() | paths,
    cores=some.floats(0, 64),
    memory=some.integers(0, 1 << 50),
    gpus=some.lists(words, max_size=2).map(tuple),
    mounts=some.lists(some.builds(Mount, paths, paths, some.booleans()), max_size=2).map(tuple),
    env=tables,
    hashes=tables,
)


@given(tasks)
def test_a_task_comes_back_as_it_was(task: Task) -> None:
    assert spec_of(json.loads(json.dumps(spec_as_json(task)))) == task


def test_a_task_of_an_older_drybench_has_the_defaults() -> None:
    saved = spec_as_json(Task("id", "ada", "run", ("python",)))
    assert saved.pop("format") == 1
    assert saved.pop("gpu_count") == 0
    assert spec_of(saved) == Task("id", "ada", "run", ("python",))


def test_an_id_is_a_uuid_of_version_7_and_says_when() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(uuid7())
    assert (made.version, made.variant) == (7, UUID(int=2 << 62).variant)
    assert before <= made.int >> 80 <= before + 10_000


def test_ids_rise_from_all_threads_and_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [uuid7() for _ in range(2000)]
    later = time.time_ns() - 3600 * 10**9
    monkeypatch.setattr("drybench.ids.time.time_ns", lambda: later)
    with ThreadPoolExecutor(4) as threads:
        rest = list(threads.map(lambda _: uuid7(), range(2000)))
    assert first == sorted(first)
    assert min(rest) > first[-1]
    assert len({*first, *rest}) == 4000


def test_a_time_is_kept_as_utc_and_never_without_a_zone() -> None:
    column, dialect = UtcTime(), sqlite.dialect()
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    bound = column.process_bind_param(noon, dialect)
    assert bound == noon
    assert bound.tzinfo is UTC
    assert column.process_result_value(datetime(2026, 1, 1, 10), dialect) == noon  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone"):
        column.process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001
